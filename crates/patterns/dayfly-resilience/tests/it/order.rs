//! Which policy sees what.

use std::cell::{Cell, RefCell};
use std::future::{pending, ready};

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerState, Judgement};
use dayfly_resilience::{CallError, Class, Pipeline, Scope};
use dayfly_retry::{RetryBudgetOptions, Verdict};
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use tokio::task::JoinSet;
use tokio::time::{Instant, advance, sleep};

use crate::support::{BREAKER, PLAIN, fail, hang, pipeline, seconds, succeed};

#[tokio::test(start_paused = true)]
async fn three_attempts_fail_with_the_backoff_between_them() {
    let bank = pipeline(PLAIN.attempts(3));
    let (start, numbers) = (Instant::now(), RefCell::new(Vec::new()));
    let ended = bank.call(|number| {
        numbers.borrow_mut().push((number, start.elapsed().as_secs()));
        ready(Err::<(), _>("down"))
    });
    assert_eq!(ended.await, Err(CallError::Inner("down")));
    assert_eq!(numbers.into_inner(), [(1, 0), (2, 1), (3, 2)]);
}

#[tokio::test(start_paused = true)]
async fn every_attempt_counts_for_the_breaker_and_an_open_one_runs_nothing() {
    let bank = pipeline(PLAIN.attempts(2).breaker(BREAKER));
    assert_eq!(fail(&bank).await, (CallError::Inner("down"), 2));
    // The third failure opens it; the retry that follows is refused and is the last.
    let (error, made) = fail(&bank).await;
    assert_eq!((error, made), (CallError::Open { retry_after: seconds(9) }, 1));
    assert_eq!(bank.breaker().state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_tried_again_when_the_breaker_says_and_not_before() {
    let bank = pipeline(PLAIN.attempts(2).breaker(BREAKER.failure_threshold(1)));
    bank.breaker().try_acquire().unwrap().failure();
    let (start, made) = (Instant::now(), Cell::new(Vec::new()));
    let paid = bank.call(|number| {
        let mut numbers = made.take();
        numbers.push(number);
        made.set(numbers);
        ready(Ok(()))
    });
    assert_eq!(paid.await, Ok(()));
    assert_eq!((start.elapsed(), made.into_inner()), (seconds(10), vec![2]));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_lasts_longer_than_the_call_may_is_handed_out_at_once() {
    let bank = pipeline(PLAIN.attempts(3).total_timeout(seconds(5)).breaker(BREAKER));
    bank.breaker().force_open();
    let start = Instant::now();
    assert_eq!(fail(&bank).await, (CallError::Open { retry_after: seconds(10) }, 0));
    assert_eq!(start.elapsed(), seconds(0));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_is_kept_to_within_the_total_timeout_and_beyond_it_nobody_waits() {
    for (asked, made_in_all, took) in [(29, 2, 29), (30, 1, 0), (31, 1, 0)] {
        let classify = move |_: &&str| Verdict::RetryAfter(seconds(asked));
        let options = PLAIN.attempts(2).total_timeout(seconds(30)).budget(ONE_RETRY);
        let bank = Pipeline::classified("bank", options, &SignalSink::default(), classify);
        let start = Instant::now();
        assert_eq!(fail(&bank).await, (CallError::Inner("down"), made_in_all), "{asked}");
        assert_eq!(start.elapsed(), seconds(took), "{asked}");
        // A retry that is not worth the wait is none, and stays in the budget.
        bank.reconfigure(&PLAIN.attempts(2).budget(ONE_RETRY)).unwrap();
        assert_eq!(fail(&bank).await.1, 2, "{asked}");
    }
}

/// One at once; the seconds that a wait takes bring it back.
const ONE_RETRY: RetryBudgetOptions = RetryBudgetOptions::new().share(0.0).min_per_second(1);

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_a_failure_and_tried_again() {
    let bank = pipeline(PLAIN.attempts(2).attempt_timeout(seconds(3)).breaker(BREAKER));
    let start = Instant::now();
    let timed_out = CallError::TimedOut { after: seconds(3), scope: Scope::Attempt };
    assert_eq!(hang(&bank).await, timed_out);
    assert_eq!(start.elapsed(), seconds(3 + 1 + 3));
    assert_eq!(bank.breaker().stats().failures_in_a_row, 2);
}

#[tokio::test(start_paused = true)]
async fn the_total_timeout_ends_everything_and_is_a_failure_of_what_was_under_way() {
    let bank = pipeline(PLAIN.attempts(9).total_timeout(seconds(5)).breaker(BREAKER));
    let start = Instant::now();
    assert_eq!(hang(&bank).await, CallError::TimedOut { after: seconds(5), scope: Scope::Total });
    assert_eq!((start.elapsed(), bank.breaker().stats().failures_in_a_row), (seconds(5), 1));
}

#[tokio::test(start_paused = true)]
async fn the_total_timeout_spans_all_attempts_and_nobody_waits_for_one_that_comes_too_late() {
    let bank = pipeline(PLAIN.attempts(9).total_timeout(seconds(4)));
    let start = Instant::now();
    // Attempts at 0, 1, 2 and 3 s; another one would begin when the time is over.
    assert_eq!(fail(&bank).await, (CallError::Inner("down"), 4));
    assert_eq!(start.elapsed(), seconds(3));
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_place_is_within_the_total_and_outside_of_the_attempt_timeout() {
    let options = PLAIN.max_concurrency(1).attempt_timeout(seconds(2)).total_timeout(seconds(5));
    let bank = pipeline(options.breaker(BREAKER));
    let mut tasks = JoinSet::new();
    for _ in 0..4 {
        let bank = bank.clone();
        tasks.spawn(async move {
            let work = |_| async {
                sleep(std::time::Duration::from_millis(1_998)).await;
                Ok(())
            };
            bank.call(work).await
        });
    }
    let ended = tasks.join_all().await;
    let in_time = ended.iter().filter(|ended| ended.is_ok()).count();
    let late = CallError::TimedOut { after: seconds(5), scope: Scope::Total };
    assert_eq!((in_time, ended.contains(&Err(late))), (2, true), "{ended:?}");
    // The third was cut in the middle; the fourth had no place, which says nothing about the bank.
    assert_eq!(bank.breaker().stats().failures_in_a_row, 1);
    assert_eq!(bank.stats().limiter.in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn who_finds_no_place_in_time_is_refused_and_not_tried_again() {
    let bank = pipeline(PLAIN.attempts(3).max_concurrency(1).max_wait(seconds(2)).breaker(BREAKER));
    let mut tasks = JoinSet::new();
    let busy = bank.clone();
    tasks.spawn(async move { busy.call(|_| pending::<Result<(), _>>()).await });
    settle().await;
    let start = Instant::now();
    assert_eq!(fail(&bank).await, (CallError::Refused { after: seconds(2) }, 0));
    assert_eq!((start.elapsed(), bank.breaker().stats().failures_in_a_row), (seconds(2), 0));
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
    assert_eq!(succeed(&bank).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_place_is_given_back_between_attempts() {
    let bank = pipeline(PLAIN.attempts(2).max_concurrency(1).max_wait(seconds(0)));
    let own = bank.clone();
    let mut failing = std::pin::pin!(fail(&own));
    assert!(futures_util::poll!(failing.as_mut()).is_pending(), "it waits for its second attempt");
    assert_eq!(bank.stats().limiter.in_use, 0);
    assert_eq!(succeed(&bank).await, Ok(()));
    assert_eq!(failing.await, (CallError::Inner("down"), 2));
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_is_neither_a_success_nor_a_failure() {
    let bank = pipeline(PLAIN.breaker(BREAKER.failure_threshold(1)).max_concurrency(1));
    for _ in 0..3 {
        let mut hanging = Box::pin(hang(&bank));
        assert!(futures_util::poll!(hanging.as_mut()).is_pending());
        assert_eq!(bank.stats().limiter.in_use, 1);
        drop(hanging);
    }
    assert_eq!(bank.breaker().state(), BreakerState::Closed);
    // As a probe, it gives its place back.
    fail(&bank).await;
    advance(seconds(10)).await;
    let mut probe = Box::pin(hang(&bank));
    assert!(futures_util::poll!(probe.as_mut()).is_pending());
    assert!(matches!(succeed(&bank).await, Err(CallError::Open { .. })));
    drop(probe);
    assert_eq!(succeed(&bank).await, Ok(()));
    assert_eq!(bank.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_class_says_what_is_tried_again_and_what_the_breaker_counts() {
    let asked = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let own = asked.clone();
    let classify = move |error: &&str| {
        own.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        match *error {
            "busy" => Class::from(Verdict::RetryAfter(seconds(7))),
            "once" => Class::new(Verdict::Stop, Judgement::Failure),
            "again" => Class::new(Verdict::Retry, Judgement::Ignored),
            _ => Class::from(Verdict::Stop),
        }
    };
    let options = PLAIN.attempts(2).breaker(BREAKER.failure_threshold(100));
    let bank = Pipeline::classified("bank", options, &SignalSink::default(), classify);
    for (error, made, waited, counted) in
        [("busy", 2, 7, 2), ("once", 1, 0, 1), ("again", 2, 1, 0), ("declined", 1, 0, 0)]
    {
        bank.breaker().reset();
        let (start, attempts) = (Instant::now(), Cell::new(0));
        let ended = bank.call(|_| {
            attempts.set(attempts.get() + 1);
            ready(Err::<(), _>(error))
        });
        assert_eq!(ended.await, Err(CallError::Inner(error)));
        assert_eq!((attempts.get(), start.elapsed()), (made, seconds(waited)), "{error}");
        assert_eq!(bank.breaker().stats().failures_in_a_row, counted, "{error}");
    }
    assert_eq!(asked.load(std::sync::atomic::Ordering::Relaxed), 6, "once for each error");
}

#[tokio::test(start_paused = true)]
async fn the_budget_bounds_the_retries_of_all() {
    let scarce = RetryBudgetOptions::new().share(0.1).min_per_second(0);
    let bank = pipeline(PLAIN.attempts(3).budget(scarce));
    let mut made = 0;
    for _ in 0..20 {
        made += fail(&bank).await.1;
    }
    assert_eq!(made, 20 + 2);
}

#[tokio::test(start_paused = true)]
async fn signals_tell_of_retries_and_of_the_breaker() {
    let signals = SignalSink::default();
    let bank =
        Pipeline::<&str>::new("bank", PLAIN.attempts(2).breaker(BREAKER.failure_threshold(2)), &signals);
    let hour = seconds(3_600);
    let [again, exhausted] =
        ["retry.attempt.bank", "retry.exhausted.bank"].map(|name| signals.counter(name, hour));
    fail(&bank).await;
    assert_eq!((again.count(), exhausted.count()), (1, 1));
    assert!(signals.is_raised("circuit.open.bank"));
    // What is switched off tells nothing.
    let quiet = Pipeline::<&str>::new("quiet", PLAIN, &signals);
    let told = signals.counter("*.quiet", hour);
    fail(&quiet).await;
    assert_eq!(told.count(), 0);
}
