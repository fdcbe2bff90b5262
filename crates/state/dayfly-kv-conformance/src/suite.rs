//! All cases, and the macro that makes them tests.

use dayfly_kv::Capability::{CompareAndSwap, ReverseScan, Scan, TimeToLive, Watch, WatchResume};

use crate::case::Case;
use crate::case::Need::{Can, Clock};
use crate::cases::{contention, contract, histories, keys, scan, time_to_live, values, watch};

/// Names each case once: as a value, and as a test that the macro makes. The first token is a dollar sign, which an inner
/// macro could not have otherwise.
macro_rules! suite {
    ($d:tt $($module:ident { $($name:ident $([$($need:expr),+])?;)+ })+) => {
        /// Every case, in the order in which they are worth looking at.
        pub const CASES: &[Case] = &[$($(
            Case {
                name: stringify!($name),
                needs: &[$($($need),+)?],
                run: |subject| Box::pin($module::$name(subject)),
            },
        )+)+];

        /// Makes every case a test of the crate that calls it: `conformance!(factory)`, where `factory` is an async
        /// function without arguments that gives a new, empty [`Subject`](crate::Subject).
        ///
        /// What the backend cannot do has to be named as the [`Capability`](dayfly_kv::Capability) is, or `Clock` when the
        /// subject has none, or else a test fails: `conformance!(factory, without [Watch, WatchResume])`. So no case is
        /// left out in silence.
        #[macro_export]
        macro_rules! conformance {
            ($d factory:expr $d(, without [$d($d missing:ident),* $d(,)?])?) => {
                $($(
                    #[test]
                    fn $name() {
                        $crate::assert_case(stringify!($name), $d factory);
                    }
                )+)+

                #[test]
                fn what_is_excluded_is_declared() {
                    $crate::assert_exclusions(&[$d($d(stringify!($d missing)),*)?], $d factory);
                }
            };
        }
    };
}

suite! {
    $
    contract {
        put_absent_gives_an_etag_that_is_not_blank;
        put_absent_of_what_is_there_conflicts_and_changes_nothing;
        put_matches_takes_the_current_etag_and_no_older_one [Can(CompareAndSwap)];
        put_present_needs_something_to_be_there;
        deleting_what_is_not_there_is_false_and_with_a_wrong_etag_a_conflict;
        the_etag_of_a_put_is_that_of_the_next_get;
        no_etag_is_ever_given_twice;
        what_was_deleted_is_not_resurrected;
        the_mark_of_a_write_is_kept_and_replaced_by_the_next;
        many_are_read_in_order_with_empty_slots;
        each_namespace_has_its_own_entries;
        clearing_empties_one_namespace_and_no_other;
        a_namespace_that_is_opened_twice_is_the_same;
    }
    time_to_live {
        an_entry_is_there_at_its_deadline_and_gone_after_it [Can(TimeToLive), Clock];
        every_operation_agrees_on_what_has_expired [Can(TimeToLive), Can(Scan), Clock];
        every_write_replaces_the_deadline_and_no_read_moves_it [Can(TimeToLive), Clock];
        a_put_of_another_entry_for_ever_stays_for_ever [Can(TimeToLive), Clock];
        what_has_expired_is_absent_for_preconditions [Can(TimeToLive), Clock];
        a_sweep_removes_what_has_expired_and_nothing_else [Can(TimeToLive), Clock];
        no_time_to_live_is_too_short_or_too_long [Can(TimeToLive), Clock];
        a_clock_that_jumps_takes_nothing_away_that_stays [Can(TimeToLive), Clock];
        an_update_of_what_has_expired_begins_anew [Can(TimeToLive), Can(CompareAndSwap), Clock];
    }
    keys {
        hostile_keys_are_different_entries_and_come_back_as_they_were [Can(Scan)];
        hostile_namespaces_are_different_and_mix_with_no_other;
    }
    values {
        values_come_back_byte_by_byte;
        a_value_of_the_limit_is_taken_and_a_larger_one_refused;
    }
    scan {
        entries_are_listed_by_the_bytes_of_their_keys_each_once [Can(Scan)];
        a_prefix_and_a_beginning_leave_out_the_others [Can(Scan)];
        entries_that_stay_are_listed_whatever_comes_and_goes [Can(Scan)];
        a_limit_of_any_size_works [Can(Scan)];
        in_reverse_the_same_entries_are_listed_from_the_last_to_the_first [Can(Scan), Can(ReverseScan)];
        in_reverse_entries_that_stay_are_listed_whatever_comes_and_goes [Can(Scan), Can(ReverseScan)];
    }
    watch {
        changes_are_told_in_order_per_key [Can(Watch)];
        only_keys_of_the_prefix_are_told [Can(Watch)];
        each_who_watches_is_told_whoever_else_comes_and_goes [Can(Watch)];
        what_follows_a_cursor_is_told_or_a_gap [Can(Watch), Can(WatchResume)];
        a_cursor_that_is_none_is_a_gap [Can(Watch), Can(WatchResume)];
    }
    contention {
        one_of_many_who_put_absent_wins [Can(CompareAndSwap)];
        one_of_many_who_swap_the_same_etag_wins [Can(CompareAndSwap)];
        a_counter_that_many_update_counts_each [Can(CompareAndSwap)];
        one_of_many_who_claim_gets_it [Can(CompareAndSwap)];
        one_of_many_who_delete_the_same_etag_does [Can(CompareAndSwap)];
    }
    histories {
        concurrent_histories_are_linearizable [Can(CompareAndSwap)];
        histories_with_lost_answers_are_linearizable [Can(CompareAndSwap)];
    }
}
