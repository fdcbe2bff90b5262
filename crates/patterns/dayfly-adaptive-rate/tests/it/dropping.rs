//! Every public future of the crate, dropped at every moment of its life: no start, no place and no wake-up is lost.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::SignalSink;
use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A rate of one a second that was used up just now, and a task that comes after the future under test.
fn busy(options: RateOptions) -> (AdaptiveRate, std::sync::Arc<tokio::sync::Notify>) {
    let rate = AdaptiveRate::new("api", options, &SignalSink::default());
    rate.check("a").unwrap();
    let (other, served) = (rate.clone(), std::sync::Arc::new(tokio::sync::Notify::new()));
    let told = served.clone();
    Handle::current().spawn(async move {
        sleep(SECOND / 2).await;
        other.until_ready("a").await;
        told.notify_one();
    });
    (rate, served)
}

/// Whatever became of the future, who stood behind it starts within a second of it, and then nobody waits.
async fn nothing_is_lost(rate: &AdaptiveRate, served: &tokio::sync::Notify, point: DropPoint) {
    let before = if point == DropPoint::Completed { 2 } else { 1 };
    timeout(before * SECOND + SECOND / 50, served.notified()).await.unwrap();
    assert_eq!(rate.stats().waiting, 0);
    assert_eq!(rate.delay("a"), SECOND, "one start was counted, at this very moment");
}

#[test]
fn a_dropped_wait_loses_neither_its_place_nor_a_start() {
    let report = drop_at_every_poll(
        || busy(RateOptions::per_second(1)),
        |(rate, _)| async move { rate.until_ready("a").await },
        |(rate, served), point| async move { nothing_is_lost(&rate, &served, point).await },
    );
    assert!(report.polls >= 2, "{report:?}");
}

#[test]
fn a_dropped_wait_for_the_place_of_many_keys_loses_nothing() {
    let report = drop_at_every_poll(
        || {
            let options = RateOptions::per_second(1).max_keys(1);
            let rate = AdaptiveRate::new("api", options, &SignalSink::default());
            // There is room for this one only, and the others are together.
            rate.retry_after("paused", 4 * SECOND);
            rate.check("x").unwrap();
            rate
        },
        |rate| async move { rate.until_ready("y").await },
        |rate, _| async move {
            timeout(2 * SECOND + SECOND / 50, rate.until_ready("z")).await.unwrap();
            assert_eq!(rate.stats().waiting, 0);
        },
    );
    assert!(report.polls >= 2, "{report:?}");
}

#[test]
fn a_wait_that_is_dropped_while_options_change_and_pauses_come_and_go_leaves_nobody_behind() {
    let report = drop_at_every_poll(
        || {
            let (rate, served) = busy(RateOptions::per_second(1));
            let other = rate.clone();
            Handle::current().spawn(async move {
                sleep(SECOND * 3 / 4).await;
                other.retry_all_after(SECOND);
                other.retry_after("a", 2 * SECOND);
                sleep(SECOND / 2).await;
                other.reconfigure(&RateOptions::per_minute(1)).unwrap();
                other.resume("a");
                sleep(SECOND).await;
                other.reconfigure(&RateOptions::per_second(1)).unwrap();
            });
            (rate, served)
        },
        |(rate, _)| async move { rate.until_ready("a").await },
        |(rate, served), _| async move {
            timeout(6 * SECOND, served.notified()).await.unwrap();
            assert_eq!(rate.stats().waiting, 0);
        },
    );
    assert!(report.polls >= 2, "{report:?}");
}
