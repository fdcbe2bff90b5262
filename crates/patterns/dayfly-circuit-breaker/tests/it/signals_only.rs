//! The breaker that is a reading of signals: case 41.

use std::time::Duration;

use dayfly_circuit_breaker::{CallError, SignalBreaker, SignalBreakerOptions};
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use tokio::time::{Instant, advance};

const FIVE: SignalBreakerOptions = SignalBreakerOptions::new().threshold(5).within(Duration::from_secs(30));

fn five(signals: &SignalSink, name: &str) {
    for _ in 0..5 {
        signals.raise(name);
    }
}

#[tokio::test(start_paused = true)]
async fn five_failures_open_it_the_time_falls_and_it_closes_by_ageing_out() {
    let signals = SignalSink::default();
    let api = SignalBreaker::new("api.failure", FIVE, &signals);
    for _ in 0..5 {
        assert!(!api.is_open());
        signals.raise("api.failure");
        advance(Duration::from_secs(1)).await;
    }
    // The first failure was five seconds ago.
    let first = api.retry_after().unwrap();
    advance(Duration::from_secs(10)).await;
    let later = api.retry_after().unwrap();
    assert_eq!((first.as_secs(), later.as_secs()), (25, 15));
    let refused = api.call(async { Ok::<_, ()>(()) }).await;
    assert!(matches!(refused, Err(CallError::Open { retry_after }) if retry_after == later));
    advance(later).await;
    assert_eq!((api.is_open(), api.retry_after(), api.count()), (false, None, 4));
}

#[tokio::test(start_paused = true)]
async fn more_failures_keep_it_open_for_longer() {
    let signals = SignalSink::default();
    let api = SignalBreaker::new("api.*", FIVE, &signals);
    five(&signals, "api.failure");
    advance(Duration::from_secs(20)).await;
    five(&signals, "api.timeout");
    let start = Instant::now();
    api.closed().await;
    assert_eq!(start.elapsed().as_secs(), 30);
}

#[tokio::test(start_paused = true)]
async fn a_clearing_closes_it_without_the_clock() {
    let signals = SignalSink::default();
    let api = SignalBreaker::new("api.failure", FIVE, &signals);
    five(&signals, "api.failure");
    let start = Instant::now();
    let clearing = async {
        settle().await;
        signals.clear_matching("api.failure");
    };
    tokio::join!(api.closed(), clearing);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_window_without_end_is_no_panic() {
    let signals = SignalSink::default();
    let options = FIVE.threshold(1).within(Duration::MAX);
    let api = SignalBreaker::new("api.failure", options, &signals);
    signals.raise("api.failure");
    assert!(api.is_open());
    assert!(api.check().is_err(), "it is refused as long as it is open");
}
