//! No option is dead: each has an effect, from the start on and when it is changed later; and what is left as it was stays.

use std::future::{pending, ready};

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState};
use dayfly_resilience::{CallError, Pipeline, PipelineOptions, Scope};
use dayfly_retry::{Backoff, Jitter, RetryBudgetOptions};
use dayfly_signal::SignalSink;
use tokio::time::{Duration, Instant};

use crate::support::{BREAKER, PLAIN, fail, hang, pipeline, seconds, succeed};

/// Looks at a pipeline that has had the option from the start, and at one that has got it later.
async fn both<R: PartialEq + std::fmt::Debug>(
    before: PipelineOptions,
    after: PipelineOptions,
    look: impl AsyncFn(&Pipeline<&'static str>) -> R,
    expected: R,
) {
    let from_the_start = pipeline(after.clone());
    assert_eq!(look(&from_the_start).await, expected, "from the start");
    let later = pipeline(before.clone());
    assert_ne!(look(&later).await, expected, "it makes a difference");
    let later = pipeline(before);
    later.reconfigure(&after).unwrap();
    assert_eq!(look(&later).await, expected, "later");
    assert_eq!(later.options(), after);
}

async fn took(bank: &Pipeline<&'static str>) -> Duration {
    let start = Instant::now();
    fail(bank).await;
    start.elapsed()
}

#[tokio::test(start_paused = true)]
async fn total_timeout() {
    let after = PLAIN.attempt_timeout(seconds(9)).total_timeout(seconds(4));
    let late = |seconds_in_all| CallError::TimedOut { after: seconds(seconds_in_all), scope: Scope::Total };
    let before = after.clone();
    both(before.total_timeout(seconds(5)), after.clone(), async |bank| hang(bank).await, late(4)).await;
    let cut = CallError::TimedOut { after: seconds(9), scope: Scope::Attempt };
    both(after.clone(), after.without_total_timeout(), async |bank| hang(bank).await, cut).await;
}

#[tokio::test(start_paused = true)]
async fn attempts() {
    let made = async |bank: &Pipeline<_>| fail(bank).await.1;
    both(PLAIN, PLAIN.attempts(4), made, 4).await;
    both(PLAIN.attempts(4), PLAIN.attempts(4).without_retry(), made, 1).await;
}

#[tokio::test(start_paused = true)]
async fn backoff() {
    let other = PLAIN.attempts(3).backoff(Backoff::linear(seconds(2)));
    both(PLAIN.attempts(3), other, took, seconds(2 + 4)).await;
    // Its cap holds for the waits that a breaker asks for.
    let capped = PLAIN.attempts(2).breaker(BREAKER).backoff(Backoff::constant(seconds(1)).cap(seconds(6)));
    let refused = async |bank: &Pipeline<_>| {
        bank.breaker().force_open();
        took(bank).await
    };
    both(PLAIN.attempts(2).breaker(BREAKER), capped, refused, seconds(6)).await;
}

#[tokio::test(start_paused = true)]
async fn seed() {
    let spread = Backoff::constant(seconds(100)).jitter(Jitter::Full);
    let seeded = PLAIN.attempts(2).backoff(spread).seed(7);
    let expected = spread.delay(1, 7).as_millis();
    let took = async |bank: &Pipeline<_>| took(bank).await.as_millis().abs_diff(expected) <= 1;
    both(seeded.clone().without_seed(), seeded, took, true).await;
}

#[tokio::test(start_paused = true)]
async fn budget() {
    let none = RetryBudgetOptions::new().share(0.0).min_per_second(0);
    let few = PLAIN.attempts(3).budget(none);
    let made = async |bank: &Pipeline<_>| fail(bank).await.1;
    both(PLAIN.attempts(3), few.clone(), made, 1).await;
    both(few.clone(), few.clone().without_budget(), made, 3).await;
    both(few.clone(), few.budget(none.min_per_second(1)), made, 3).await;
}

#[tokio::test(start_paused = true)]
async fn breaker() {
    let state = async |bank: &Pipeline<_>| {
        for _ in 0..3 {
            fail(bank).await;
        }
        (fail(bank).await.1, bank.breaker().state())
    };
    both(PLAIN, PLAIN.breaker(BREAKER), state, (0, BreakerState::Open)).await;
    let strict = PLAIN.breaker(BreakerOptions::new().failure_threshold(4));
    both(PLAIN.breaker(BREAKER), strict, state, (1, BreakerState::Open)).await;
    let made = async |bank: &Pipeline<_>| {
        let mut made = 0;
        for _ in 0..5 {
            made += fail(bank).await.1;
        }
        made
    };
    both(PLAIN.breaker(BREAKER), PLAIN.without_breaker(), made, 5).await;
}

/// How many of three calls are under way at once.
async fn at_once(bank: &Pipeline<&'static str>) -> usize {
    let made = std::cell::Cell::new(0);
    let mut calls: Vec<_> = (0..3)
        .map(|_| {
            Box::pin(bank.call(|_| {
                made.set(made.get() + 1);
                pending::<Result<(), _>>()
            }))
        })
        .collect();
    for call in &mut calls {
        let _ = futures_util::poll!(call.as_mut());
    }
    made.get()
}

#[tokio::test(start_paused = true)]
async fn max_concurrency() {
    both(PLAIN, PLAIN.max_concurrency(2), at_once, 2).await;
    both(PLAIN.max_concurrency(2), PLAIN.max_concurrency(1), at_once, 1).await;
    both(PLAIN.max_concurrency(1), PLAIN.without_max_concurrency(), at_once, 3).await;
}

#[tokio::test(start_paused = true)]
async fn max_wait() {
    let waits = async |bank: &Pipeline<&'static str>| {
        let mut busy = Box::pin(bank.call(|_| pending::<Result<(), _>>()));
        assert!(futures_util::poll!(busy.as_mut()).is_pending());
        let start = Instant::now();
        let ended = succeed(bank).await;
        (ended, start.elapsed())
    };
    let limited = PLAIN.max_concurrency(1).total_timeout(seconds(9));
    let refused = |wait| (Err(CallError::Refused { after: seconds(wait) }), seconds(wait));
    both(limited.clone(), limited.clone().max_wait(seconds(3)), waits, refused(3)).await;
    both(limited.clone(), limited.clone().max_wait(seconds(0)), waits, refused(0)).await;
    let late = CallError::TimedOut { after: seconds(9), scope: Scope::Total };
    both(limited.clone().max_wait(seconds(3)), limited.without_max_wait(), waits, (Err(late), seconds(9)))
        .await;
}

