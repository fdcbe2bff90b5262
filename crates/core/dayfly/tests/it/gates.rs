//! Signals gate starts: by event, from the state, right before each start.

use std::time::Duration;

use dayfly::{
    Coordinator, CoordinatorOptions, Draft, KeyedCoordinator, OperationState, SignalOptions, SignalSink,
};
use tokio::time::Instant;

use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

fn gated(options: CoordinatorOptions, signals: &SignalSink) -> Coordinator<u32> {
    Coordinator::spawn(options, signals, |_, _| async {})
}

#[tokio::test(start_paused = true)]
async fn deferred_work_starts_when_the_signal_is_retracted_without_the_clock() {
    let signals = SignalSink::default();
    let work = gated(WORK.defer_on("backpressure.*"), &signals);
    signals.raise("backpressure.disk");
    let start = Instant::now();
    work.enqueue(1).await.unwrap();
    settle().await;
    assert_eq!(work.stats().pending, 1);
    signals.retract("backpressure.disk");
    assert_eq!(work.drain().await.completed, 1);
    assert_eq!(Instant::now(), start);
}

#[tokio::test(start_paused = true)]
async fn deferred_work_starts_when_the_signal_ages_out() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(30)));
    let work = gated(WORK.defer_on("busy"), &signals);
    signals.raise("busy");
    let start = Instant::now();
    work.enqueue(1).await.unwrap();
    assert_eq!(work.drain().await.completed, 1);
    assert_eq!(Instant::now() - start, Duration::from_secs(30));
}

