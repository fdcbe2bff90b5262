//! Pauses: by a signal, by an error that carries a retry-after, by hand.

use std::time::Duration;

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::{Draft, SignalSink};
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::time::{Instant, advance};

const MS: Duration = Duration::from_millis(1);
const MANY: RateOptions = RateOptions::per_second(1_000);

fn rate() -> (SignalSink, AdaptiveRate) {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", MANY, &signals);
    (signals, rate)
}

/// Case 46.
#[tokio::test(start_paused = true)]
async fn after_rate_limit_500ms_the_next_start_is_at_least_500_ms_later() {
    let (signals, rate) = rate();
    rate.until_ready("a").await;
    let start = Instant::now();
    signals.raise("rate-limit:500ms");
    assert_eq!(rate.check("a").unwrap_err().after, 500 * MS);
    assert_eq!(rate.check("never seen").unwrap_err().after, 500 * MS);
    rate.until_ready("b").await;
    assert_eq!(start.elapsed(), 500 * MS);
    rate.check("a").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_signal_with_a_key_pauses_that_key_only() {
    let (signals, rate) = rate();
    signals.raise(Draft::from("rate-limit:2s").key("acme"));
    assert_eq!(rate.check("acme").unwrap_err().after, 2_000 * MS);
    rate.check("other").unwrap();
    let start = Instant::now();
    rate.until_ready("acme").await;
    assert_eq!(start.elapsed(), 2_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn an_error_that_carries_a_retry_after_pauses_its_key_or_all() {
    let (_signals, rate) = rate();
    rate.retry_after(&7, 300 * MS);
    assert_eq!(rate.delay("7"), 300 * MS);
    assert_eq!(rate.delay("8"), Duration::ZERO);
    rate.retry_all_after(200 * MS);
    assert_eq!((rate.delay("7"), rate.delay("8")), (300 * MS, 200 * MS));
    let stats = rate.stats();
    assert_eq!((stats.paused_keys, stats.is_paused), (1, true));
    advance(300 * MS).await;
    let stats = rate.stats();
    assert_eq!((stats.paused_keys, stats.is_paused, stats.keys), (0, false, 0));
}

#[tokio::test(start_paused = true)]
async fn whoever_waits_already_is_delayed_too_and_an_earlier_end_shortens_nothing() {
    let (signals, rate) = rate();
    rate.retry_all_after(100 * MS);
    let start = Instant::now();
    let waiter = Handle::current().spawn({
        let rate = rate.clone();
        async move {
            rate.until_ready("a").await;
            start.elapsed()
        }
    });
    advance(50 * MS).await;
    signals.raise("rate-limit:500ms");
    signals.raise("rate-limit:10ms");
    signals.raise(Draft::from("rate-limit:700ms").key("a"));
    signals.raise(Draft::from("rate-limit:20ms").key("a"));
    assert_eq!(waiter.await.unwrap(), 750 * MS);
}

#[tokio::test(start_paused = true)]
async fn somebody_who_was_called_and_is_paused_before_it_comes_goes_on_waiting() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::per_second(1), &signals);
    rate.check("a").unwrap();
    let start = Instant::now();
    let waiter = Handle::current().spawn({
        let rate = rate.clone();
        async move { rate.until_ready("a").await }
    });
    settle().await;
    // The clock is moved without a yield in between: it is woken, and has not run when the signal comes.
    let moved = advance(1_000 * MS);
    tokio::pin!(moved);
    let _ = std::future::poll_fn(|context| std::task::Poll::Ready(moved.as_mut().poll(context))).await;
    signals.raise("rate-limit:5s");
    moved.await;
    waiter.await.unwrap();
    assert_eq!(start.elapsed(), 6_000 * MS);
}

#[tokio::test(start_paused = true)]
async fn no_length_of_time_at_all_delays_nothing_and_is_not_malformed() {
    let (signals, rate) = rate();
    signals.raise("rate-limit:0ms");
    rate.retry_after("a", Duration::ZERO);
    rate.check("a").unwrap();
    assert_eq!(rate.stats().malformed, 0);
}

#[tokio::test(start_paused = true)]
async fn a_pause_is_cut_to_the_longest_one_and_counted() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", MANY.max_pause(1_000 * MS), &signals);
    signals.raise("rate-limit:18446744073709551615s");
    rate.retry_after("a", Duration::MAX);
    assert_eq!((rate.delay("a"), rate.stats().cut), (1_000 * MS, 2));
    advance(1_000 * MS).await;
    rate.check("a").unwrap();
    let endless = AdaptiveRate::new("api", MANY.max_pause(Duration::MAX), &SignalSink::default());
    endless.retry_after("a", Duration::MAX);
    endless.retry_all_after(Duration::MAX);
    assert!(endless.check("a").unwrap_err().after > Duration::from_secs(500 * 365 * 24 * 3_600));
    assert!(endless.resume("a") && endless.resume_all());
    endless.check("a").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_pause_that_is_ended_by_hand_wakes_who_waits() {
    let (_signals, rate) = rate();
    rate.retry_after("a", 9_000 * MS);
    rate.retry_all_after(8_000 * MS);
    let start = Instant::now();
    let waiter = Handle::current().spawn({
        let rate = rate.clone();
        async move { rate.until_ready("a").await }
    });
    settle().await;
    assert!(rate.resume("a") && !rate.resume("a") && !rate.resume("b"));
    settle().await;
    assert!(!waiter.is_finished(), "all are paused yet");
    assert!(rate.resume_all() && !rate.resume_all());
    waiter.await.unwrap();
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_pause_of_all_leaves_that_of_a_key_and_the_order_within_it() {
    let (signals, rate) = rate();
    let start = Instant::now();
    signals.raise("rate-limit:100ms");
    let waiters: Vec<_> = ["a", "b", "a", "b"]
        .into_iter()
        .map(|key| {
            let rate = rate.clone();
            Handle::current().spawn(async move {
                rate.until_ready(key).await;
                start.elapsed().as_millis()
            })
        })
        .collect();
    settle().await;
    rate.retry_after("b", 200 * MS);
    let mut times = Vec::new();
    for waiter in waiters {
        times.push(waiter.await.unwrap());
    }
    assert_eq!(times, [100, 200, 100, 200]);
}
