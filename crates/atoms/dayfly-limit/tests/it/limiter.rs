//! A number of permits, and what changing it does.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use dayfly_limit::{AcquireError, Limiter, LimiterOptions, Request, SetLimitError, TryAcquireError};
use dayfly_testing::settle;
use futures_util::poll;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

#[tokio::test(start_paused = true)]
async fn no_more_are_granted_than_the_limit_allows() {
    let limiter = Limiter::with_limit(2);
    let one = limiter.try_acquire().unwrap();
    let _two = limiter.acquire().await.unwrap();
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Full);
    let mut third = Box::pin(limiter.acquire());
    assert!(poll!(&mut third).is_pending());
    let stats = limiter.stats();
    assert_eq!((stats.limit, stats.in_use, stats.waiting), (2, 2, 1));
    drop(one);
    assert!(poll!(&mut third).is_ready());
}

#[tokio::test(start_paused = true)]
async fn a_lower_limit_holds_for_the_next_request_and_a_higher_one_at_once() {
    let limiter = Limiter::with_limit(8);
    let mut held = Vec::new();
    for _ in 0..8 {
        held.push(limiter.acquire().await.unwrap());
    }
    limiter.set_limit(2).unwrap();
    assert_eq!((limiter.limit(), limiter.stats().in_use), (2, 8));
    let mut next = Box::pin(limiter.acquire());
    assert!(poll!(&mut next).is_pending());
    while held.len() > 2 {
        held.pop();
        assert!(poll!(&mut next).is_pending(), "{} in use", held.len());
    }
    held.pop();
    held.push(next.await.unwrap());
    let mut waiting: Vec<_> = (0..7).map(|_| Box::pin(limiter.acquire())).collect();
    for future in &mut waiting {
        assert!(poll!(future).is_pending());
    }
    limiter.set_limit(8).unwrap();
    let mut pending = 0;
    for future in &mut waiting {
        match poll!(future) {
            std::task::Poll::Ready(permit) => held.push(permit.unwrap()),
            std::task::Poll::Pending => pending += 1,
        }
    }
    assert_eq!((held.len(), pending), (8, 1), "never nine at once");
}

#[tokio::test(start_paused = true)]
async fn a_limit_that_falls_takes_back_what_was_kept_for_who_was_woken() {
    let limiter = Limiter::with_limit(2);
    let one = limiter.acquire().await.unwrap();
    let two = limiter.acquire().await.unwrap();
    let mut waiting = Box::pin(limiter.acquire());
    assert!(poll!(&mut waiting).is_pending());
    drop(one);
    limiter.set_limit(1).unwrap();
    assert!(poll!(&mut waiting).is_pending());
    assert_eq!(limiter.stats().in_use, 1);
    drop(two);
    assert!(poll!(&mut waiting).is_ready());
}

