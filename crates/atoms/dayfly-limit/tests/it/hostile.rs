//! Keys and wakers that panic, waiters by the thousand, and threads.

use std::cell::Cell;
use std::hash::{Hash, Hasher};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, KeyedLock, Limiter, Priority, Request};
use futures_util::poll;
use tokio::runtime::{Builder, Handle};
use tokio::task::JoinSet;
use tokio::time::timeout;

thread_local! {
    /// What goes off next.
    static TRAP: Cell<Option<&'static str>> = const { Cell::new(None) };
}

fn spring(trap: &'static str) {
    if TRAP.get() == Some(trap) {
        TRAP.set(None);
        panic!("{trap} panics");
    }
}

/// All of them have the same hash.
#[derive(Debug)]
struct Trapped(u8);

impl Hash for Trapped {
    fn hash<H: Hasher>(&self, _: &mut H) {
        spring("hash");
    }
}

impl PartialEq for Trapped {
    fn eq(&self, other: &Self) -> bool {
        spring("eq");
        self.0 == other.0
    }
}

impl Eq for Trapped {}

impl Drop for Trapped {
    fn drop(&mut self) {
        spring("drop");
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_that_panics_costs_only_its_own_request() {
    let locks = KeyedLock::new();
    let held = locks.lock_many([Trapped(1), Trapped(2)]).await;
    for trap in ["hash", "eq"] {
        TRAP.set(Some(trap));
        let tried = catch_unwind(AssertUnwindSafe(|| locks.try_lock(Trapped(1)).is_ok()));
        assert!(tried.is_err(), "{trap}");
        TRAP.set(Some(trap));
        let tried = catch_unwind(AssertUnwindSafe(|| locks.try_lock_many([Trapped(3), Trapped(2)]).is_ok()));
        assert!(tried.is_err(), "{trap}");
        assert_eq!((locks.len(), locks.holders()), (2, 1), "{trap}");
    }
    let mut waiting = Box::pin(locks.lock(Trapped(2)));
    assert!(poll!(&mut waiting).is_pending());
    TRAP.set(Some("drop"));
    drop(held);
    assert_eq!(TRAP.get(), None, "a key was dropped, and its panic went nowhere");
    assert!(poll!(&mut waiting).is_ready());
    drop(waiting);
    assert!(locks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_there_already_and_panics_on_its_way_out_takes_no_permit_along() {
    let limiter = KeyedLimiter::new(KeyedLimiterOptions::new().limit_per_key(3));
    let first = limiter.acquire(Trapped(1)).await.unwrap();
    TRAP.set(Some("drop"));
    let second = limiter.try_acquire(Trapped(1)).unwrap();
    assert_eq!(TRAP.get(), None, "the surplus key was dropped, and its panic went nowhere");
    TRAP.set(Some("drop"));
    let third = limiter.acquire(Trapped(1)).await.unwrap();
    assert_eq!((TRAP.get(), limiter.stats().in_use), (None, 3));
    drop((first, second, third));
    assert_eq!((limiter.stats().in_use, limiter.stats().keys), (0, 0));
}

struct Bomb(AtomicUsize);

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        panic!("the waker panics");
    }
}

#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_keeps_nobody_else_from_its_turn() {
    let limiter = Limiter::with_limit(2);
    let held = limiter.acquire_many(2).await.unwrap();
    let bomb = Arc::new(Bomb(AtomicUsize::new(0)));
    let mut first = Box::pin(limiter.acquire());
    let waker = Waker::from(bomb.clone());
    assert!(first.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let other = limiter.clone();
    let second = Handle::current().spawn(async move { other.acquire().await.is_ok() });
    dayfly_testing::settle().await;
    drop(held);
    assert_eq!(bomb.0.load(Ordering::SeqCst), 1);
    assert!(timeout(Duration::from_secs(1), second).await.unwrap().unwrap());
    assert!(first.await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_wait_and_are_all_served_in_order() {
    let limiter = Limiter::with_limit(1);
    let served = Arc::new(AtomicUsize::new(0));
    let held = limiter.acquire().await.unwrap();
    let mut tasks = JoinSet::new();
    for number in 0..10_000 {
        let (limiter, served) = (limiter.clone(), served.clone());
        tasks.spawn(async move {
            let _permit = limiter.acquire().await.unwrap();
            assert_eq!(served.fetch_add(1, Ordering::SeqCst), number);
        });
    }
    dayfly_testing::settle().await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(limiter.stats().waiting, 10_000);
    drop(held);
    while let Some(ended) = tasks.join_next().await {
        ended.unwrap();
    }
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
}

#[test]
fn threads_never_see_more_in_use_than_the_limit_while_it_changes() {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let limiter = Limiter::with_limit(4);
    let (inside, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    runtime.block_on(async {
        let mut tasks = JoinSet::new();
        for task in 0..16_usize {
            let (limiter, inside, most) = (limiter.clone(), inside.clone(), most.clone());
            tasks.spawn(async move {
                for round in 0..500 {
                    let permits = 1 + (task + round) % 2;
                    let priority = if round % 5 == 0 { Priority::High } else { Priority::Normal };
                    let request = Request::new().permits(permits).priority(priority);
                    let permit = if round % 7 == 0 {
                        timeout(Duration::from_micros(50), limiter.acquire_with(request)).await.ok()
                    } else {
                        Some(limiter.acquire_with(request).await)
                    };
                    let Some(permit) = permit else { continue };
                    let permit = permit.unwrap();
                    most.fetch_max(inside.fetch_add(permits, Ordering::SeqCst) + permits, Ordering::SeqCst);
                    tokio::task::yield_now().await;
                    inside.fetch_sub(permits, Ordering::SeqCst);
                    drop(permit);
                    if round % 50 == task {
                        limiter.set_limit(2 + round % 3).unwrap();
                    }
                }
            });
        }
        tasks.join_all().await;
    });
    assert!(most.load(Ordering::SeqCst) <= 4);
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
}

#[test]
fn a_million_keys_leave_nothing_behind() {
    dayfly_testing::paused(async {
        let limiter = KeyedLimiter::new(KeyedLimiterOptions::new().max_keys(2));
        let locks = KeyedLock::new();
        for key in 0..1_000_000_u64 {
            drop((limiter.acquire(key).await.unwrap(), locks.lock(key).await));
        }
        assert_eq!((limiter.stats().keys, locks.len()), (0, 0));
    });
}
