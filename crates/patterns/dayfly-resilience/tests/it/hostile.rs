//! What a hostile caller would try.

use std::future::ready;
use std::panic::AssertUnwindSafe;

use dayfly::Reconfigure;
use dayfly_circuit_breaker::BreakerState;
use dayfly_resilience::{CallError, Class, Fallback, Pipeline, PipelineOptions, Scope, Timeout};
use dayfly_retry::{Backoff, Verdict};
use dayfly_signal::SignalSink;
use futures_util::FutureExt;
use tokio::task::JoinSet;
use tokio::time::{Duration, advance};

use crate::support::{BREAKER, PLAIN, fail, hang, pipeline, seconds, succeed};

const FULL: PipelineOptions = PLAIN.breaker(BREAKER.failure_threshold(1)).max_concurrency(1);

#[tokio::test(start_paused = true)]
async fn an_attempt_that_panics_counts_as_a_failure_and_holds_nothing() {
    let bank = pipeline(FULL);
    let ended =
        AssertUnwindSafe(bank.call(|_| async { panic!("a bug") as Result<(), &str> })).catch_unwind().await;
    assert!(ended.is_err());
    assert_eq!((bank.breaker().state(), bank.stats().limiter.in_use), (BreakerState::Open, 0));
    bank.breaker().reset();
    // Also before it has made a future.
    let ended = AssertUnwindSafe(bank.call(|_| -> std::future::Ready<Result<(), &str>> { panic!("a bug") }));
    assert!(ended.catch_unwind().await.is_err());
    assert_eq!((bank.breaker().state(), bank.stats().limiter.in_use), (BreakerState::Open, 0));
}

