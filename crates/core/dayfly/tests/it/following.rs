//! A coordinator follows its options while it works.

use std::time::Duration;

use dayfly::{AfterDeferral, Coordinator, CoordinatorOptions, OperationState, Reconfigure, SignalSink};
use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(8).queue_capacity(4);

fn passing(doors: &Doors, signals: &SignalSink, options: CoordinatorOptions) -> Coordinator<u32> {
    let doors = doors.clone();
    Coordinator::spawn(options, signals, move |_, _| {
        let doors = doors.clone();
        async move { doors.pass().await }
    })
}

async fn fill(work: &Coordinator<u32>, items: u32) {
    for number in 0..items {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
}

#[tokio::test(start_paused = true)]
async fn from_8_to_2_to_16_under_load_no_permit_is_lost() {
    let doors = Doors::shut();
    let work = passing(&doors, &SignalSink::default(), WORK.queue_capacity(100));
    fill(&work, 60).await;
    assert_eq!(doors.inside(), 8);
    work.reconfigure(&WORK.queue_capacity(100).max_concurrency(2)).unwrap();
    doors.let_out(10);
    settle().await;
    assert_eq!(doors.inside(), 2);
    work.reconfigure(&WORK.queue_capacity(100).max_concurrency(16)).unwrap();
    settle().await;
    assert_eq!((doors.inside(), doors.most()), (16, 16));
    doors.let_out(50);
    assert_eq!(work.drain().await.completed, 60);
}

#[tokio::test(start_paused = true)]
async fn a_larger_queue_lets_waiting_producers_in_and_a_smaller_one_drops_nothing() {
    let doors = Doors::shut();
    let work = passing(&doors, &SignalSink::default(), WORK.max_concurrency(1));
    fill(&work, 5).await;
    let mut producers = tokio::task::JoinSet::new();
    for number in 0..3 {
        let work = work.clone();
        producers.spawn(async move { work.enqueue(number).await.is_ok() });
    }
    settle().await;
    assert_eq!(work.stats().pending, 4);
    work.reconfigure(&WORK.max_concurrency(1).queue_capacity(6)).unwrap();
    settle().await;
    assert_eq!(work.stats().pending, 6, "as many as there is room for");
    work.reconfigure(&WORK.max_concurrency(1).queue_capacity(1)).unwrap();
    assert_eq!(work.stats().pending, 6, "what was accepted stays");
    doors.let_out(5);
    settle().await;
    assert!(work.try_enqueue(9).is_err());
    doors.let_out(9);
    assert_eq!(producers.join_all().await, [true; 3]);
    assert_eq!(work.drain().await.completed, 8);
}

#[tokio::test(start_paused = true)]
async fn the_window_follows_its_size() {
    let doors = Doors::shut();
    let work = passing(&doors, &SignalSink::default(), WORK);
    doors.let_out(4);
    fill(&work, 4).await;
    assert_eq!(work.window().len(), 4);
    work.reconfigure(&WORK.window_size(1)).unwrap();
    assert_eq!(work.window().len(), 1);
    work.drain().await;
}

#[tokio::test(start_paused = true)]
async fn a_shorter_deferral_is_followed_by_what_waits_already() {
    let (doors, signals) = (Doors::shut(), SignalSink::default());
    let gated = WORK.defer_on("wait");
    let work = passing(&doors, &signals, gated.clone());
    let _hold = signals.hold("wait");
    let id = work.enqueue(1).await.unwrap();
    settle().await;
    work.reconfigure(&gated.max_deferral(Duration::from_secs(5), AfterDeferral::Skip)).unwrap();
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert_eq!(work.get(id).unwrap().state, OperationState::Skipped);
}

#[tokio::test(start_paused = true)]
async fn what_holds_from_the_start_on_is_named_and_nothing_is_changed() {
    let work = passing(&Doors::shut(), &SignalSink::default(), WORK);
    for (options, name) in [
        (WORK.cancel_on("stop"), "cancel_on"),
        (WORK.drain_on("stop"), "drain_on"),
        (WORK.clear_on("a", "b"), "clear_on"),
        (WORK.max_concurrency_per_key(2), "max_concurrency_per_key"),
        (WORK.max_queued_per_key(2), "max_queued_per_key"),
        (WORK.burst(2), "burst"),
        (WORK.age_after(Duration::from_secs(1)), "age_after"),
    ] {
        let options = options.max_concurrency(3);
        assert_eq!(work.check(&options).unwrap_err().option, name);
        assert_eq!(work.reconfigure(&options).unwrap_err().option, name);
        assert_eq!(work.stats().max_concurrency, 8);
    }
    work.check(&WORK).unwrap();
}