#[tokio::test(start_paused = true)]
async fn zero_is_an_error_unless_it_is_asked_for() {
    assert_eq!(Limiter::with_limit(1).set_limit(0), Err(SetLimitError::Zero));
    assert!(catch_unwind(|| LimiterOptions::new().limit(0)).is_err());
    assert!(catch_unwind(|| Limiter::with_limit(0)).is_err());
    let limiter = Limiter::new(LimiterOptions::new().allow_zero().limit(0));
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Full);
    let mut small = Box::pin(limiter.acquire());
    let mut large = Box::pin(limiter.acquire_many(1_000));
    assert!(poll!(&mut small).is_pending() && poll!(&mut large).is_pending());
    limiter.set_limit(3).unwrap();
    assert!(poll!(&mut small).is_ready());
    assert_eq!(large.await.unwrap_err(), AcquireError::TooLarge { limit: 3 });
    assert_eq!(limiter.set_limit(0), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_fits_is_refused_at_once_and_when_the_limit_falls() {
    let limiter = Limiter::with_limit(4);
    assert_eq!(limiter.acquire_many(5).await.unwrap_err(), AcquireError::TooLarge { limit: 4 });
    assert_eq!(limiter.try_acquire_many(5).unwrap_err(), TryAcquireError::TooLarge { limit: 4 });
    let held = limiter.acquire_many(3).await.unwrap();
    let mut large = Box::pin(limiter.acquire_many(4));
    let mut small = Box::pin(limiter.acquire());
    assert!(poll!(&mut large).is_pending() && poll!(&mut small).is_pending(), "it is not overtaken");
    limiter.set_limit(3).unwrap();
    assert_eq!(large.await.unwrap_err(), AcquireError::TooLarge { limit: 3 });
    drop(held);
    assert!(poll!(&mut small).is_ready(), "and holds up nobody any more");
    assert!(limiter.try_acquire_many(usize::MAX).is_err());
}

#[tokio::test(start_paused = true)]
async fn no_permits_are_granted_without_a_wait_and_take_nothing() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut waiting = Box::pin(limiter.acquire());
    assert!(poll!(&mut waiting).is_pending());
    let none = limiter.acquire_many(0).await.unwrap();
    assert_eq!((none.permits(), limiter.stats().in_use), (0, 1));
    drop((none, held));
    assert!(poll!(&mut waiting).is_ready());
    limiter.close();
    assert_eq!(limiter.acquire_many(0).await.unwrap_err(), AcquireError::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_part_of_a_permit_can_be_given_back() {
    let limiter = Limiter::with_limit(5);
    let mut all = limiter.acquire_many(5).await.unwrap();
    assert!(all.split(6).is_none());
    let part = all.split(3).unwrap();
    assert_eq!((all.permits(), part.permits(), limiter.stats().in_use), (2, 3, 5));
    drop(part);
    assert_eq!(limiter.stats().in_use, 2);
    let rest = all.split(2).unwrap();
    drop(all);
    assert_eq!(limiter.stats().in_use, 2);
    drop(rest);
    assert_eq!(limiter.stats().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn close_refuses_who_waits_and_leaves_what_is_granted() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let other = limiter.clone();
    let waiting = Handle::current().spawn(async move { other.acquire().await.map(drop) });
    settle().await;
    limiter.close();
    limiter.close();
    assert!(limiter.is_closed());
    assert_eq!(waiting.await.unwrap(), Err(AcquireError::Closed));
    assert_eq!(limiter.acquire().await.unwrap_err(), AcquireError::Closed);
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Closed);
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (1, 0));
    drop(held);
    assert_eq!(limiter.stats().in_use, 0);
}

#[tokio::test(start_paused = true)]
async fn who_was_woken_before_the_close_and_comes_after_it_is_refused() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let mut waiting = Box::pin(limiter.acquire());
    assert!(poll!(&mut waiting).is_pending());
    drop(held);
    limiter.close();
    assert_eq!(waiting.await.unwrap_err(), AcquireError::Closed);
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_deadline() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let start = Instant::now();
    let late = limiter.acquire_within(Duration::from_secs(3)).await;
    assert_eq!(late.unwrap_err(), AcquireError::TimedOut);
    assert_eq!(start.elapsed(), Duration::from_secs(3));
    let late = limiter.acquire_by(start + Duration::from_secs(4)).await;
    assert_eq!(late.unwrap_err(), AcquireError::TimedOut);
    assert_eq!(start.elapsed(), Duration::from_secs(4));
    assert_eq!(limiter.stats().waiting, 0);
    assert_eq!(limiter.acquire_by(start).await.unwrap_err(), AcquireError::TimedOut);
    drop(held);
    assert!(limiter.acquire_by(start).await.is_ok(), "what is free is granted");
    assert!(limiter.acquire_within(Duration::ZERO).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_timeout_beyond_the_clock_is_none() {
    let limiter = Limiter::with_limit(1);
    let held = limiter.acquire().await.unwrap();
    let other = limiter.clone();
    let task = Handle::current().spawn(async move { other.acquire_within(Duration::MAX).await.map(drop) });
    sleep(Duration::from_secs(3_600)).await;
    drop(held);
    assert_eq!(task.await.unwrap(), Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_panic_gives_the_permit_back() {
    let limiter = Limiter::with_limit(1);
    let permit = limiter.acquire().await.unwrap();
    let body = AssertUnwindSafe(move || {
        let _permit = permit;
        panic!("the body fails");
    });
    assert!(catch_unwind(body).is_err());
    assert_eq!(limiter.stats().in_use, 0);
    let task = Handle::current().spawn({
        let limiter = limiter.clone();
        async move {
            let _permit = limiter.acquire().await.unwrap();
            panic!("so does the task");
        }
    });
    assert!(task.await.is_err());
    assert!(limiter.try_acquire().is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_permit_may_outlive_every_handle() {
    let limiter = Limiter::with_limit(1);
    let permit = limiter.acquire().await.unwrap();
    drop(limiter);
    Handle::current().spawn(async move { drop(permit) }).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_greatest_limit_can_be_used() {
    let limiter = Limiter::with_limit(usize::MAX);
    let all = limiter.acquire_many(usize::MAX).await.unwrap();
    assert_eq!(limiter.try_acquire().unwrap_err(), TryAcquireError::Full);
    let mut waiting = Box::pin(limiter.acquire_with(Request::new().permits(usize::MAX)));
    assert!(poll!(&mut waiting).is_pending());
    drop(all);
    assert_eq!(waiting.await.unwrap().permits(), usize::MAX);
}