#[tokio::test(start_paused = true)]
async fn attempt_timeout() {
    let late = CallError::TimedOut { after: seconds(2), scope: Scope::Attempt };
    let options = PLAIN.total_timeout(seconds(9));
    both(options.clone(), options.clone().attempt_timeout(seconds(2)), async |bank| hang(bank).await, late)
        .await;
    let total = CallError::TimedOut { after: seconds(9), scope: Scope::Total };
    both(
        options.clone().attempt_timeout(seconds(2)),
        options.without_attempt_timeout(),
        async |bank| hang(bank).await,
        total,
    )
    .await;
}

#[test]
fn presets_are_constants_with_the_values_that_they_name() {
    const PRODUCTION: PipelineOptions = PipelineOptions::production();
    const DEVELOPMENT: PipelineOptions = PipelineOptions::development();
    const HIGH: PipelineOptions = PipelineOptions::high_throughput();
    let breaker = |failures, open_for| {
        BreakerOptions::new().failure_threshold(failures).open_for(seconds(open_for)).successes(2)
    };
    let backoff = Backoff::exponential(seconds(1)).cap(seconds(30)).jitter(Jitter::Full);
    let common = PipelineOptions::new().attempts(3).backoff(backoff);
    let careful = common.clone().budget(RetryBudgetOptions::new()).attempt_timeout(seconds(10));
    assert_eq!(PRODUCTION, careful.clone().total_timeout(seconds(30)).breaker(breaker(5, 30)));
    assert_eq!(HIGH, careful.total_timeout(seconds(10)).breaker(breaker(10, 60)));
    assert_eq!(DEVELOPMENT, common.total_timeout(seconds(30)).breaker(breaker(10, 30)));
}

#[test]
fn every_policy_of_a_preset_can_be_switched_off() {
    let bare = PipelineOptions::production()
        .without_total_timeout()
        .without_retry()
        .without_budget()
        .without_breaker()
        .without_attempt_timeout()
        .without_max_concurrency()
        .without_max_wait();
    assert_eq!(bare, PipelineOptions::default());
}

#[tokio::test(start_paused = true)]
async fn a_preset_does_what_it_says() {
    let bank = Pipeline::<&str>::new("bank", PipelineOptions::production(), &SignalSink::default());
    let (_, made) = {
        let mut made = 0;
        let ended = bank.call(|_| {
            made += 1;
            ready(Err::<(), _>("down"))
        });
        (ended.await.unwrap_err(), made)
    };
    assert_eq!((made, bank.breaker().stats().failures_in_a_row), (3, 3));
    let hanging = bank.call(|_| pending::<Result<(), _>>()).await.unwrap_err();
    assert!(matches!(hanging, CallError::Open { .. }), "{hanging:?}");
    assert_eq!(
        bank.breaker().state(),
        BreakerState::Open,
        "two attempts of ten seconds were the last of five"
    );
}

#[test]
#[should_panic(expected = "attempts must be at least 1")]
fn no_attempt_at_all_is_refused() {
    let _ = PipelineOptions::new().attempts(0);
}

#[test]
#[should_panic(expected = "max_concurrency must be at least 1")]
fn a_limit_of_nothing_is_refused() {
    let _ = PipelineOptions::new().max_concurrency(0);
}

#[test]
#[should_panic(expected = "total_timeout must be longer than zero")]
fn a_call_without_any_time_is_refused() {
    let _ = PipelineOptions::new().total_timeout(seconds(0));
}

#[test]
#[should_panic(expected = "attempt_timeout must be longer than zero")]
fn an_attempt_without_any_time_is_refused() {
    let _ = PipelineOptions::new().attempt_timeout(seconds(0));
}
