//! Every public future of the crate, dropped at every moment of its life: no permit, place, key or wake-up is lost.

use std::time::Duration;

use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, KeyedLock, Limiter, Request};
use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

const SECOND: Duration = Duration::from_secs(1);

/// A limiter of two, both of which are held for a second, and a task that comes after the future under test.
fn busy() -> (Limiter, std::sync::Arc<tokio::sync::Notify>) {
    let limiter = Limiter::with_limit(2);
    let held = [limiter.try_acquire().unwrap(), limiter.try_acquire().unwrap()];
    Handle::current().spawn(async move {
        sleep(SECOND).await;
        drop(held);
    });
    let (other, served) = (limiter.clone(), std::sync::Arc::new(tokio::sync::Notify::new()));
    let told = served.clone();
    Handle::current().spawn(async move {
        sleep(SECOND / 2).await;
        drop(other.acquire_many(2).await.unwrap());
        told.notify_one();
    });
    (limiter, served)
}

/// Whatever became of the future, who stood behind it is served within the second, and then all is free.
async fn nothing_is_lost(limiter: &Limiter, served: &tokio::sync::Notify) {
    timeout(SECOND + SECOND / 10, served.notified()).await.unwrap();
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting), (0, 0));
    assert!(limiter.try_acquire_many(2).is_ok());
}

#[test]
fn a_dropped_wait_for_permits_loses_none() {
    let report = drop_at_every_poll(
        busy,
        |(limiter, _)| async move { drop(limiter.acquire_many(2).await.unwrap()) },
        |(limiter, served), _| async move { nothing_is_lost(&limiter, &served).await },
    );
    assert!(report.polls >= 2, "{report:?}");
    drop_at_every_poll(
        busy,
        |(limiter, _)| async move { drop(limiter.acquire().await.unwrap()) },
        |(limiter, served), _| async move { nothing_is_lost(&limiter, &served).await },
    );
}

#[test]
fn a_dropped_wait_with_a_limit_of_time_loses_no_permit() {
    for (time, in_time) in [(2 * SECOND, true), (SECOND / 4, false)] {
        let report = drop_at_every_poll(
            busy,
            |(limiter, _)| async move { assert_eq!(limiter.acquire_within(time).await.is_ok(), in_time) },
            |(limiter, served), _| async move { nothing_is_lost(&limiter, &served).await },
        );
        assert!(report.polls >= 2, "{report:?}");
        drop_at_every_poll(
            busy,
            |(limiter, _)| async move {
                let granted = limiter.acquire_by(Instant::now() + time).await;
                assert_eq!(granted.is_ok(), in_time);
            },
            |(limiter, served), _| async move { nothing_is_lost(&limiter, &served).await },
        );
        drop_at_every_poll(
            busy,
            |(limiter, _)| async move {
                let granted = limiter.acquire_with(Request::new().permits(2).timeout(time)).await;
                assert_eq!(granted.is_ok(), in_time);
            },
            |(limiter, served), _| async move { nothing_is_lost(&limiter, &served).await },
        );
    }
}

/// One of each in all, held for a second.
fn busy_keys() -> KeyedLimiter<u32> {
    let limiter = KeyedLimiter::new(KeyedLimiterOptions::new().limit(2));
    for key in [1, 2] {
        let held = limiter.try_acquire(key).unwrap();
        Handle::current().spawn(async move {
            sleep(SECOND * key).await;
            drop(held);
        });
    }
    limiter
}

async fn no_key_is_lost(limiter: &KeyedLimiter<u32>) {
    // Who stands behind is served as soon as the key is free, and other keys as soon as anything is.
    assert!(limiter.acquire_within(3, 2 * SECOND).await.is_ok());
    assert!(limiter.acquire_within(1, 2 * SECOND).await.is_ok());
    sleep(2 * SECOND).await;
    let stats = limiter.stats();
    assert_eq!((stats.in_use, stats.waiting, stats.keys), (0, 0, 0));
}

#[test]
fn a_dropped_wait_for_a_key_loses_neither_the_key_nor_a_permit() {
    for key in [1, 3] {
        let report = drop_at_every_poll(
            busy_keys,
            |limiter| async move { drop(limiter.acquire(key).await.unwrap()) },
            |limiter, _| async move { no_key_is_lost(&limiter).await },
        );
        assert!(report.polls >= 2, "{report:?}");
        drop_at_every_poll(
            busy_keys,
            |limiter| async move { drop(limiter.acquire_many(key, 1).await.unwrap()) },
            |limiter, _| async move { no_key_is_lost(&limiter).await },
        );
        drop_at_every_poll(
            busy_keys,
            |limiter| async move { assert!(limiter.acquire_within(key, SECOND / 2).await.is_err()) },
            |limiter, _| async move { no_key_is_lost(&limiter).await },
        );
        drop_at_every_poll(
            busy_keys,
            |limiter| async move { drop(limiter.acquire_by(key, Instant::now() + 2 * SECOND).await.unwrap()) },
            |limiter, _| async move { no_key_is_lost(&limiter).await },
        );
        drop_at_every_poll(
            busy_keys,
            |limiter| async move { drop(limiter.acquire_with(key, Request::new()).await.unwrap()) },
            |limiter, _| async move { no_key_is_lost(&limiter).await },
        );
    }
}

/// Two keys, held for one second and for two.
fn locked() -> KeyedLock<u32> {
    let locks = KeyedLock::new();
    for key in [1, 2] {
        let held = locks.try_lock(key).unwrap();
        Handle::current().spawn(async move {
            sleep(SECOND * key).await;
            drop(held);
        });
    }
    locks
}

#[test]
fn a_dropped_wait_for_locks_leaves_no_key_locked() {
    let report = drop_at_every_poll(
        locked,
        |locks| async move { drop(locks.lock(1).await) },
        |locks, point| async move {
            if point != DropPoint::Completed {
                drop(timeout(SECOND + SECOND / 10, locks.lock(1)).await.unwrap());
            }
            sleep(2 * SECOND).await;
            assert!(locks.is_empty());
        },
    );
    assert!(report.polls >= 2, "{report:?}");
    let report = drop_at_every_poll(
        locked,
        |locks| async move { drop(locks.lock_many([2, 1, 3]).await) },
        |locks, _| async move {
            drop(locks.try_lock(3).unwrap());
            drop(timeout(2 * SECOND + SECOND / 10, locks.lock_many([1, 2])).await.unwrap());
            assert!(locks.is_empty());
        },
    );
    assert!(report.polls >= 2, "{report:?}");
}

#[test]
fn nobody_behind_a_dropped_wait_is_left_out() {
    drop_at_every_poll(
        || {
            let locks = locked();
            for keys in [vec![1], vec![2, 1]] {
                let locks = locks.clone();
                Handle::current().spawn(async move {
                    sleep(SECOND / 2).await;
                    drop(locks.lock_many(keys).await);
                });
            }
            locks
        },
        |locks| async move { drop(locks.lock_many([1, 2]).await) },
        |locks, _| async move {
            sleep(2 * SECOND + SECOND / 10).await;
            assert!(locks.is_empty());
        },
    );
}
