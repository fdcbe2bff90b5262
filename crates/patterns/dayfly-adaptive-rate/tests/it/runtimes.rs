//! Runtimes that come and go, and places where there is none.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::SignalSink;
use tokio::runtime::{Builder, Handle, Runtime};

const MS: Duration = Duration::from_millis(1);
const QUICK: RateOptions = RateOptions::per_second(20).burst(1);

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

#[test]
fn a_wait_goes_on_when_the_runtime_of_the_timer_shuts_down() {
    let rate = AdaptiveRate::new("api", QUICK, &SignalSink::default());
    rate.check("a").unwrap();
    let (first, second) = (runtime(), runtime());
    let of_first = rate.clone();
    // It waits there, so its timer is there.
    first.spawn(async move { of_first.until_ready("a").await });
    first.block_on(async { tokio::task::yield_now().await });
    let started = second.block_on(async {
        let mut waits = Box::pin(rate.until_ready("a"));
        let is_pending = poll_fn(|context| Poll::Ready(waits.as_mut().poll(context).is_pending())).await;
        assert!(is_pending);
        first.shutdown_background();
        tokio::time::timeout(Duration::from_secs(20), waits).await
    });
    assert!(started.is_ok());
}

#[test]
fn a_pause_where_there_is_no_runtime_delays_and_is_not_held() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", QUICK, &signals);
    signals.raise("rate-limit:1h");
    assert!(rate.check("a").is_err());
    assert!(!signals.is_raised("rate.limited.*"), "nobody would let it go");
    assert!(rate.resume_all());
    rate.check("a").unwrap();
}

#[test]
fn a_pause_from_another_thread_ends_by_the_runtime_that_the_rate_was_made_in() {
    let signals = SignalSink::default();
    runtime().block_on(async {
        let rate = AdaptiveRate::new("api", QUICK, &signals);
        std::thread::scope(|scope| {
            scope.spawn(|| signals.raise("rate-limit:20ms"));
        });
        assert!(signals.is_raised("rate.limited.api"));
        tokio::time::timeout(Duration::from_secs(20), signals.cleared("rate.limited.api")).await.unwrap();
        rate.check("a").unwrap();
    });
}

#[test]
fn a_hold_goes_with_the_runtime_that_was_to_let_it_go() {
    let signals = SignalSink::default();
    let first = runtime();
    let rate = first.block_on(async { AdaptiveRate::new("api", QUICK, &signals) });
    first.block_on(async { rate.retry_all_after(Duration::from_secs(3_600)) });
    assert!(signals.is_raised("rate.limited.api"));
    drop(first);
    assert!(!signals.is_raised("rate.limited.api"));
    assert!(rate.check("a").is_err(), "starts are delayed all the same");
}

#[test]
#[should_panic(expected = "whoever waits for a rate needs a Tokio runtime with its timer on")]
fn a_wait_without_a_timer_says_so() {
    let rate = AdaptiveRate::new("api", QUICK, &SignalSink::default());
    rate.check("a").unwrap();
    Builder::new_current_thread().build().unwrap().block_on(rate.until_ready("a"));
}

#[test]
fn several_threads_start_no_more_than_one_does() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let rate =
        AdaptiveRate::new("api", RateOptions::new().starts(1).period(MS).burst(1), &SignalSink::default());
    let elapsed = runtime.block_on(async {
        let start = tokio::time::Instant::now();
        let tasks: Vec<_> = (0..100)
            .map(|_| {
                let rate = rate.clone();
                Handle::current().spawn(async move { rate.until_ready("a").await })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        start.elapsed()
    });
    assert!(elapsed >= 99 * MS, "{elapsed:?}");
    assert_eq!(rate.stats().waiting, 0);
}
