//! What is played, each with what must hold afterwards.

mod again;
mod batching;
mod breaker;
mod crews;
mod ending;
mod gates;
mod handover;
mod in_place;
mod keyed;
mod kill;
mod lanes;
mod limit;
mod line;
mod locks;
mod loops;
mod parking;
mod places;
mod rate;
mod tickets;

use dayfly::CoordinatorOptions;

/// One of them.
#[derive(Debug)]
pub struct Scenario {
    /// What it is called.
    pub name: &'static str,
    /// One schedule of it.
    pub run: fn(),
}

/// All of them.
pub const SCENARIOS: [Scenario; 50] = [
    Scenario { name: "close_while_producers_wait", run: || play(ending::close_while_producers_wait()) },
    Scenario { name: "drain_while_bodies_run", run: || play(ending::drain_while_bodies_run()) },
    Scenario { name: "cancel_while_claims_are_in_flight", run: || play(ending::cancel_in_flight()) },
    Scenario { name: "again_then_drain", run: || play(again::again_then_drain()) },
    Scenario { name: "resize_8_2_8", run: || play(limit::resize()) },
    Scenario { name: "limit_that_rises", run: || play(limit::rise()) },
    Scenario { name: "pause_and_resume", run: || play(limit::pause_and_resume()) },
    Scenario { name: "defer_and_retract", run: || play(gates::defer_and_retract()) },
    Scenario { name: "parked_and_hastened", run: || play(parking::hastened()) },
    Scenario { name: "parked_and_given_up", run: || play(parking::given_up()) },
    Scenario { name: "crew_that_stays", run: || play(crews::stays()) },
    Scenario { name: "crew_that_goes", run: || play(crews::goes()) },
    Scenario { name: "call_in_place_while_it_ends", run: || play(in_place::called_while_it_ends()) },
    Scenario { name: "call_in_place_is_killed", run: || play(in_place::killed()) },
    Scenario { name: "call_in_place_while_the_limit_changes", run: || play(in_place::resized()) },
    Scenario { name: "loop_that_is_cancelled", run: || play(loops::cancelled()) },
    Scenario { name: "loop_that_cancels_itself", run: || play(loops::cancelled_by_its_body()) },
    Scenario { name: "loop_that_is_dropped", run: || play(loops::dropped()) },
    Scenario { name: "lanes_shut_and_opened", run: || play(lanes::shut_and_opened()) },
    Scenario { name: "keyed_pause_of_one", run: || play(keyed::pause_one()) },
    Scenario { name: "keyed_order_under_two_workers", run: || play(keyed::order()) },
    Scenario { name: "keyed_places_of_keys_that_come_and_go", run: || play(keyed::come_and_go()) },
    Scenario { name: "kill_ends_exactly_once", run: || play(kill::exactly_one_end()) },
    Scenario { name: "dropped_enqueues_lose_no_place", run: || play(places::dropped_enqueues()) },
    Scenario { name: "room_that_is_told", run: || play(places::room_that_is_told()) },
    Scenario { name: "enter_a_line_while_it_opens", run: || play(line::enter_while_it_opens()) },
    Scenario { name: "each_ticket_is_answered_once", run: || play(tickets::answered_once()) },
    Scenario { name: "permits_while_the_limit_changes", run: || play(handover::resize()) },
    Scenario { name: "permits_of_who_gives_up", run: || play(handover::giving_up()) },
    Scenario { name: "permits_of_who_sleeps", run: || play(handover::sleepers()) },
    Scenario { name: "permits_per_key", run: || play(handover::keys()) },
    Scenario { name: "locks_of_several_keys", run: || play(locks::several_keys()) },
    Scenario { name: "breaker_probes_of_ten_callers", run: || play(breaker::ten_callers()) },
    Scenario { name: "breaker_generations", run: || play(breaker::generations()) },
    Scenario { name: "breaker_asked_while_it_closes", run: || play(breaker::asked_while_it_closes()) },
    Scenario { name: "breaker_window_counts", run: || play(breaker::window_counts()) },
    Scenario { name: "breaker_window_is_enough", run: || play(breaker::window_is_enough()) },
    Scenario { name: "breaker_tells_how_it_is", run: || play(breaker::tells_how_it_is()) },
    Scenario { name: "calls_run_in_place", run: || play(tickets::called_in_place()) },
    Scenario { name: "batch_close_while_flushing", run: || play(batching::close_while_flushing()) },
    Scenario {
        name: "batch_line_longer_than_the_queue",
        run: || play(batching::line_longer_than_the_queue()),
    },
    Scenario { name: "batch_push_races_the_deadline", run: || play(batching::push_races_the_deadline()) },
    Scenario { name: "batch_dropped_submitters", run: || play(batching::dropped_submitters()) },
    Scenario { name: "rate_of_who_gives_up", run: || play(rate::giving_up()) },
    Scenario { name: "rate_while_it_changes", run: || play(rate::changes()) },
    Scenario { name: "rate_of_who_sleeps", run: || play(rate::sleepers()) },
    Scenario { name: "rate_of_two_keys_has_one_alarm", run: || play(rate::alarms()) },
    Scenario { name: "rate_alarm_that_two_set", run: || play(rate::alarm_of_two()) },
    Scenario { name: "rate_tells_of_pauses_as_they_are", run: || play(rate::tells_how_it_is()) },
    Scenario { name: "batch_cancel_in_flight", run: || play(batching::cancel_in_flight()) },
];

/// How many workers the runtime has: as many starts may slip through while a control is on its way.
const WORKERS: usize = 2;

/// The options that scenarios begin with.
const WORK: CoordinatorOptions = CoordinatorOptions::new();

fn play(scenario: impl Future<Output = ()>) {
    tokio::reset();
    shuttle::future::block_on(async {
        scenario.await;
        // Once it has come to its end, an engine leaves no task behind.
        tokio::runtime::settled().await;
    });
}
