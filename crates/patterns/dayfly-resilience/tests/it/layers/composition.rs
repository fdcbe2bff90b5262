//! The layers among those of tower, in a `ServiceBuilder`.

use std::error::Error;

use dayfly_circuit_breaker::{BreakerState, CircuitBreaker};
use dayfly_limit::Limiter;
use dayfly_resilience::{
    BreakerLayer, CallError, LimitLayer, Pipeline, PipelineLayer, RetryLayer, Scope, Timeout, TimeoutLayer,
};
use dayfly_retry::{Backoff, RetryOptions};
use dayfly_signal::SignalSink;
use futures_util::poll;
use tokio::time::Instant;
use tower::ServiceBuilder;
use tower::buffer::BufferLayer;
use tower_service::Service;

use super::probe::{Probe, ready, send};
use crate::support::{BREAKER, PLAIN, seconds};

#[tokio::test(start_paused = true)]
async fn the_layers_one_by_one_are_what_a_pipeline_is() {
    let (bank, limiter) =
        (CircuitBreaker::new("bank", BREAKER, &SignalSink::default()), Limiter::with_limit(1));
    let thrice = RetryOptions::new().attempts(3).backoff(Backoff::constant(seconds(1)));
    let probe = Probe::new([(seconds(0), Err("down")), (seconds(9), Ok(0))]);
    let mut service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total(seconds(30))))
        .layer(RetryLayer::new(thrice))
        .layer(BreakerLayer::new(bank.clone()))
        .layer(LimitLayer::new(limiter.clone()))
        .layer(TimeoutLayer::new(Timeout::per_attempt(seconds(2))))
        .service(probe.view());
    let start = Instant::now();
    assert_eq!(send(&mut service).await, Ok(3));
    // It fails, is waited for, hangs, is cut off, is waited for, and succeeds; made ready anew before each.
    assert_eq!((start.elapsed(), probe.calls()), (seconds(1 + 2 + 1), 3));
    assert_eq!((bank.stats().failures_in_a_row, limiter.stats().in_use, probe.running()), (0, 0, 0));

    // And each of them can be what refuses in the end.
    bank.force_open();
    let refused = send(&mut service).await.unwrap_err().flatten();
    assert_eq!(refused, CallError::Open { retry_after: seconds(10) });
    bank.reset();
    limiter.close();
    let mut fresh = service.clone();
    let refused = ready(&mut fresh).await.unwrap_err().flatten().flatten();
    assert_eq!(refused, CallError::Refused { after: seconds(0) });
    assert_eq!(probe.calls(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_total_timeout_outside_ends_the_waits_of_all_that_is_inside() {
    let limiter = Limiter::with_limit(1);
    let often = RetryOptions::new().attempts(100).backoff(Backoff::constant(seconds(4)).cap(seconds(60)));
    let probe = Probe::failing(100);
    let mut service = ServiceBuilder::new()
        .layer(TimeoutLayer::new(Timeout::total(seconds(10))))
        .layer(RetryLayer::new(often))
        .layer(LimitLayer::new(limiter.clone()))
        .service(probe.view());
    let start = Instant::now();
    let late = CallError::TimedOut { after: seconds(10), scope: Scope::Total };
    assert_eq!(send(&mut service).await, Err(late));
    assert_eq!((start.elapsed(), probe.calls()), (seconds(10), 3), "at 0, 4 and 8");
    drop(service);
    assert_eq!(limiter.stats().in_use, 0);
}

/// A buffer hands places out to those that it has made ready, so one that is not used up has to come back.
#[tokio::test(start_paused = true)]
async fn a_refusal_in_front_of_a_buffer_uses_none_of_its_places_up() {
    let bank = CircuitBreaker::new("bank", BREAKER, &SignalSink::default());
    let probe = Probe::new([]);
    let mut service = ServiceBuilder::new()
        .layer(BreakerLayer::new(bank.clone()))
        .layer(BufferLayer::new(1))
        .service(probe.view());
    for _ in 0..10 {
        let mut clone = service.clone();
        ready(&mut clone).await.unwrap();
        bank.force_open();
        assert!(matches!(clone.call(1).await, Err(CallError::Open { .. })));
        bank.reset();
    }
    assert_eq!(send(&mut service).await.unwrap(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pipeline_makes_a_buffer_ready_before_each_attempt() {
    let options = PLAIN.attempts(3).breaker(BREAKER).max_concurrency(1).attempt_timeout(seconds(2));
    let bank = Pipeline::<Box<dyn Error + Send + Sync>>::new("bank", options, &SignalSink::default());
    let probe = Probe::new([(seconds(0), Err("down")), (seconds(9), Ok(0))]);
    let mut service = ServiceBuilder::new()
        .layer(PipelineLayer::new(&bank))
        .layer(BufferLayer::new(1))
        .service(probe.view());
    assert_eq!(send(&mut service).await.unwrap(), 3);
    assert_eq!((probe.calls(), bank.stats().limiter.in_use), (3, 0));

    // A caller that gives up while it is under way, or while nobody is ready, leaves everything as it was.
    probe.set_busy(true);
    ready(&mut service).await.unwrap();
    let mut given_up = service.call(1);
    assert!(poll!(&mut given_up).is_pending());
    assert_eq!(bank.stats().limiter.in_use, 1);
    drop(given_up);
    probe.set_busy(false);
    assert_eq!((bank.stats().limiter.in_use, bank.breaker().stats().failures_in_a_row), (0, 0));
    for _ in 0..5 {
        send(&mut service).await.unwrap();
    }
    assert_eq!(bank.breaker().state(), BreakerState::Closed);
}
