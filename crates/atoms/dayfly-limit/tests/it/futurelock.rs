//! Two programs that hang, and the same with the limiter and the lock.
//!
//! Oxide's RFD 609 calls it futurelock: a task stops polling a future that was given a lock, and waits for that lock
//! elsewhere. In futures-rs#2387 the futures of a buffered stream are given the permits that the stream's consumer waits
//! for. Each program is written once, against what locks; Tokio's primitives are what it hangs with.

use std::sync::Arc;
use std::time::Duration;

use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, KeyedLock, Limiter};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::error::Elapsed;
use tokio::time::{Instant, sleep, timeout};

/// So long on the paused clock, nothing else can happen any more.
const FOR_EVER: Duration = Duration::from_secs(24 * 3_600);

/// Oxide's: somebody holds the lock; a `select!` waits for it and for a timer by reference; the timer wins, and its branch
/// waits for the lock as well, while the first future still stands in line.
async fn futurelock<L, F, G>(lock: L) -> Result<(), Elapsed>
where
    L: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = G> + Send,
    G: Send,
{
    let mut tasks = JoinSet::new();
    let background = lock.clone();
    tasks.spawn(async move {
        let _held = background().await;
        sleep(Duration::from_secs(5)).await;
    });
    tokio::task::yield_now().await;
    let program = async {
        let mut first = std::pin::pin!(lock());
        tokio::select! {
            _ = &mut first => unreachable!("the lock is held for longer"),
            () = sleep(Duration::from_millis(500)) => drop(lock().await),
        }
    };
    let ended = timeout(FOR_EVER, program).await;
    tasks.join_all().await;
    ended
}

/// futures-rs#2387's: every future of a buffered stream needs a permit, and so does what consumes the stream.
async fn footgun<L, F, G>(permit: L) -> Result<usize, Elapsed>
where
    L: Fn() -> F,
    F: Future<Output = G>,
{
    let items = stream::iter(0..20).map(|_| async {
        let _permit = permit().await;
        sleep(Duration::from_millis(20)).await;
    });
    let mut consumed = 0;
    let program = items.buffer_unordered(5).for_each(|()| {
        consumed += 1;
        async { drop(permit().await) }
    });
    timeout(FOR_EVER, program).await.map(|()| consumed)
}

#[tokio::test(start_paused = true)]
async fn futurelock_hangs_with_tokios_mutex_and_semaphore() {
    let mutex = Arc::new(Mutex::new(()));
    let locked = move || {
        let mutex = Arc::clone(&mutex);
        async move { mutex.lock_owned().await }
    };
    assert!(futurelock(locked).await.is_err());
    let permits = Arc::new(Semaphore::new(1));
    let granted = move || {
        let permits = Arc::clone(&permits);
        async move { permits.acquire_owned().await.unwrap() }
    };
    assert!(futurelock(granted).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn futurelock_ends_with_a_limiter() {
    let limiter = Limiter::with_limit(1);
    let handle = limiter.clone();
    let start = Instant::now();
    let granted = move || {
        let limiter = handle.clone();
        async move { limiter.acquire().await.unwrap() }
    };
    futurelock(granted).await.unwrap();
    assert!(start.elapsed() < Duration::from_millis(5_050), "{:?}", start.elapsed());
    assert_eq!((limiter.stats().in_use, limiter.stats().waiting), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn futurelock_ends_with_keyed_limiters_and_locks() {
    let limiter = KeyedLimiter::new(KeyedLimiterOptions::new());
    let handle = limiter.clone();
    let granted = move || {
        let limiter = handle.clone();
        async move { limiter.acquire("key").await.unwrap() }
    };
    futurelock(granted).await.unwrap();
    assert_eq!(limiter.stats().keys, 0);

    let locks = KeyedLock::new();
    let handle = locks.clone();
    let locked = move || {
        let locks = handle.clone();
        async move { locks.lock("key").await }
    };
    futurelock(locked).await.unwrap();
    let handle = locks.clone();
    let locked = move || {
        let locks = handle.clone();
        async move { locks.lock_many(["key", "other"]).await }
    };
    futurelock(locked).await.unwrap();
    assert!(locks.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_buffered_stream_hangs_with_tokios_semaphore() {
    let permits = Arc::new(Semaphore::new(1));
    let granted = || {
        let permits = Arc::clone(&permits);
        async move { permits.acquire_owned().await.unwrap() }
    };
    assert!(footgun(granted).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_buffered_stream_ends_with_limiters_and_locks() {
    let start = Instant::now();
    let limiter = Limiter::with_limit(1);
    assert_eq!(footgun(|| async { limiter.acquire().await.unwrap() }).await, Ok(20));
    let keyed = KeyedLimiter::new(KeyedLimiterOptions::new());
    assert_eq!(footgun(|| async { keyed.acquire(1).await.unwrap() }).await, Ok(20));
    let locks = KeyedLock::new();
    assert_eq!(footgun(|| locks.lock(1)).await, Ok(20));
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert_eq!((limiter.stats().in_use, keyed.stats().keys, locks.len()), (0, 0, 0));
}