#[tokio::test(start_paused = true)]
async fn a_neighbour_that_panics_costs_no_success_and_no_failure() {
    let bank = pipeline(FULL);
    let both = async {
        let neighbour = async {
            tokio::task::yield_now().await;
            panic!("beside it");
        };
        futures_util::join!(hang(&bank), neighbour)
    };
    assert!(AssertUnwindSafe(both).catch_unwind().await.is_err());
    assert_eq!((bank.breaker().state(), bank.stats().limiter.in_use), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_classifier_and_a_fallback_that_panic_cost_their_call() {
    let classify = |_: &&str| -> Class { panic!("a bug") };
    let bank = Pipeline::classified("bank", FULL, &SignalSink::default(), classify);
    let ended = AssertUnwindSafe(bank.call(|_| ready(Err::<(), _>("down")))).catch_unwind().await;
    assert!(ended.is_err());
    bank.breaker().reset();
    assert_eq!((succeed(&bank).await, bank.stats().limiter.in_use), (Ok(()), 0));

    let bank = pipeline(FULL);
    let fallback = Fallback::<(), CallError<&str>>::new(|_| panic!("a bug"));
    let ended = AssertUnwindSafe(bank.call_with(&fallback, |_| ready(Err("down")))).catch_unwind().await;
    assert!(ended.is_err());
    assert_eq!(bank.stats().limiter.in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn the_longest_times_overflow_nothing() {
    let options = PLAIN
        .total_timeout(Duration::MAX)
        .attempt_timeout(Duration::MAX)
        .max_wait(Duration::MAX)
        .max_concurrency(usize::MAX)
        .attempts(u32::MAX)
        .breaker(BREAKER.open_for(Duration::MAX));
    let bank = pipeline(options.clone());
    assert_eq!(succeed(&bank).await, Ok(()));
    let slow = bank.call(|_| async {
        tokio::time::sleep(seconds(3_600)).await;
        Ok(())
    });
    assert_eq!(slow.await, Ok(()));
    assert_eq!(pipeline(options.clone()).options(), options);
    let timeout = Timeout::total(Duration::MAX);
    assert_eq!(
        timeout
            .call(async {
                tokio::task::yield_now().await;
                Ok::<_, ()>(7)
            })
            .await,
        Ok(7)
    );
}

#[tokio::test(start_paused = true)]
async fn the_shortest_times_are_kept() {
    let bank = pipeline(PLAIN.total_timeout(Duration::from_nanos(1)));
    assert_eq!(succeed(&bank).await, Ok(()), "it does not wait");
    let late = CallError::TimedOut { after: Duration::from_nanos(1), scope: Scope::Total };
    assert_eq!(hang(&bank).await, late);
}

#[tokio::test(start_paused = true)]
async fn attempts_without_end_and_without_delay_let_others_run() {
    let options = PLAIN.attempts(u32::MAX).backoff(Backoff::constant(Duration::ZERO));
    let bank = pipeline(options);
    let mut tasks = JoinSet::new();
    let own = bank.clone();
    tasks.spawn(async move { fail(&own).await });
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    bank.reconfigure(&PLAIN).unwrap();
    let (error, made) = tasks.join_next().await.unwrap().unwrap();
    assert!(error == CallError::Inner("down") && made > 50, "{made}");
}

#[tokio::test(start_paused = true)]
async fn thousands_wait_for_one_place_and_all_get_it() {
    let bank = pipeline(PLAIN.max_concurrency(1));
    let mut tasks = JoinSet::new();
    for _ in 0..3_000 {
        let bank = bank.clone();
        tasks.spawn(async move {
            bank.call(|_| async {
                tokio::task::yield_now().await;
                Ok(())
            })
            .await
        });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!((bank.stats().limiter.in_use, bank.stats().limiter.waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_place_that_comes_at_the_very_end_is_no_failure_of_the_service() {
    let bank = pipeline(FULL.total_timeout(seconds(1)));
    let mut busy = Box::pin(hang(&bank));
    assert!(futures_util::poll!(busy.as_mut()).is_pending());
    let (mut tasks, own) = (JoinSet::new(), bank.clone());
    tasks.spawn(async move { hang(&own).await });
    dayfly_testing::settle().await;
    // It has its place, and when it comes to look, its time is over.
    drop(busy);
    advance(seconds(1)).await;
    let late = tasks.join_next().await.unwrap().unwrap();
    assert_eq!(late, CallError::TimedOut { after: seconds(1), scope: Scope::Total });
    assert_eq!(bank.breaker().state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_all_bounds_is_cut_to_the_cap() {
    let classify = |_: &&str| Verdict::RetryAfter(Duration::MAX);
    let bank = Pipeline::classified("bank", PLAIN.attempts(2), &SignalSink::default(), classify);
    let start = tokio::time::Instant::now();
    assert_eq!(fail(&bank).await.1, 2);
    assert_eq!(start.elapsed(), seconds(60));
}

#[tokio::test(start_paused = true)]
async fn ten_callers_of_a_half_open_breaker_are_one_probe() {
    let bank = pipeline(PLAIN.breaker(BREAKER.failure_threshold(1)));
    fail(&bank).await;
    advance(seconds(10)).await;
    let made = std::sync::Arc::new(std::sync::atomic::AtomicU32::new(0));
    let mut tasks = JoinSet::new();
    for _ in 0..10 {
        let (bank, made) = (bank.clone(), made.clone());
        tasks.spawn(async move {
            let call = bank.call(|_| {
                made.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                async {
                    tokio::time::sleep(seconds(1)).await;
                    Ok(())
                }
            });
            call.await.is_ok()
        });
    }
    let ended = tasks.join_all().await;
    assert_eq!(ended.iter().filter(|ok| **ok).count(), 1);
    assert_eq!(made.load(std::sync::atomic::Ordering::Relaxed), 1);
    assert_eq!(bank.breaker().state(), BreakerState::Closed);
}

#[test]
fn errors_say_what_happened_in_small_letters() {
    let late = |scope| CallError::TimedOut { after: seconds(2), scope };
    for (error, text) in [
        (CallError::Inner(std::fmt::Error), "the call failed"),
        (CallError::Open { retry_after: seconds(1) }, "the circuit is open"),
        (late(Scope::Attempt), "the attempt took longer than 2s"),
        (late(Scope::Total), "the call took longer than 2s"),
        (CallError::Refused { after: seconds(0) }, "no place was free within 0ns"),
    ] {
        assert_eq!(error.to_string(), text);
        // What the call itself says is the cause, and is not told twice.
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(cause, error.into_inner().map(|inner| inner.to_string()), "{text}");
        assert_eq!(error.map(|_| ()).into_inner().is_some(), matches!(error, CallError::Inner(_)));
    }
    assert_eq!(CallError::Inner(7).into_inner(), Some(7));
    let nested = CallError::Inner(CallError::Inner::<u8>(7));
    assert_eq!(nested.flatten(), CallError::Inner(7));
    assert_eq!(
        CallError::<CallError<u8>>::Refused { after: seconds(1) }.flatten(),
        CallError::Refused { after: seconds(1) }
    );
}

#[test]
fn everything_can_be_shared_and_shown() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug>(value: &T) {
        assert!(!format!("{value:?}").is_empty());
    }
    fn sent<T: Send>(_: T) {}
    let bank = pipeline(FULL);
    shared(&bank);
    shared(&bank.options());
    shared(&bank.stats());
    shared(&Timeout::total(seconds(1)));
    shared(&Fallback::<u8, u8>::value(1));
    shared(&Class::from(true));
    sent(bank.call(|_| ready(Ok(()))));
    sent(bank.call_with(&Fallback::value(()), |_| ready(Ok(()))));
}
