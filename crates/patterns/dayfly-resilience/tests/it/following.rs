//! Options that change while calls are under way.

use std::cell::Cell;
use std::sync::{Arc, OnceLock};

use dayfly::Reconfigure;
use dayfly_circuit_breaker::BreakerState;
use dayfly_resilience::{CallError, Pipeline, PipelineOptions, Scope};
use dayfly_retry::RetryBudgetOptions;
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use tokio::task::{JoinSet, yield_now};
use tokio::time::{Instant, advance};

use crate::support::{BREAKER, PLAIN, fail, hang, pipeline, seconds, succeed};

#[tokio::test(start_paused = true)]
async fn a_call_that_is_under_way_follows_with_its_next_attempt() {
    let bank = pipeline(PLAIN.attempts(2).attempt_timeout(seconds(5)));
    let start = Instant::now();
    let mut hanging = Box::pin(hang(&bank));
    assert!(futures_util::poll!(hanging.as_mut()).is_pending());
    bank.reconfigure(&PLAIN.attempts(3).attempt_timeout(seconds(2))).unwrap();
    hanging.await;
    assert_eq!(start.elapsed(), seconds(5 + 1 + 2 + 1 + 2));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_is_switched_off_lets_its_signal_go_and_begins_anew() {
    let signals = SignalSink::default();
    let bank = Pipeline::<&'static str>::new("bank", PLAIN.breaker(BREAKER), &signals);
    for _ in 0..3 {
        fail(&bank).await;
    }
    assert!(signals.is_raised("circuit.open.bank"));
    bank.reconfigure(&PLAIN).unwrap();
    assert!(!signals.is_raised("circuit.open.bank"), "nobody waits for a breaker that is off");
    for _ in 0..5 {
        assert_eq!(fail(&bank).await.1, 1);
    }
    bank.reconfigure(&PLAIN.breaker(BREAKER)).unwrap();
    assert_eq!((bank.breaker().state(), bank.breaker().stats().failures_in_a_row), (BreakerState::Closed, 0));
    for _ in 0..3 {
        assert_eq!(fail(&bank).await.1, 1);
    }
    assert_eq!(fail(&bank).await, (CallError::Open { retry_after: seconds(10) }, 0));
}

#[tokio::test(start_paused = true)]
async fn other_options_leave_the_breaker_in_its_state() {
    let bank = pipeline(PLAIN.breaker(BREAKER));
    bank.breaker().force_open();
    bank.reconfigure(&PLAIN.breaker(BREAKER).attempts(2)).unwrap();
    assert_eq!(bank.breaker().state(), BreakerState::ForcedOpen);
    bank.reconfigure(&PLAIN.breaker(BREAKER.open_for(seconds(20)))).unwrap();
    assert_eq!(bank.breaker().state(), BreakerState::ForcedOpen);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_place_gets_it_when_the_limit_rises_or_goes() {
    for options in [PLAIN.max_concurrency(2), PLAIN] {
        let bank = pipeline(PLAIN.max_concurrency(1));
        let mut busy = Box::pin(hang(&bank));
        assert!(futures_util::poll!(busy.as_mut()).is_pending());
        let mut waiting = Box::pin(succeed(&bank));
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        bank.reconfigure(&options).unwrap();
        assert_eq!(waiting.await, Ok(()));
        drop(busy);
        assert_eq!(bank.stats().limiter.in_use, 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_falls_below_what_is_under_way_drops_nothing() {
    let bank = pipeline(PLAIN.max_concurrency(3));
    let mut tasks = JoinSet::new();
    for _ in 0..3 {
        let bank = bank.clone();
        tasks.spawn(async move { hang(&bank).await });
    }
    settle().await;
    bank.reconfigure(&PLAIN.max_concurrency(1).max_wait(seconds(0))).unwrap();
    assert_eq!((bank.stats().limiter.in_use, tasks.len()), (3, 3));
    assert_eq!(succeed(&bank).await, Err(CallError::Refused { after: seconds(0) }));
    tasks.abort_all();
    while tasks.join_next().await.is_some() {}
    assert_eq!(succeed(&bank).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn who_is_told_of_a_change_may_change_the_options_again() {
    let signals = SignalSink::default();
    let bank = Pipeline::<&'static str>::new("bank", PLAIN.breaker(BREAKER), &signals);
    let handle: Arc<OnceLock<Pipeline<&'static str>>> = Arc::default();
    handle.set(bank.clone()).unwrap();
    let own = handle.clone();
    let _called = signals.listen("circuit.changed.bank", move |_| {
        own.get().unwrap().reconfigure(&PLAIN.attempts(5)).unwrap();
    });
    bank.reconfigure(&PLAIN).unwrap();
    assert_eq!(bank.options(), PLAIN.attempts(5), "the later change holds");
    assert_eq!(fail(&bank).await.1, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_at_once_end_in_one_of_them_and_lose_no_place() {
    let bank: Pipeline<&'static str> = pipeline(PLAIN);
    let variants =
        [PLAIN.max_concurrency(1), PLAIN.breaker(BREAKER), PLAIN.max_concurrency(2).breaker(BREAKER), PLAIN];
    let mut tasks = JoinSet::new();
    for worker in 0..2 {
        let (bank, variants) = (bank.clone(), variants.clone());
        tasks.spawn(async move {
            for round in 0..500 {
                bank.reconfigure(&variants[(round + worker) % variants.len()]).unwrap();
                let _ = bank.call(|_| async { if round % 2 == 0 { Ok(()) } else { Err("down") } }).await;
            }
        });
    }
    tasks.join_all().await;
    // Whoever came last: the options and what is followed are the same.
    let last = bank.options();
    bank.reconfigure(&PLAIN.max_concurrency(2)).unwrap();
    assert_eq!(bank.stats().limiter.limit, 2);
    bank.reconfigure(&last).unwrap();
    assert_eq!(bank.stats().limiter.in_use, 0);
    bank.reconfigure(&PLAIN).unwrap();
    assert_eq!(succeed(&bank).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_budget_is_settled_when_a_call_begins() {
    let none = RetryBudgetOptions::new().share(0.0).min_per_second(0);
    let (free, frugal) = (PLAIN.attempts(3), PLAIN.attempts(3).budget(none));
    for (before, after, made_before, made_after) in
        [(free.clone(), frugal.clone(), 3, 1), (frugal, free, 1, 3)]
    {
        let bank = pipeline(before);
        let made = Cell::new(0);
        let mut failing = Box::pin(bank.call(|_| {
            made.set(made.get() + 1);
            async {
                yield_now().await;
                Err::<(), _>("down")
            }
        }));
        assert!(futures_util::poll!(failing.as_mut()).is_pending());
        bank.reconfigure(&after).unwrap();
        failing.await.unwrap_err();
        assert_eq!((made.get(), fail(&bank).await.1), (made_before, made_after));
    }
}

#[tokio::test(start_paused = true)]
async fn clones_follow_the_same_options() {
    let bank = pipeline(PLAIN);
    let clone = bank.clone();
    clone.reconfigure(&PLAIN.attempts(2)).unwrap();
    assert!(clone.check(&PipelineOptions::production()).is_ok());
    assert_eq!((fail(&bank).await.1, bank.options()), (2, PLAIN.attempts(2)));
}

#[tokio::test(start_paused = true)]
async fn a_call_keeps_the_total_timeout_that_it_began_with() {
    let bank = pipeline(PLAIN.total_timeout(seconds(10)));
    for (shorter_or_longer, before) in [(2, 10), (60, 2)] {
        let start = Instant::now();
        let mut hanging = Box::pin(hang(&bank));
        assert!(futures_util::poll!(hanging.as_mut()).is_pending());
        bank.reconfigure(&PLAIN.total_timeout(seconds(shorter_or_longer))).unwrap();
        let late = CallError::TimedOut { after: seconds(before), scope: Scope::Total };
        assert_eq!((hanging.await, start.elapsed()), (late, seconds(before)));
    }
    let late = CallError::TimedOut { after: seconds(60), scope: Scope::Total };
    assert_eq!(hang(&bank).await, late, "those that begin later have the new one");
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_is_switched_off_while_a_probe_is_under_way_hears_nothing_of_it() {
    for succeeds in [false, true] {
        let bank = pipeline(PLAIN.breaker(BREAKER));
        for _ in 0..3 {
            fail(&bank).await;
        }
        advance(seconds(10)).await;
        let mut probe = Box::pin(bank.call(|_| async {
            yield_now().await;
            if succeeds { Ok(()) } else { Err("down") }
        }));
        assert!(futures_util::poll!(probe.as_mut()).is_pending());
        assert_eq!(bank.breaker().state(), BreakerState::HalfOpen);
        assert!(matches!(fail(&bank).await, (CallError::Open { .. }, 0)), "there is one probe");
        bank.reconfigure(&PLAIN).unwrap();
        assert_eq!(succeed(&bank).await, Ok(()), "nobody is refused any more");
        bank.reconfigure(&PLAIN.breaker(BREAKER)).unwrap();
        assert_eq!(fail(&bank).await.1, 1);
        // What began in another life of the breaker neither opens nor closes anything in this one.
        assert_eq!(probe.await.is_ok(), succeeds);
        assert_eq!(
            (bank.breaker().state(), bank.breaker().stats().failures_in_a_row),
            (BreakerState::Closed, 1)
        );
    }
}
