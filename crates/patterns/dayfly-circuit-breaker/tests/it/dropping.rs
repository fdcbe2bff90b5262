//! Futures that are dropped at every moment.

use std::time::Duration;

use dayfly_circuit_breaker::{
    BreakerOptions, BreakerState, CircuitBreaker, Judgement, KeyedBreaker, KeyedBreakerOptions,
    SignalBreaker, SignalBreakerOptions,
};
use dayfly_signal::SignalSink;
use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::task::yield_now;
use tokio::time::sleep;

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(1));

#[test]
fn a_probe_that_is_dropped_at_any_moment_leaves_its_place() {
    let report = drop_at_every_poll(
        || CircuitBreaker::new("bank", CARE.successes(2), &SignalSink::default()),
        |bank| async move {
            bank.try_acquire().unwrap().failure();
            sleep(Duration::from_secs(1)).await;
            let work = async {
                yield_now().await;
                sleep(Duration::from_secs(1)).await;
                Ok::<_, ()>(())
            };
            bank.call(work).await.unwrap();
        },
        |bank, _| async move {
            sleep(Duration::from_secs(2)).await;
            if bank.state() == BreakerState::HalfOpen {
                assert!(bank.try_acquire().is_ok(), "the one probe is free");
            }
        },
    );
    assert!(report.completed);
}

#[test]
fn a_keyed_call_that_is_dropped_keeps_nothing() {
    drop_at_every_poll(
        || KeyedBreaker::<u32>::new("hosts", KeyedBreakerOptions::new().max_keys(1), &SignalSink::default()),
        |hosts| async move {
            let work = async {
                yield_now().await;
                Ok::<_, ()>(())
            };
            hosts.call(&1, work).await.unwrap();
        },
        |hosts, _| async move {
            hosts.breaker(&2);
            assert_eq!((hosts.len(), hosts.displaced()), (1, 0), "nobody holds the other one any more");
        },
    );
}

#[test]
fn waiting_for_a_close_can_be_dropped() {
    drop_at_every_poll(
        || {
            let signals = SignalSink::default();
            let breaker = SignalBreaker::new("x", SignalBreakerOptions::new().threshold(1), &signals);
            signals.raise("x");
            std::sync::Arc::new(breaker)
        },
        |breaker| async move { breaker.closed().await },
        |breaker, _| async move {
            breaker.closed().await;
            assert!(!breaker.is_open());
        },
    );
}

#[test]
fn a_call_under_a_signal_breaker_that_is_dropped_leaves_nothing() {
    drop_at_every_poll(
        || {
            let breaker = SignalBreaker::new("x", SignalBreakerOptions::new(), &SignalSink::default());
            std::sync::Arc::new(breaker)
        },
        |breaker| async move {
            let work = async {
                yield_now().await;
                Ok::<_, ()>(())
            };
            breaker.call(work).await.unwrap();
        },
        |breaker, _| async move { assert_eq!((breaker.count(), breaker.is_open()), (0, false)) },
    );
}

#[test]
fn a_judged_call_that_is_dropped_is_not_judged() {
    drop_at_every_poll(
        || CircuitBreaker::new("bank", CARE, &SignalSink::default()),
        |bank| async move {
            let work = async {
                yield_now().await;
                Err::<(), _>("down")
            };
            bank.call_judged(work, |_| Judgement::Failure).await.unwrap_err();
        },
        |bank, point| async move {
            assert_eq!(bank.state() == BreakerState::Open, point == DropPoint::Completed);
        },
    );
}
