//! Figures of coordinators: exact to the last operation, without keeping anything open, and without a key in any label.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dayfly::{
    Coordinator, CoordinatorOptions, KeyedCoordinator, LaneOptions, Operation, PriorityCoordinator,
    ResultCoordinator, SignalSink, Stats, StatsHandle,
};
use dayfly_telemetry::{InMemory, MetricUnit, MetricValue, TelemetryOptions};
use dayfly_testing::settle;
use tokio::sync::Semaphore;
use tokio::time::sleep;

use crate::support::{counted, reporting};

const SECOND: Duration = Duration::from_secs(1);
const WORK: CoordinatorOptions = CoordinatorOptions::new();
const OPERATIONS: &str = "dayfly.coordinator.operations";
const ACTIVE: &str = "dayfly.coordinator.active_operations";
const QUEUE: &str = "dayfly.coordinator.queue.size";
const IN_QUEUE: &str = "dayfly.coordinator.operation.time_in_queue";
const DURATION: &str = "dayfly.coordinator.operation.duration";

fn ended(seen: &InMemory, outcome: &str) -> u64 {
    counted(seen, OPERATIONS, &[("outcome", outcome)])
}

/// Bodies that wait to be let out.
fn held(signals: &SignalSink) -> (Coordinator<u32>, Arc<Semaphore>) {
    let exits = Arc::new(Semaphore::new(0));
    let exit = exits.clone();
    let work = Coordinator::spawn(WORK.max_concurrency(2), signals, move |_, _| {
        let exit = exit.clone();
        async move { exit.acquire().await.unwrap().forget() }
    });
    (work, exits)
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_counted_by_outcome() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let options = WORK.cancel_on("stop");
    let work = Coordinator::spawn(options, &signals, |item: u32, op: Operation| async move {
        match item {
            1 => op.fail("no"),
            2 => panic!("the body gives up"),
            3 if op.attempt() == 1 => op.again(3, SECOND),
            _ => op.done(),
        }
    });
    telemetry.watch("mixed", &work);
    for item in [0, 1, 2, 3] {
        work.enqueue(item).await.unwrap();
    }
    work.idle().await;
    signals.raise("stop");
    work.enqueue(0).await.unwrap();
    work.drain().await;
    telemetry.flush().await;
    let outcomes = ["completed", "failed", "panicked", "skipped", "cancelled"];
    assert_eq!(outcomes.map(|outcome| ended(&seen, outcome)), [2, 1, 1, 1, 0]);
    assert!(
        seen.metrics().iter().all(|metric| {
            metric.labels.iter().all(|(label, _)| ["coordinator", "outcome"].contains(label))
        })
    );
}

#[tokio::test(start_paused = true)]
async fn levels_are_those_of_the_moment() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let (work, exits) = held(&signals);
    telemetry.watch("held", &work);
    for item in 0..5 {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    telemetry.flush().await;
    assert_eq!((seen.values(ACTIVE), seen.values(QUEUE)), (vec![2.0], vec![3.0]));
    exits.add_permits(5);
    work.drain().await;
    telemetry.flush().await;
    assert_eq!((seen.values(ACTIVE)[1], seen.values(QUEUE)[1]), (0.0, 0.0));
}

#[tokio::test(start_paused = true)]
async fn every_operation_tells_how_long_it_waited_and_worked() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let work = Coordinator::spawn(WORK.max_concurrency(1), &signals, |seconds: u32, _| async move {
        sleep(SECOND * seconds).await;
    });
    telemetry.watch("sleep", &work);
    for seconds in [1, 2, 3] {
        work.enqueue(seconds).await.unwrap();
    }
    work.drain().await;
    telemetry.flush().await;
    assert_eq!(seen.values(IN_QUEUE), [0.0, 1.0, 3.0]);
    assert_eq!(seen.values(DURATION), [1.0, 2.0, 3.0]);
    let metrics = seen.metrics();
    let duration = metrics.iter().find(|metric| metric.name == DURATION).unwrap();
    assert_eq!((duration.get("coordinator"), duration.get("outcome")), (Some("sleep"), Some("completed")));
    assert_eq!(duration.unit, MetricUnit::Seconds);
    assert!(matches!(duration.value, MetricValue::Histogram(_)));
}

#[tokio::test(start_paused = true)]
async fn a_further_attempt_tells_no_time_in_the_queue() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let work = Coordinator::spawn(WORK, &signals, |(), op: Operation| async move {
        sleep(SECOND).await;
        if op.attempt() == 1 { op.again((), 10 * SECOND) } else { op.done::<_, Infallible>() }
    });
    telemetry.watch("again", &work);
    work.enqueue(()).await.unwrap();
    work.drain().await;
    telemetry.flush().await;
    assert_eq!((seen.values(IN_QUEUE), seen.values(DURATION)), (vec![], vec![1.0]));
}

#[tokio::test(start_paused = true)]
async fn without_durations_nothing_is_told_of_single_operations() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().durations(false));
    let work = Coordinator::spawn(WORK, &signals, |(), _| async {});
    telemetry.watch("plain", &work);
    work.enqueue(()).await.unwrap();
    work.drain().await;
    telemetry.flush().await;
    assert_eq!((seen.values(DURATION).len(), ended(&seen, "completed")), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn more_ends_than_wait_for_the_interval_are_reported_before_it() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().queue_capacity(10));
    let work = Coordinator::spawn(WORK, &signals, |(), _| async {});
    telemetry.watch("many", &work);
    for round in 1..=20 {
        for _ in 0..5 {
            work.enqueue(()).await.unwrap();
        }
        work.idle().await;
        settle().await;
        assert_eq!(seen.values(DURATION).len(), 5 * round);
    }
    assert_eq!((telemetry.figures().reports, telemetry.figures().ends_dropped), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn ends_beyond_the_bound_are_dropped_and_counted_and_the_counts_stay_exact() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().queue_capacity(4));
    let work = Coordinator::spawn(WORK, &signals, |(), _| async {});
    telemetry.watch("burst", &work);
    work.pause();
    for _ in 0..100 {
        work.enqueue(()).await.unwrap();
    }
    work.resume();
    work.drain().await;
    telemetry.flush().await;
    let told = seen.values(DURATION).len() as u64;
    assert!(told < 100, "{told}");
    assert_eq!(told + telemetry.figures().ends_dropped, 100);
    assert_eq!(ended(&seen, "completed"), 100);
}

