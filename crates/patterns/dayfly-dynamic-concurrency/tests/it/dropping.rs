//! Futures that are dropped at every moment.

use std::time::Duration;

use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions, Judgement};
use dayfly_signal::SignalSink;
use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::task::yield_now;
use tokio::time::sleep;

const OPTIONS: AdaptiveLimitOptions = AdaptiveLimitOptions::new().min_samples(1).window(Duration::ZERO);

fn limit() -> AdaptiveLimit {
    AdaptiveLimit::unbound(OPTIONS, &SignalSink::default())
}

async fn call() -> Result<(), &'static str> {
    yield_now().await;
    sleep(Duration::from_millis(10)).await;
    Ok(())
}

/// Nothing is in flight any more, and a window was judged if and only if the call came to its end.
async fn only_what_ended_was_heard(limit: AdaptiveLimit, point: DropPoint) {
    let stats = limit.stats();
    assert_eq!((stats.in_flight, stats.windows), (0, u64::from(point == DropPoint::Completed)));
    limit.measure(call()).await.unwrap();
    assert_eq!(limit.stats().in_flight, 0);
}

#[test]
fn a_measured_call_that_is_dropped_is_in_flight_no_more_and_says_nothing() {
    let report = drop_at_every_poll(
        limit,
        |limit| async move { limit.measure(call()).await.unwrap() },
        only_what_ended_was_heard,
    );
    assert!(report.completed && report.drops > 2);
}

#[test]
fn a_judged_call_that_is_dropped_is_not_judged() {
    drop_at_every_poll(
        limit,
        |limit| async move { limit.measure_judged(call(), |_| Judgement::Dropped).await.unwrap() },
        only_what_ended_was_heard,
    );
}

#[test]
fn a_call_within_a_time_that_is_dropped_says_nothing() {
    drop_at_every_poll(
        limit,
        |limit| async move { limit.measure_within(Duration::from_secs(1), call()).await.unwrap() },
        only_what_ended_was_heard,
    );
    drop_at_every_poll(
        limit,
        |limit| async move { limit.measure_within(Duration::from_millis(5), call()).await.unwrap_err() },
        only_what_ended_was_heard,
    );
}
