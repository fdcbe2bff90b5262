//! Permits per key, and in all.

use std::time::Duration;

use dayfly_limit::{
    KeyedAcquireError, KeyedLimiter, KeyedLimiterOptions, KeyedPermit, SetLimitError, TryKeyedAcquireError,
};
use dayfly_testing::settle;
use futures_util::poll;
use tokio::runtime::Handle;

const OPTIONS: KeyedLimiterOptions = KeyedLimiterOptions::new().limit(3).limit_per_key(2).max_keys(4);

fn limiter() -> KeyedLimiter<&'static str> {
    KeyedLimiter::new(OPTIONS)
}

#[tokio::test(start_paused = true)]
async fn neither_limit_is_exceeded() {
    let limiter = limiter();
    let _a = limiter.acquire_many("a", 2).await.unwrap();
    assert_eq!(limiter.try_acquire("a").unwrap_err(), TryKeyedAcquireError::Full);
    let b = limiter.acquire("b").await.unwrap();
    assert_eq!(limiter.try_acquire("c").unwrap_err(), TryKeyedAcquireError::Full);
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.keys, stats.limit, stats.limit_per_key), (3, 2, 3, 2));
    drop(b);
    assert!(limiter.try_acquire("c").is_ok());
    assert!(limiter.key_usage(&"b").is_none());
    assert_eq!(limiter.key_usage(&"a").unwrap().in_use, 2);
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_a_key_holds_nothing_that_another_could_use() {
    let limiter = limiter();
    let held = limiter.acquire_many("a", 2).await.unwrap();
    let mut behind: Vec<_> = (0..100).map(|_| Box::pin(limiter.acquire("a"))).collect();
    for future in &mut behind {
        assert!(poll!(future).is_pending());
    }
    for key in ["b", "c", "d"] {
        drop(limiter.try_acquire(key).unwrap());
        drop(limiter.acquire(key).await.unwrap());
    }
    assert_eq!(limiter.key_usage(&"a").unwrap().waiting, 100);
    drop(held);
    let mut ready = 0;
    for future in &mut behind {
        ready += usize::from(poll!(future).is_ready());
    }
    // Each permit was dropped as soon as it was granted, so all had their turn.
    assert_eq!((ready, limiter.stats().keys), (100, 0));
}

#[tokio::test(start_paused = true)]
async fn across_keys_it_is_first_come_first_served_among_those_whose_key_has_room() {
    let limiter = KeyedLimiter::new(OPTIONS.limit(2).limit_per_key(1));
    let a = limiter.acquire("a").await.unwrap();
    let b = limiter.acquire("b").await.unwrap();
    let mut second_a = Box::pin(limiter.acquire("a"));
    let mut c = Box::pin(limiter.acquire("c"));
    let mut d = Box::pin(limiter.acquire("d"));
    for future in [&mut second_a, &mut c, &mut d] {
        assert!(poll!(future).is_pending());
    }
    drop(b);
    assert!(poll!(&mut second_a).is_pending() && poll!(&mut d).is_pending());
    let c = c.await.unwrap();
    drop(a);
    assert!(poll!(&mut d).is_pending(), "the older request goes first once its key has room");
    drop(second_a.await.unwrap());
    assert!(poll!(&mut d).is_ready());
    drop(c);
}

#[tokio::test(start_paused = true)]
async fn keys_leave_with_the_last_who_holds_them_or_waits() {
    let limiter = limiter();
    let held = limiter.acquire_many("a", 2).await.unwrap();
    let mut waiting = Box::pin(limiter.acquire("a"));
    assert!(poll!(&mut waiting).is_pending());
    drop(held);
    assert_eq!(limiter.stats().keys, 1);
    drop(waiting);
    assert_eq!(limiter.stats().keys, 0);
    assert!(limiter.try_acquire_many("a", 0).is_ok());
    assert_eq!(limiter.stats().keys, 0);
}

#[tokio::test(start_paused = true)]
async fn there_are_no_more_keys_than_the_bound() {
    let limiter = KeyedLimiter::new(OPTIONS.limit(100));
    let held: Vec<KeyedPermit<_>> = ["a", "b", "c", "d"].map(|key| limiter.try_acquire(key).unwrap()).into();
    let too_many = KeyedAcquireError::TooManyKeys { max_keys: 4 };
    assert_eq!(limiter.acquire("e").await.unwrap_err(), too_many);
    assert_eq!(limiter.try_acquire("e").unwrap_err(), TryKeyedAcquireError::TooManyKeys { max_keys: 4 });
    assert!(limiter.try_acquire("a").is_ok(), "a key that is there needs no room");
    drop(held);
    assert!(limiter.acquire("e").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_neither_limit_can_ever_admit_is_refused() {
    let limiter = limiter();
    assert_eq!(limiter.acquire_many("a", 3).await.unwrap_err(), KeyedAcquireError::TooLarge { limit: 2 });
    let _held = limiter.acquire("a").await.unwrap();
    let mut large = Box::pin(limiter.acquire_many("a", 2));
    let mut behind = Box::pin(limiter.acquire("a"));
    assert!(poll!(&mut large).is_pending() && poll!(&mut behind).is_pending());
    limiter.set_limit_per_key(1).unwrap();
    assert_eq!(large.await.unwrap_err(), KeyedAcquireError::TooLarge { limit: 1 });
    limiter.set_limit_per_key(2).unwrap();
    assert!(poll!(&mut behind).is_ready());
    assert_eq!(limiter.set_limit_per_key(0), Err(SetLimitError::Zero));
    assert_eq!(limiter.set_limit(0), Err(SetLimitError::Zero));
}

#[tokio::test(start_paused = true)]
async fn limits_follow_below_what_is_in_use() {
    let limiter = limiter();
    let a = limiter.acquire_many("a", 2).await.unwrap();
    limiter.set_limit(1).unwrap();
    let mut b = Box::pin(limiter.acquire("b"));
    assert!(poll!(&mut b).is_pending());
    drop(a);
    assert!(poll!(&mut b).is_ready());
}

#[tokio::test(start_paused = true)]
async fn close_refuses_all_and_the_table_empties() {
    let limiter = limiter();
    let held = limiter.acquire_many("a", 2).await.unwrap();
    let other = limiter.clone();
    let task = Handle::current().spawn(async move { other.acquire("a").await.map(drop) });
    settle().await;
    limiter.close();
    assert!(limiter.is_closed());
    assert_eq!(task.await.unwrap(), Err(KeyedAcquireError::Closed));
    assert_eq!(limiter.try_acquire("b").unwrap_err(), TryKeyedAcquireError::Closed);
    drop(held);
    assert_eq!((limiter.stats().keys, limiter.stats().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_wait_for_a_key_ends_in_time() {
    let limiter = limiter();
    let _held = limiter.acquire_many("a", 2).await.unwrap();
    let late = limiter.acquire_within("a", Duration::from_secs(1)).await;
    assert_eq!(late.unwrap_err(), KeyedAcquireError::TimedOut);
    let late = limiter.acquire_by("a", tokio::time::Instant::now()).await;
    assert_eq!(late.unwrap_err(), KeyedAcquireError::TimedOut);
    assert_eq!(limiter.key_usage(&"a").unwrap().waiting, 0);
}