#[tokio::test(start_paused = true)]
async fn a_hold_defers_until_it_is_dropped() {
    let signals = SignalSink::default();
    let work = gated(WORK.defer_on("circuit.open.*"), &signals);
    let hold = signals.hold("circuit.open.bank");
    work.enqueue(1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert_eq!(work.stats().pending, 1);
    drop(hold);
    assert_eq!(work.drain().await.completed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_newer_resume_lifts_a_deferral() {
    let signals = SignalSink::default();
    let work = gated(WORK.defer_on("busy").resume_on("relief"), &signals);
    signals.raise("relief");
    signals.raise("busy");
    work.enqueue(1).await.unwrap();
    settle().await;
    assert_eq!(work.stats().pending, 1, "the resume is older than the deferral");
    signals.raise("relief");
    settle().await;
    assert_eq!(work.stats().completed, 1);
    signals.raise("busy");
    work.enqueue(2).await.unwrap();
    settle().await;
    assert_eq!(work.stats().pending, 1);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_signal_skips_new_work_and_counts_it() {
    let signals = SignalSink::default();
    let work = gated(WORK.cancel_on("shutdown"), &signals);
    work.enqueue(1).await.unwrap();
    settle().await;
    signals.raise("shutdown");
    let skipped = work.enqueue(2).await.unwrap();
    let report = work.drain().await;
    assert_eq!((report.completed, report.skipped), (1, 1));
    assert_eq!(work.get(skipped).unwrap().state, OperationState::Skipped);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_signal_reaches_deferred_work() {
    let signals = SignalSink::default();
    let work = gated(WORK.defer_on("busy").cancel_on("shutdown"), &signals);
    let _busy = signals.hold("busy");
    work.enqueue(1).await.unwrap();
    settle().await;
    signals.raise("shutdown");
    assert_eq!(work.drain().await.skipped, 1);
}

#[tokio::test(start_paused = true)]
async fn a_keyed_signal_gates_its_key_only() {
    let signals = SignalSink::default();
    let options = WORK.defer_on("busy").cancel_on("stop");
    let work = KeyedCoordinator::spawn(options, &signals, |key: &u32| *key, |_, _| async {});
    signals.raise(Draft::from("busy").key("7"));
    signals.raise(Draft::from("stop").key("8"));
    for key in [6, 7, 8] {
        work.enqueue(key).await.unwrap();
    }
    settle().await;
    let stats = work.stats();
    assert_eq!((stats.completed, stats.skipped, stats.pending), (1, 1, 1));
    signals.retract(Draft::from("busy").key("7"));
    let report = work.drain().await;
    assert_eq!((report.completed, report.skipped), (2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deferral_that_begins_while_work_runs_holds_back_the_next_start() {
    let signals = SignalSink::default();
    let raiser = signals.clone();
    let work =
        Coordinator::spawn(WORK.max_concurrency(1).defer_on("busy"), &signals, move |number: u32, _| {
            let signals = raiser.clone();
            async move {
                if number == 1 {
                    signals.raise("busy");
                }
            }
        });
    for number in 0..4 {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
    let stats = work.stats();
    assert_eq!((stats.completed, stats.pending), (2, 2));
    signals.clear();
    assert_eq!(work.drain().await.completed, 4);
}

#[tokio::test(start_paused = true)]
async fn a_drain_signal_closes_an_idle_coordinator_and_not_one_that_came_later() {
    let signals = SignalSink::default();
    let before = gated(WORK.drain_on("deploy.*"), &signals);
    before.enqueue(1).await.unwrap();
    signals.raise("deploy.now");
    assert!(before.enqueue(2).await.is_err());
    let after = gated(WORK.drain_on("deploy.*"), &signals);
    after.enqueue(1).await.unwrap();
    assert_eq!((before.drain().await.completed, after.drain().await.completed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_clear_signal_clears_what_its_rule_lists_and_nothing_else() {
    let signals = SignalSink::default();
    let work = gated(WORK.defer_on("backpressure.*").clear_on("relief", "backpressure.*, load"), &signals);
    for name in ["backpressure.disk", "load", "kept"] {
        signals.raise(name);
    }
    work.enqueue(1).await.unwrap();
    settle().await;
    assert_eq!(work.stats().pending, 1);
    signals.raise("relief");
    assert_eq!(work.drain().await.completed, 1);
    assert!(!signals.has("backpressure.*, load") && signals.is_raised("kept") && signals.is_raised("relief"));
}

#[tokio::test(start_paused = true)]
async fn a_maximum_deferral_runs_or_skips_what_waited_for_so_long() {
    use dayfly::AfterDeferral::{Run, Skip};
    for (then, completed, skipped) in [(Run, 3, 0), (Skip, 0, 3)] {
        let signals = SignalSink::default();
        let options = WORK.max_concurrency(1).defer_on("busy").max_deferral(Duration::from_secs(10), then);
        let work = gated(options, &signals);
        let start = Instant::now();
        work.pause();
        work.enqueue(1).await.unwrap();
        tokio::time::advance(Duration::from_secs(60)).await;
        let _busy = signals.hold("busy");
        work.resume();
        settle().await;
        assert_eq!(work.stats().pending, 1, "a pause is no deferral");
        work.enqueue(2).await.unwrap();
        tokio::time::sleep(Duration::from_secs(4)).await;
        work.enqueue(3).await.unwrap();
        tokio::time::sleep(Duration::from_secs(5)).await;
        assert_eq!(work.stats().pending, 3);
        tokio::time::sleep(Duration::from_secs(1)).await;
        settle().await;
        assert_eq!(work.stats().pending, 1, "two have waited for ten seconds, one for six");
        let report = work.drain().await;
        assert_eq!((report.completed, report.skipped), (completed, skipped));
        assert_eq!(Instant::now() - start, Duration::from_secs(74));
    }
}

#[tokio::test(start_paused = true)]
async fn a_maximum_deferral_counts_for_single_keys_too() {
    let signals = SignalSink::default();
    let options = WORK.defer_on("busy").max_deferral(Duration::from_secs(10), dayfly::AfterDeferral::Run);
    let work = KeyedCoordinator::spawn(options, &signals, |key: &u32| *key, |_, _| async {});
    let start = Instant::now();
    let _seven = signals.hold(Draft::from("busy").key("7"));
    work.enqueue(7).await.unwrap();
    work.enqueue(8).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!((work.stats().completed, work.stats().pending), (1, 1));
    let _nine = signals.hold(Draft::from("busy").key("9"));
    work.enqueue(9).await.unwrap();
    tokio::time::sleep(Duration::from_secs(5)).await;
    settle().await;
    assert_eq!(
        (work.stats().completed, work.stats().pending),
        (2, 1),
        "a new deferral prolongs no older one"
    );
    work.drain().await;
    assert_eq!(Instant::now() - start, Duration::from_secs(15));
}

#[tokio::test(start_paused = true)]
async fn a_maximum_deferral_counts_on_when_another_signal_takes_over() {
    let signals = SignalSink::default();
    let options = WORK.defer_on("busy").max_deferral(Duration::from_secs(10), dayfly::AfterDeferral::Run);
    let work = KeyedCoordinator::spawn(options, &signals, |key: &u32| *key, |_, _| async {});
    let start = Instant::now();
    let seven = signals.hold(Draft::from("busy").key("7"));
    work.enqueue(7).await.unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    let _all = signals.hold("busy");
    drop(seven);
    assert_eq!(work.drain().await.completed, 1);
    assert_eq!(Instant::now() - start, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_keyed_cancel_signal_skips_its_key_only() {
    let signals = SignalSink::default();
    let work = KeyedCoordinator::spawn(WORK.cancel_on("stop"), &signals, |key: &u32| *key, |_, _| async {});
    signals.raise(Draft::from("stop").key("1"));
    for key in [1, 2, 1, 3] {
        work.enqueue(key).await.unwrap();
    }
    let report = work.drain().await;
    assert_eq!((report.completed, report.skipped), (2, 2));
    let skipped = work.window().into_iter().filter(|operation| operation.state == OperationState::Skipped);
    assert!(skipped.map(|operation| operation.key).eq([1, 1]));
}

#[tokio::test(start_paused = true)]
async fn what_is_skipped_needs_no_slot() {
    let signals = SignalSink::default();
    let doors = Doors::shut();
    let body = doors.clone();
    let options = WORK.max_concurrency(1).queue_capacity(4).cancel_on("stop");
    let work = Coordinator::spawn(options, &signals, move |(), _| {
        let doors = body.clone();
        async move { doors.pass().await }
    });
    for _ in 0..4 {
        work.enqueue(()).await.unwrap();
    }
    settle().await;
    signals.raise("stop");
    settle().await;
    assert_eq!((work.stats().running, work.stats().skipped), (1, 3));
    for _ in 0..10 {
        work.enqueue(()).await.unwrap();
    }
    settle().await;
    assert_eq!((work.stats().running, work.stats().skipped), (1, 13), "nor does what comes later");

    signals.retract("stop");
    work.enqueue(()).await.unwrap();
    settle().await;
    assert_eq!((doors.inside(), work.stats().pending), (1, 1), "what is not skipped does");
    doors.let_out(2);
    let report = work.drain().await;
    assert_eq!((report.completed, report.skipped, doors.most()), (2, 13, 1));
}

#[tokio::test(start_paused = true)]
async fn a_pause_comes_before_a_cancel_signal() {
    let signals = SignalSink::default();
    let work = gated(WORK.cancel_on("stop"), &signals);
    work.pause();
    signals.raise("stop");
    work.enqueue(1).await.unwrap();
    settle().await;
    assert_eq!((work.stats().skipped, work.stats().pending), (0, 1));
    signals.retract("stop");
    work.resume();
    assert_eq!(work.drain().await.completed, 1);
}