#[tokio::test(start_paused = true)]
async fn every_kind_of_coordinator_can_be_watched() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let keyed = KeyedCoordinator::spawn(WORK, &signals, |key: &String| key.clone(), |_, _| async {});
    let lanes = [LaneOptions::new("urgent")];
    let lanes = PriorityCoordinator::spawn(WORK, lanes, &signals, |_: u32, _| async {}).unwrap();
    let results =
        ResultCoordinator::spawn(WORK, &signals, |item: u32, _| async move { Ok::<_, Infallible>(item) });
    telemetry.watch("keyed", &keyed);
    telemetry.watch("lanes", &lanes);
    telemetry.watch("results", &results);
    keyed.enqueue("secret-customer".to_owned()).await.unwrap();
    lanes.enqueue("urgent", 1).await.unwrap();
    results.submit(1).await.unwrap().await.unwrap();
    keyed.drain().await;
    lanes.drain().await;
    results.drain().await;
    telemetry.shutdown().await;
    for name in ["keyed", "lanes", "results"] {
        assert_eq!(
            counted(&seen, OPERATIONS, &[("coordinator", name), ("outcome", "completed")]),
            1,
            "{name}"
        );
    }
    assert!(!format!("{:?}", seen.metrics()).contains("secret-customer"));
}

#[tokio::test(start_paused = true)]
async fn watching_keeps_nothing_open_and_loses_nothing_of_what_ends_later() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let (work, exits) = held(&signals);
    telemetry.watch("held", &work);
    for item in 0..3 {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    drop(work);
    telemetry.flush().await;
    assert_eq!((ended(&seen, "completed"), telemetry.figures().watched), (0, 1));
    exits.add_permits(3);
    settle().await;
    telemetry.flush().await;
    assert_eq!(ended(&seen, "completed"), 3);
    assert_eq!(telemetry.figures().watched, 0, "what has ended is forgotten");
    assert_eq!(Arc::strong_count(&exits), 1, "and so is its body");
}

#[tokio::test(start_paused = true)]
async fn another_one_under_the_same_name_takes_the_place_and_loses_no_count() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let plain = || Coordinator::spawn(WORK, &signals, |(), _| async {});
    let (first, second) = (plain(), plain());
    telemetry.watch("work", &first);
    first.enqueue(()).await.unwrap();
    first.idle().await;
    telemetry.watch("work", &second);
    settle().await;
    assert_eq!(ended(&seen, "completed"), 1, "the first one is reported at once");
    second.enqueue(()).await.unwrap();
    second.idle().await;
    first.enqueue(()).await.unwrap();
    first.idle().await;
    telemetry.flush().await;
    assert_eq!((ended(&seen, "completed"), telemetry.figures().watched), (2, 1));
    assert_eq!(seen.values(DURATION).len(), 2, "nobody asks for the first one any more");
}

#[tokio::test(start_paused = true)]
async fn what_is_watched_twice_is_told_once() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let work = Coordinator::spawn(WORK, &signals, |(), _| async {});
    for _ in 0..10 {
        telemetry.watch("work", &work);
    }
    settle().await;
    work.enqueue(()).await.unwrap();
    work.drain().await;
    telemetry.flush().await;
    assert_eq!((seen.values(DURATION).len(), ended(&seen, "completed")), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_let_go_is_reported_once_more_and_leaves_no_level_behind() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let (work, exits) = held(&signals);
    telemetry.watch("held", &work);
    work.enqueue(1).await.unwrap();
    settle().await;
    telemetry.flush().await;
    assert!(telemetry.unwatch("held") && !telemetry.unwatch("held") && !telemetry.unwatch("other"));
    settle().await;
    assert_eq!(seen.values(ACTIVE), [1.0, 0.0]);
    exits.add_permits(1);
    work.drain().await;
    telemetry.flush().await;
    assert_eq!((ended(&seen, "completed"), telemetry.figures().watched), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn any_figures_can_be_watched_and_who_panics_is_asked_no_more() {
    let (_, telemetry, seen) = reporting(TelemetryOptions::new());
    telemetry.watch_stats(
        "good",
        StatsHandle::new(|| {
            let mut stats = Stats::default();
            stats.completed = 7;
            stats
        }),
    );
    telemetry.watch_stats("bad", StatsHandle::new(|| panic!("no figures today")));
    telemetry.flush().await;
    assert_eq!(counted(&seen, OPERATIONS, &[("coordinator", "good")]), 7);
    let figures = telemetry.figures();
    assert_eq!((figures.watched, figures.failed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn what_is_watched_after_the_end_is_forgotten_at_once() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    telemetry.shutdown().await;
    let (work, exits) = held(&signals);
    telemetry.watch("late", &work);
    assert_eq!(telemetry.figures().watched, 0);
    exits.add_permits(1);
    work.enqueue(1).await.unwrap();
    work.drain().await;
    assert!(seen.metrics().is_empty());
}
