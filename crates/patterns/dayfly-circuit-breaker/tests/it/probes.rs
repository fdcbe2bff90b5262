//! Half-open: exactly so many at once, whatever becomes of them.

use std::sync::Arc;
use std::time::Duration;

use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker};
use dayfly_signal::SignalSink;
use tokio::sync::Barrier;
use tokio::task::JoinSet;
use tokio::time::advance;

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(1));

async fn half_open(options: BreakerOptions) -> CircuitBreaker {
    let breaker = CircuitBreaker::new("bank", options, &SignalSink::default());
    breaker.try_acquire().unwrap().failure();
    advance(Duration::from_secs(1)).await;
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker
}

#[tokio::test(start_paused = true)]
async fn ten_callers_get_exactly_as_many_probes_as_there_are() {
    for probes in [1, 3, 9] {
        let bank = half_open(CARE.probes(probes).successes(probes)).await;
        let permits: Vec<_> = (0..10).filter_map(|_| bank.try_acquire().ok()).collect();
        assert_eq!(permits.len(), probes as usize);
        for permit in permits {
            permit.success();
        }
        assert_eq!(bank.state(), BreakerState::Closed);
    }
}

#[tokio::test(start_paused = true)]
async fn a_dropped_permit_gives_its_probe_back() {
    let bank = half_open(CARE).await;
    for _ in 0..10 {
        let permit = bank.try_acquire().unwrap();
        assert!(bank.try_acquire().is_err());
        drop(permit);
    }
    bank.try_acquire().unwrap().success();
    assert_eq!(bank.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_comes_back_too_late_frees_nobodys_place() {
    let bank = half_open(CARE).await;
    let late = bank.try_acquire_owned().unwrap();
    bank.reset();
    bank.try_acquire().unwrap().failure();
    advance(Duration::from_secs(1)).await;
    let probe = bank.try_acquire().unwrap();
    drop(late);
    assert!(bank.try_acquire().is_err(), "the one place is taken");
    probe.success();
    assert_eq!(bank.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_while_probes_are_out_names_a_time_that_is_not_zero() {
    let bank = half_open(CARE).await;
    let _probe = bank.try_acquire().unwrap();
    assert_eq!(bank.try_acquire().unwrap_err().retry_after, Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_slow_probe_speaks_against_the_service_where_slowness_counts() {
    let options = CARE.slow_rate(0.5).slow_after(Duration::from_millis(100));
    let bank = half_open(options).await;
    let probe = bank.try_acquire().unwrap();
    advance(Duration::from_millis(101)).await;
    probe.success();
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn callers_on_two_threads_get_no_more_probes_than_there_are() {
    let options = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_nanos(1)).probes(3);
    for _ in 0..200 {
        let bank = CircuitBreaker::new("bank", options.clone(), &SignalSink::default());
        bank.try_acquire().unwrap().failure();
        while bank.state() != BreakerState::HalfOpen {}
        let everybody = Arc::new(Barrier::new(10));
        let mut callers = JoinSet::new();
        for _ in 0..10 {
            let (bank, everybody) = (bank.clone(), Arc::clone(&everybody));
            callers.spawn(async move {
                everybody.wait().await;
                let permit = bank.try_acquire_owned().ok();
                // Everybody keeps what it got until all have asked.
                everybody.wait().await;
                permit.is_some()
            });
        }
        let got = callers.join_all().await.into_iter().filter(|got| *got).count();
        assert_eq!(got, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn asking_takes_no_probe_and_counts_nothing() {
    let options = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(1));
    let bank = CircuitBreaker::new("bank", options, &SignalSink::default());
    assert!(bank.check().is_ok());
    bank.try_acquire().unwrap().failure();
    assert_eq!(bank.check().unwrap_err().retry_after, Duration::from_secs(1));
    advance(Duration::from_secs(1)).await;
    assert!(bank.check().is_ok() && bank.check().is_ok(), "the probe is free");
    let probe = bank.try_acquire().unwrap();
    assert!(bank.check().is_err(), "the probe is out");
    drop(probe);
    assert!(bank.check().is_ok());
    assert_eq!(bank.stats().refused, 0);
}
