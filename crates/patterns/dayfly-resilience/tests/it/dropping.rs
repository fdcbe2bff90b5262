//! Every public future, dropped at every moment: no permit, probe, place or retry is lost.

use std::future::ready;

use dayfly_circuit_breaker::BreakerState;
use dayfly_resilience::{CallError, Fallback, Pipeline, PipelineOptions, Timeout};
use dayfly_retry::RetryBudgetOptions;
use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::runtime::Handle;
use tokio::task::yield_now;
use tokio::time::sleep;

use crate::support::{BREAKER, PLAIN, pipeline, seconds, succeed};

/// One place, one probe, one retry in all.
const SCARCE: PipelineOptions = PLAIN
    .attempts(2)
    .budget(RetryBudgetOptions::new().share(0.0).min_per_second(1))
    .breaker(BREAKER.failure_threshold(1).successes(2))
    .max_concurrency(1)
    .attempt_timeout(seconds(5))
    .total_timeout(seconds(60));

/// A failure opens it.
async fn trip(bank: &Pipeline<&'static str>) {
    succeed(bank).await.unwrap();
    let _ = bank.call(|number| ready(if number == 1 { Err::<(), _>("down") } else { Ok(()) })).await;
}

/// Two failures and their timers, a probe, a wait for a place, a pause: all that a call can wait for.
async fn busy_call(bank: Pipeline<&'static str>) -> Result<(), CallError<&'static str>> {
    let attempt = |number| async move {
        yield_now().await;
        sleep(seconds(1)).await;
        if number == 1 { Err("down") } else { Ok(()) }
    };
    bank.call(attempt).await
}

async fn all_is_free(bank: Pipeline<&'static str>) {
    // Whoever else was under way has ended, the breaker half-opens, and the second's retry is there again.
    sleep(seconds(30)).await;
    let stats = bank.stats();
    assert_eq!((stats.limiter.in_use, stats.limiter.waiting), (0, 0));
    if bank.breaker().state() == BreakerState::HalfOpen {
        assert!(bank.breaker().try_acquire().is_ok(), "the one probe is free");
    }
    bank.breaker().force_closed();
    let again = bank.call(|number| ready(if number == 1 { Err("down") } else { Ok(()) })).await;
    assert_eq!(again, Ok(()), "the one retry is there");
}

#[test]
fn a_call_that_is_dropped_at_any_moment_holds_nothing() {
    let report = drop_at_every_poll(
        || {
            let bank = pipeline(SCARCE.breaker(BREAKER));
            // It stands in the way for a while, so that there is a wait for a place.
            let other = bank.clone();
            Handle::current().spawn(async move {
                let slow = |_| async {
                    sleep(seconds(3)).await;
                    Ok(())
                };
                other.call(slow).await
            });
            bank
        },
        |bank| async move {
            sleep(seconds(1)).await;
            busy_call(bank).await.unwrap();
        },
        |bank, _| all_is_free(bank),
    );
    assert!(report.completed && report.polls >= 7, "{report:?}");
}

#[test]
fn a_probe_that_is_dropped_at_any_moment_is_given_back() {
    let report = drop_at_every_poll(
        || pipeline(SCARCE),
        |bank| async move {
            trip(&bank).await;
            sleep(seconds(10)).await;
            busy_call(bank).await.unwrap_err();
        },
        |bank, _| all_is_free(bank),
    );
    assert!(report.completed && report.polls >= 5, "{report:?}");
}

#[test]
fn a_retry_that_has_not_begun_goes_back_into_the_budget() {
    let few = PLAIN.attempts(2).budget(RetryBudgetOptions::new().share(0.5).min_per_second(0).burst(1));
    drop_at_every_poll(
        || pipeline(few.clone()),
        |bank| async move {
            for _ in 0..2 {
                succeed(&bank).await.unwrap();
            }
            let _ = bank.call(|number| ready(if number == 1 { Err("down") } else { Ok(()) })).await;
        },
        |bank, how| async move {
            let ended = bank.call(|number| ready(if number == 1 { Err("down") } else { Ok(()) })).await;
            // Two calls have earned one retry. It is spent when the second attempt has been made; before it, it is there.
            let is_spent = how == DropPoint::Completed;
            let has_earned = how != DropPoint::Before(1);
            assert_eq!(ended.is_ok(), has_earned && !is_spent, "{how:?}");
        },
    );
}

#[test]
fn a_call_with_a_fallback_that_is_dropped_holds_nothing() {
    let report = drop_at_every_poll(
        || pipeline(SCARCE),
        |bank| async move {
            let attempt = |_| async {
                sleep(seconds(1)).await;
                Err("down")
            };
            assert_eq!(bank.call_with(&Fallback::value(()), attempt).await, Ok(()));
        },
        |bank, _| all_is_free(bank),
    );
    assert!(report.completed);
}

#[test]
fn a_timeout_and_a_fallback_by_themselves_can_be_dropped() {
    let timeout = Timeout::total(seconds(2));
    drop_at_every_poll(
        || timeout.clone(),
        |timeout| async move {
            let work = async {
                sleep(seconds(1)).await;
                Ok::<_, ()>(())
            };
            timeout.call(work).await.unwrap();
        },
        |timeout, _| async move { assert_eq!(timeout.call(ready(Ok::<_, ()>(()))).await, Ok(())) },
    );
    drop_at_every_poll(
        || Fallback::<u8, ()>::value(1),
        |fallback| async move {
            let work = async {
                yield_now().await;
                Err(())
            };
            assert_eq!(fallback.call(work).await, Ok(1));
        },
        |fallback, _| async move { assert_eq!(fallback.settle(Err(())), Ok(1)) },
    );
}
