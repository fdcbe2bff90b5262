//! The machine against a file that changes and a watcher that tells of it, or does not.

use std::time::Duration;

use proptest::prelude::*;
use tokio::time::Instant;

use super::{Settle, Verdict};
use crate::contents::Fingerprint;
use crate::options::WatchOptions;

const QUIET: u64 = 100;
const WITHIN: u64 = 1_000;
const POLL: u64 = 5_000;

fn options() -> WatchOptions {
    let ms = Duration::from_millis;
    WatchOptions::new().settle(ms(QUIET)).settle_within(ms(WITHIN)).poll_every(ms(POLL))
}

/// A change of the file at a time, and whether the watcher tells of it.
type Change = (u64, u64, bool);

struct Run {
    /// Time, print, whether it was judged.
    readings: Vec<(u64, u64, bool)>,
}

/// Plays changes and unrelated hints, millisecond by millisecond, up to `end`.
fn play(changes: &[Change], hints: &[u64], end: u64) -> Run {
    let start = Instant::now();
    let mut machine = Settle::new(&options(), start, Fingerprint(0));
    let (mut content, mut readings) = (0, Vec::new());
    for now in 0..=end {
        let at = start + Duration::from_millis(now);
        for (_, print, is_told) in changes.iter().filter(|(time, ..)| *time == now) {
            content = *print;
            if *is_told {
                machine.hint(at);
            }
        }
        if hints.contains(&now) {
            machine.hint(at);
        }
        if machine.wants_reading(at) {
            let verdict = machine.read(at, Fingerprint(content));
            readings.push((now, content, verdict == Verdict::Judge));
        }
    }
    Run { readings }
}

/// The naive model: what the whole list of readings and hints says about the last of them.
fn naive(readings: &[(u64, u64, bool)], last: usize) -> bool {
    let (now, print, _) = readings[last];
    let known = readings[..last].iter().rev().find(|(.., judged)| *judged).map_or(0, |(_, print, _)| *print);
    if print == known {
        return false;
    }
    // The readings since something new stood there.
    let first = (0..last).rev().find(|at| readings[*at].2 || readings[*at].1 == known).map_or(0, |at| at + 1);
    if first == last {
        return false;
    }
    readings[last - 1].1 == print || now >= readings[first].0 + WITHIN
}

fn changes(most: u64) -> impl Strategy<Value = Vec<Change>> {
    proptest::collection::vec((0..most, 0..4_u64, any::<bool>()), 0..12).prop_map(|mut changes| {
        changes.sort_unstable();
        changes
    })
}

proptest! {
    #[test]
    fn it_judges_what_the_naive_model_judges(
        changes in changes(3_000),
        hints in proptest::collection::vec(0..4_000_u64, 0..40),
    ) {
        let run = play(&changes, &hints, 12_000);
        for last in 0..run.readings.len() {
            prop_assert_eq!(run.readings[last].2, naive(&run.readings, last), "{:?} of {:?}", last, run.readings);
        }
    }

    #[test]
    fn the_last_content_is_judged_in_the_end_and_none_twice_in_a_row(
        changes in changes(3_000),
        hints in proptest::collection::vec(0..4_000_u64, 0..40),
    ) {
        // Everything has been told or polled for by then, and has settled.
        let run = play(&changes, &hints, 4_000 + POLL + WITHIN + 2 * QUIET);
        let judged: Vec<u64> = run.readings.iter().filter(|(.., judged)| *judged).map(|(_, print, _)| *print).collect();
        let last = changes.last().map_or(0, |(_, print, _)| *print);
        prop_assert_eq!(judged.last().copied().unwrap_or(0), last);
        let known: Vec<u64> = std::iter::once(0).chain(judged).collect();
        prop_assert!(known.windows(2).all(|pair| pair[0] != pair[1]), "{:?}", known);
    }

    #[test]
    fn a_told_change_is_judged_within_its_bound(
        changes in changes(3_000),
        hints in proptest::collection::vec(0..4_000_u64, 0..40),
        time in 3_000..4_000_u64,
    ) {
        let mut changes = changes;
        changes.push((time, 9, true));
        let run = play(&changes, &hints, 8_000);
        let judged = run.readings.iter().find(|(_, print, judged)| *judged && *print == 9);
        let (at, ..) = judged.expect("it is judged");
        prop_assert!(*at <= time + WITHIN + 2 * QUIET, "told at {time}, judged at {at}");
    }

    #[test]
    fn however_many_hints_come_readings_are_bounded(hints in proptest::collection::vec(0..4_000_u64, 0..2_000)) {
        let run = play(&[], &hints, 4_000);
        prop_assert!(run.readings.len() as u64 <= 4_000 / QUIET + 1, "{}", run.readings.len());
    }
}

#[test]
fn a_content_counts_when_it_stood_still_for_the_quiet_time() {
    let run = play(&[(10, 1, true), (60, 2, true), (120, 3, true)], &[], 1_000);
    // Read at the first event, again a quiet time after the last one, and once more to see that it stands still.
    assert_eq!(run.readings, [(10, 1, false), (220, 3, false), (320, 3, true)]);
}

#[test]
fn a_content_that_never_stands_still_counts_at_its_bound() {
    let changes: Vec<Change> = (0..200).map(|step| (step * 50, step + 1, true)).collect();
    let run = play(&changes, &[], 2_500);
    let judged: Vec<u64> = run.readings.iter().filter(|(.., judged)| *judged).map(|(at, ..)| *at).collect();
    assert_eq!(judged, [WITHIN, WITHIN + QUIET + WITHIN]);
}

#[test]
fn what_nobody_told_of_is_found_by_the_poll() {
    let run = play(&[(10, 1, false)], &[], POLL + 2 * QUIET);
    assert_eq!(run.readings, [(POLL, 1, false), (POLL + QUIET, 1, true)]);
}

#[test]
fn no_duration_overflows() {
    let options = options().settle(Duration::MAX).settle_within(Duration::MAX).poll_every(Duration::MAX);
    let now = Instant::now();
    let mut machine = Settle::new(&options, now, Fingerprint(0));
    machine.hint(now);
    assert_eq!(machine.read(now, Fingerprint(1)), Verdict::Wait);
    machine.hint(now);
    assert!(!machine.wants_reading(now + Duration::from_secs(1)));
}
