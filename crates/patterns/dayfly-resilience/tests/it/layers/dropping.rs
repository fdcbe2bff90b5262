//! The futures of all layers, dropped at every moment.

use dayfly_circuit_breaker::CircuitBreaker;
use dayfly_limit::Limiter;
use dayfly_resilience::{BreakerLayer, LimitLayer, PipelineLayer, RetryLayer, Timeout, TimeoutLayer};
use dayfly_retry::{Backoff, RetryBudget, RetryBudgetOptions, RetryOptions};
use dayfly_signal::SignalSink;
use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::runtime::Handle;
use tokio::time::sleep;
use tower_layer::Layer;

use super::probe::{Probe, send};
use crate::support::{BREAKER, PLAIN, pipeline, seconds, succeed};

const RETRY: RetryOptions = RetryOptions::new().attempts(2).backoff(Backoff::constant(seconds(1)));

/// Busy for the first two seconds; its first call fails after a second.
fn probe() -> Probe {
    let probe = Probe::new([(seconds(1), Err("down")), (seconds(1), Ok(7))]);
    probe.set_busy(true);
    let view = probe.view();
    Handle::current().spawn(async move {
        sleep(seconds(2)).await;
        view.set_busy(false);
    });
    probe
}

#[test]
fn a_breaker_keeps_no_probe_of_a_response_that_is_dropped() {
    let report = drop_at_every_poll(
        || {
            let bank = CircuitBreaker::new(
                "bank",
                BREAKER.open_for(seconds(1)).successes(9),
                &SignalSink::default(),
            );
            (0..3).for_each(|_| bank.try_acquire().unwrap().failure());
            (bank, probe())
        },
        |(bank, probe)| async move {
            sleep(seconds(1)).await;
            let mut service = BreakerLayer::new(bank).layer(probe);
            send(&mut service).await.unwrap_err();
        },
        |(bank, probe), _| async move {
            sleep(seconds(5)).await;
            assert!(bank.try_acquire().is_ok(), "the one probe is free");
            assert_eq!(probe.running(), 0);
        },
    );
    assert!(report.polls >= 4, "{report:?}");
}

#[test]
fn a_limit_keeps_no_permit_of_a_service_or_response_that_is_dropped() {
    let report = drop_at_every_poll(
        || {
            let limiter = Limiter::with_limit(1);
            let permit = limiter.try_acquire().unwrap();
            Handle::current().spawn(async move {
                sleep(seconds(1)).await;
                drop(permit);
            });
            (limiter, probe())
        },
        |(limiter, probe)| async move {
            let mut service = LimitLayer::new(limiter).layer(probe);
            send(&mut service).await.unwrap_err();
        },
        |(limiter, _), _| async move {
            sleep(seconds(5)).await;
            assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
            assert!(limiter.try_acquire().is_ok());
        },
    );
    assert!(report.polls >= 4, "{report:?}");
}

#[test]
fn a_retry_that_has_not_begun_goes_back_into_the_budget() {
    let report = drop_at_every_poll(
        || {
            // Two calls earn one retry.
            let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.5).min_per_second(0));
            budget.deposit();
            (budget, probe())
        },
        |(budget, probe)| async move {
            let mut service = RetryLayer::new(RETRY).budget(&budget).layer(probe);
            assert_eq!(send(&mut service).await, Ok(7));
        },
        |(budget, probe), how| async move {
            let has_begun = probe.calls() == 2;
            let was_made = probe.calls() >= 1;
            let expected = u64::from(was_made && !has_begun);
            assert_eq!((budget.balance(), probe.running()), (expected, 0), "{how:?}");
            assert!(has_begun || how != DropPoint::Completed);
        },
    );
    assert!(report.polls >= 4, "{report:?}");
}

#[test]
fn a_timeout_keeps_nothing() {
    drop_at_every_poll(
        probe,
        |probe| async move {
            let mut service = TimeoutLayer::new(Timeout::total(seconds(9))).layer(probe);
            send(&mut service).await.unwrap_err();
        },
        |probe, _| async move { assert_eq!(probe.running(), 0) },
    );
}

#[test]
fn a_pipeline_keeps_no_place_and_no_probe_of_a_response_that_is_dropped() {
    let report = drop_at_every_poll(
        || {
            let bank =
                pipeline(PLAIN.attempts(2).breaker(BREAKER).max_concurrency(1).attempt_timeout(seconds(5)));
            (0..3).for_each(|_| bank.breaker().try_acquire().unwrap().failure());
            let other = bank.clone();
            Handle::current().spawn(async move {
                sleep(seconds(10)).await;
                let slow = |_| async {
                    sleep(seconds(2)).await;
                    Ok(())
                };
                other.call(slow).await
            });
            (bank, probe())
        },
        |(bank, probe)| async move {
            sleep(seconds(11)).await;
            let mut service = PipelineLayer::new(&bank).layer(probe);
            send(&mut service).await.ok();
        },
        |(bank, probe), _| async move {
            sleep(seconds(60)).await;
            assert_eq!(
                (bank.stats().limiter.in_use, bank.stats().limiter.waiting, probe.running()),
                (0, 0, 0)
            );
            assert_eq!(succeed(&bank).await, Ok(()), "the one probe is free");
        },
    );
    assert!(report.polls >= 4, "{report:?}");
}
