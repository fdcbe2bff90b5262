//! One holder per key, and several keys at once.

use std::sync::{Arc, Mutex};

use dayfly_limit::{KeyedLock, TryLockError};
use dayfly_testing::settle;
use futures_util::poll;
use tokio::runtime::Handle;
use tokio::task::JoinSet;

#[tokio::test(start_paused = true)]
async fn the_same_key_waits_other_keys_go_on_and_afterwards_nothing_is_left() {
    let locks = KeyedLock::new();
    let first = locks.lock("a").await;
    let mut second = Box::pin(locks.lock("a"));
    assert!(poll!(&mut second).is_pending());
    let other = locks.lock("b").await;
    assert!(locks.is_locked(&"a") && locks.is_locked(&"b") && !locks.is_locked(&"c"));
    assert_eq!((locks.len(), locks.holders(), locks.waiting(&"a")), (2, 2, 1));
    drop(first);
    drop(second.await);
    drop(other);
    assert!(locks.is_empty());
    assert_eq!((locks.holders(), locks.waiting(&"a")), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_key_goes_to_those_who_wait_in_the_order_in_which_they_came() {
    let (locks, log) = (KeyedLock::new(), Arc::new(Mutex::new(Vec::new())));
    let held = locks.lock(7).await;
    let mut tasks = JoinSet::new();
    for number in 0..50 {
        let (locks, log) = (locks.clone(), log.clone());
        tasks.spawn(async move {
            let _guard = locks.lock(7).await;
            log.lock().unwrap().push(number);
            tokio::task::yield_now().await;
        });
    }
    settle().await;
    drop(held);
    tasks.join_all().await;
    assert_eq!(*log.lock().unwrap(), (0..50).collect::<Vec<_>>());
    assert!(locks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn trying_takes_nothing_that_others_hold_or_wait_for() {
    let locks = KeyedLock::new();
    let held = locks.try_lock("a").unwrap();
    assert_eq!(locks.try_lock("a").unwrap_err(), TryLockError::Locked);
    assert_eq!(locks.try_lock_many(["b", "a"]).unwrap_err(), TryLockError::Locked);
    assert_eq!(locks.len(), 1, "of several keys none is taken");
    let mut both = Box::pin(locks.lock_many(["a", "b"]));
    assert!(poll!(&mut both).is_pending());
    assert_eq!(locks.try_lock("b").unwrap_err(), TryLockError::Locked, "it is waited for");
    assert!(!locks.is_locked(&"b"));
    drop(held);
    drop(both.await);
    assert_eq!(locks.try_lock_many(["b", "a"]).unwrap().keys(), 2);
    assert!(locks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_same_key_twice_is_one_lock_and_no_key_is_none() {
    let locks = KeyedLock::new();
    let guard = locks.lock_many(["a", "b", "a", "a"]).await;
    assert_eq!((guard.keys(), locks.len()), (2, 2));
    let none = locks.lock_many([]).await;
    assert_eq!(none.keys(), 0);
    drop((guard, none));
    assert!(locks.is_empty());
    assert_eq!(locks.holders(), 0);
}

#[tokio::test(start_paused = true)]
async fn several_keys_are_got_at_one_moment_and_in_the_order_of_coming() {
    let locks = KeyedLock::new();
    let a = locks.lock("a").await;
    let b = locks.lock("b").await;
    let mut both = Box::pin(locks.lock_many(["b", "a"]));
    let mut behind = Box::pin(locks.lock("a"));
    assert!(poll!(&mut both).is_pending() && poll!(&mut behind).is_pending());
    drop(a);
    assert!(poll!(&mut both).is_pending() && poll!(&mut behind).is_pending());
    assert!(!locks.is_locked(&"a"), "nothing is held while another key is waited for");
    drop(b);
    drop(both.await);
    drop(behind.await);
    assert!(locks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_gives_up_several_keys_lets_those_behind_go_in_each_line() {
    let locks = KeyedLock::new();
    let a = locks.lock(1).await;
    let mut both = Box::pin(locks.lock_many([1, 2]));
    let mut behind = Box::pin(locks.lock(2));
    assert!(poll!(&mut both).is_pending() && poll!(&mut behind).is_pending());
    drop(both);
    assert!(poll!(&mut behind).is_ready());
    drop(a);
    drop(behind);
    assert!(locks.is_empty());
}

#[test]
fn callers_that_name_their_keys_in_any_order_do_not_deadlock() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let locks = KeyedLock::new();
    let inside: Arc<[Mutex<()>; 4]> = Arc::default();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..8_usize {
            let (locks, inside) = (locks.clone(), inside.clone());
            tasks.spawn(async move {
                for round in 0..500 {
                    let keys = [(task + round) % 4, (task * 3 + round) % 4, round % 4];
                    let _guard = locks.lock_many(keys).await;
                    for key in std::collections::BTreeSet::from(keys) {
                        drop(inside[key].try_lock().unwrap());
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        tasks.join_all().await;
    });
    assert!(locks.is_empty());
}

#[test]
fn callers_that_give_up_at_any_moment_leave_nothing_locked_and_nobody_waiting() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let locks = KeyedLock::new();
    let inside: Arc<[Mutex<()>; 4]> = Arc::default();
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..8_usize {
            let (locks, inside) = (locks.clone(), inside.clone());
            tasks.spawn(async move {
                for round in 0..500 {
                    let keys = [(task + round) % 4, (task * 3 + round) % 4, (task + round) % 4];
                    let mut lock = Box::pin(locks.lock_many(keys));
                    if (task + round) % 3 > 0 {
                        // It stands in line, perhaps it is called, and then it is gone.
                        if poll!(&mut lock).is_pending() {
                            tokio::task::yield_now().await;
                        }
                        continue;
                    }
                    let _guard = lock.await;
                    for key in std::collections::BTreeSet::from(keys) {
                        drop(inside[key].try_lock().unwrap());
                    }
                    tokio::task::yield_now().await;
                }
            });
        }
        tasks.join_all().await;
    });
    assert_eq!((locks.len(), locks.holders()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_panic_releases_the_lock() {
    let locks = KeyedLock::new();
    let handle = locks.clone();
    let task = Handle::current().spawn(async move {
        let _guard = handle.lock_many([1, 2]).await;
        panic!("the body fails");
    });
    assert!(task.await.is_err());
    assert!(locks.is_empty());
}
