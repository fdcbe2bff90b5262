//! Futures that are woken and not polled: whom they hold up, and for how long.

use std::pin::Pin;
use std::time::Duration;

use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, KeyedLock, Limiter, LimiterOptions, TryAcquireError};
use dayfly_testing::settle;
use futures_util::poll;
use tokio::runtime::Handle;
use tokio::task::coop::unconstrained;
use tokio::time::{Instant, advance, sleep, timeout};

const MILLI: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn a_sleeper_holds_up_another_task_no_longer_than_it_may_take_to_come() {
    let limiter = Limiter::new(LimiterOptions::new().limit(1).claim_within(30 * MILLI));
    let held = limiter.acquire().await.unwrap();
    let mut asleep = Box::pin(limiter.acquire());
    assert!(poll!(&mut asleep).is_pending());
    let other = limiter.clone();
    let task = Handle::current().spawn(async move { other.acquire().await.map(|_| Instant::now()) });
    settle().await;
    let freed = Instant::now();
    drop(held);
    settle().await;
    assert!(!task.is_finished(), "the permit is kept for who came first");
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Full);
    let granted = task.await.unwrap().unwrap();
    assert!((30 * MILLI..32 * MILLI).contains(&(granted - freed)), "{:?}", granted - freed);
    // It keeps its place, and nothing of it is lost.
    assert!(asleep.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_sleeper_that_is_polled_in_time_is_first() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut first = Box::pin(limiter.acquire());
    let mut second = Box::pin(limiter.acquire());
    assert!(poll!(&mut first).is_pending() && poll!(&mut second).is_pending());
    drop(held);
    advance(9 * MILLI).await;
    assert!(poll!(&mut second).is_pending());
    assert!(poll!(&mut first).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_sleeper_takes_its_old_place_when_it_is_polled_again() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut asleep = Box::pin(limiter.acquire());
    let mut second = Box::pin(limiter.acquire());
    let mut third = Box::pin(limiter.acquire());
    assert!(poll!(&mut asleep).is_pending() && poll!(&mut second).is_pending());
    assert!(poll!(&mut third).is_pending());
    drop(held);
    let granted = timeout(Duration::from_secs(1), &mut second).await.unwrap();
    assert!(poll!(&mut asleep).is_pending());
    drop(granted);
    settle().await;
    assert!(poll!(&mut third).is_pending());
    assert!(poll!(&mut asleep).is_ready());
}

#[tokio::test(start_paused = true)]
async fn who_asks_without_waiting_passes_a_sleeper_once_it_has_had_its_time() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut asleep = Box::pin(limiter.acquire());
    assert!(poll!(&mut asleep).is_pending());
    drop(held);
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Full);
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 1));
    advance(10 * MILLI).await;
    assert!(limiter.try_acquire().is_ok());
}

/// Polls all of them, however many, and makes sure that they wait.
async fn stand_in_line<F: Future>(futures: &mut [Pin<Box<F>>]) {
    unconstrained(async {
        for future in futures {
            assert!(poll!(future).is_pending());
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_sleepers_are_passed_in_a_few_rounds() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut asleep: Vec<_> = (0..10_000).map(|_| Box::pin(limiter.acquire())).collect();
    stand_in_line(&mut asleep).await;
    let other = limiter.clone();
    let live = Handle::current().spawn(async move { other.acquire().await.map(drop) });
    settle().await;
    drop(held);
    let start = Instant::now();
    live.await.unwrap().unwrap();
    assert!(start.elapsed() < 250 * MILLI, "{:?}", start.elapsed());
    assert_eq!(limiter.stats().waiting, 10_000);
    // All of them come after all, in the order in which they came first.
    for future in &mut asleep {
        drop(timeout(Duration::from_secs(1), future).await.unwrap());
    }
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn sleepers_of_a_key_are_passed_in_a_few_rounds_and_other_keys_do_not_notice() {
    let limiter = KeyedLimiter::new(KeyedLimiterOptions::new().limit(2).limit_per_key(1));
    let held = limiter.acquire("a").await.unwrap();
    let mut asleep: Vec<_> = (0..1_000).map(|_| Box::pin(limiter.acquire("a"))).collect();
    stand_in_line(&mut asleep).await;
    let other = limiter.clone();
    let live = Handle::current().spawn(async move { other.acquire("a").await.map(drop) });
    settle().await;
    drop(held);
    let start = Instant::now();
    assert!(limiter.acquire("b").await.is_ok());
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert_eq!(timeout(200 * MILLI, live).await.unwrap().unwrap(), Ok(()));
    drop(asleep);
    assert_eq!(limiter.stats().keys, 0);
}

#[tokio::test(start_paused = true)]
async fn a_sleeper_that_wants_several_keys_holds_up_none_of_them() {
    let locks = KeyedLock::new();
    let held = locks.lock(1).await;
    let mut asleep = Box::pin(locks.lock_many([1, 2]));
    assert!(poll!(&mut asleep).is_pending());
    drop(held);
    for key in [1, 2] {
        drop(timeout(20 * MILLI, locks.lock(key)).await.unwrap());
    }
    assert_eq!(asleep.await.keys(), 2);
    assert!(locks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn whoever_polled_last_is_woken() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let other = limiter.clone();
    let mut moved = Box::pin(async move { other.acquire().await.map(drop) });
    assert!(poll!(&mut moved).is_pending());
    // Another task polls it with another waker.
    let task = Handle::current().spawn(moved);
    settle().await;
    drop(held);
    assert_eq!(timeout(MILLI, task).await.unwrap().unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_watched_when_nobody_else_waits() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut asleep = Box::pin(limiter.acquire());
    assert!(poll!(&mut asleep).is_pending());
    drop(held);
    sleep(Duration::from_secs(60)).await;
    // It was called a minute ago, and is not yet passed over by anybody.
    assert!(poll!(&mut asleep).is_ready());
}

#[test]
fn without_a_runtime_permits_change_hands_all_the_same() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.try_acquire().unwrap();
    let mut waiting = Box::pin(limiter.acquire());
    let mut behind = Box::pin(limiter.acquire());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(waiting.as_mut().poll(&mut context).is_pending());
    assert!(behind.as_mut().poll(&mut context).is_pending());
    drop(held);
    assert!(waiting.as_mut().poll(&mut context).is_ready());
    assert!(behind.as_mut().poll(&mut context).is_ready());
}

#[test]
fn a_limiter_outlives_the_runtime_of_who_waited() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.try_acquire().unwrap();
    let mut one = Box::pin(limiter.acquire());
    let mut two = Box::pin(limiter.acquire());
    let mut three = Box::pin(limiter.acquire());
    dayfly_testing::paused(async {
        assert!(poll!(&mut one).is_pending() && poll!(&mut two).is_pending());
        drop(held);
    });
    // The runtime is gone, and the timer that was started on it with it.
    dayfly_testing::paused(async {
        assert!(poll!(&mut three).is_pending());
        assert!(timeout(Duration::from_secs(1), three).await.unwrap().is_ok());
    });
}
