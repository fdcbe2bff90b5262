//! Figures are reported at each interval of Tokio's clock, and once more at the end.

use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, Reconfigure, SignalSink};
use dayfly_telemetry::{InMemory, TelemetryOptions};
use dayfly_testing::settle;
use tokio::time::advance;

use crate::support::{counted, reporting};

const SECOND: Duration = Duration::from_secs(1);
const OPERATIONS: &str = "dayfly.coordinator.operations";

fn work() -> Coordinator<u32> {
    Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), |_, _| async {})
}

async fn step(by: Duration) {
    advance(by).await;
    settle().await;
}

fn completed(seen: &InMemory) -> u64 {
    counted(seen, OPERATIONS, &[("outcome", "completed")])
}

#[tokio::test(start_paused = true)]
async fn figures_come_at_each_interval_and_not_before() {
    let (_, telemetry, seen) = reporting(TelemetryOptions::new().interval(10 * SECOND));
    let work = work();
    telemetry.watch("x", &work);
    for round in 1..=3 {
        work.enqueue(1).await.unwrap();
        step(9 * SECOND).await;
        assert_eq!((completed(&seen), telemetry.figures().reports), (round - 1, round - 1));
        step(SECOND).await;
        assert_eq!((completed(&seen), telemetry.figures().reports), (round, round));
    }
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_signals_does_not_hold_up_the_figures() {
    let (signals, telemetry, seen) =
        reporting(TelemetryOptions::new().interval(SECOND).queue_capacity(1_000_000));
    let work = work();
    telemetry.watch("x", &work);
    work.enqueue(1).await.unwrap();
    settle().await;
    for _ in 0..10_000 {
        signals.raise("a");
    }
    advance(SECOND).await;
    while completed(&seen) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(telemetry.figures().queued > 0, "the figures came before the rest of the flood");
}

#[tokio::test(start_paused = true)]
async fn the_interval_follows_its_option_from_the_last_report_on() {
    let (_, telemetry, _) = reporting(TelemetryOptions::new().interval(100 * SECOND));
    settle().await;
    step(30 * SECOND).await;
    telemetry.reconfigure(&TelemetryOptions::new().interval(20 * SECOND)).unwrap();
    settle().await;
    assert_eq!(telemetry.figures().reports, 1, "it was due ten seconds ago");
    step(19 * SECOND).await;
    assert_eq!(telemetry.figures().reports, 1);
    step(SECOND).await;
    assert_eq!(telemetry.figures().reports, 2);
}

#[tokio::test(start_paused = true)]
async fn an_interval_beyond_the_clock_means_at_the_end_only() {
    let (_, telemetry, seen) = reporting(TelemetryOptions::new().interval(Duration::MAX));
    let work = work();
    telemetry.watch("x", &work);
    work.enqueue(1).await.unwrap();
    step(1_000_000 * SECOND).await;
    assert_eq!(telemetry.figures().reports, 0);
    telemetry.shutdown().await;
    assert_eq!((telemetry.figures().reports, completed(&seen)), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn after_a_long_stop_there_is_one_report_and_not_one_for_each_missed_interval() {
    let (_, telemetry, _) = reporting(TelemetryOptions::new().interval(SECOND));
    settle().await;
    step(1_000 * SECOND).await;
    assert_eq!(telemetry.figures().reports, 1);
}

#[tokio::test(start_paused = true)]
async fn the_end_reports_what_no_interval_has() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let work = work();
    telemetry.watch("x", &work);
    work.enqueue(1).await.unwrap();
    work.drain().await;
    signals.raise("a");
    let figures = telemetry.shutdown().await;
    assert_eq!((figures.reports, figures.watched), (1, 0));
    assert_eq!((completed(&seen), counted(&seen, "dayfly.signal.raised", &[])), (1, 1));
    assert_eq!(seen.values("dayfly.coordinator.operation.duration").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_holds_from_the_start_on_cannot_be_changed() {
    let (_, telemetry, _) = reporting(TelemetryOptions::new());
    let fixed = telemetry.reconfigure(&TelemetryOptions::new().signals("a.*")).unwrap_err();
    assert_eq!(fixed.option, "signals");
    let fixed = telemetry.check(&TelemetryOptions::new().durations(false)).unwrap_err();
    assert_eq!(fixed.option, "durations");
    assert!(telemetry.reconfigure(&TelemetryOptions::new().sample("*", 2).max_series(1)).is_ok());
}
