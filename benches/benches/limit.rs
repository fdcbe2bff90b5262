//! What does a permit cost, and what the lock of a key?

use std::process::ExitCode;
use std::sync::Arc;

use dashmap::DashMap;
use dayfly_benches::body::Body;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::runtimes::stages;
use dayfly_benches::traffic::{uniform, zipf};
use dayfly_limit::{KeyedLimiter, KeyedLimiterOptions, KeyedLock, Limiter};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

/// A multiple of the tasks.
const ALONE: u64 = 500_000;
const TOGETHER: u64 = 3_000 * TASKS;
const TASKS: u64 = 64;
const PERMITS: usize = 8;
const KEYS: u64 = 10_000;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let (uniform, zipf) = (&*uniform(KEYS, ALONE).leak(), &*zipf(KEYS, TOGETHER).leak());
    // Where the one stands that waits for the tasks makes no difference to them.
    let [mt2, inside, ct] = &stages();
    for stage in [inside, ct] {
        runner.ask(
            Contest::new(format!("limit, {}, one task, acquire and release", stage.name), ALONE)
                .with("tokio Semaphore, owned", |n| stage.run(n, semaphore(1, n, Body::Ready)))
                .with("dayfly Limiter", |n| stage.run(n, limiter(1, n, Body::Ready)))
                .with("dayfly KeyedLimiter, one key", |n| stage.run(n, keyed(n)))
                .with("tokio Semaphore, lent", |n| stage.run(n, lent(n))),
        );
    }
    for stage in [mt2, ct] {
        for (kind, body) in [("ready", Body::Ready), ("yields", Body::Yields)] {
            runner.ask(
                Contest::new(format!("limit, {}, 64 tasks on 8 permits, {kind}", stage.name), TOGETHER)
                    .with("tokio Semaphore, owned", |n| stage.run(n, semaphore(TASKS, n, body)))
                    .with("dayfly Limiter", |n| stage.run(n, limiter(TASKS, n, body))),
            );
        }
    }
    for stage in [inside, ct] {
        runner.ask(
            Contest::new(format!("keyed lock, {}, one task, 10,000 keys", stage.name), ALONE)
                .with("DashMap of tokio mutexes, emptied", |n| {
                    stage.run(n, dashmap(1, n, uniform, Body::Ready, true));
                })
                .with("dayfly KeyedLock", |n| stage.run(n, locks(1, n, uniform, Body::Ready)))
                .with("DashMap of tokio mutexes, kept for ever", |n| {
                    stage.run(n, dashmap(1, n, uniform, Body::Ready, false));
                }),
        );
    }
    for stage in [mt2, ct] {
        runner.ask(
            Contest::new(
                format!("keyed lock, {}, 64 tasks, zipf over 10,000 keys, yields", stage.name),
                TOGETHER,
            )
            .with("DashMap of tokio mutexes, emptied", |n| {
                stage.run(n, dashmap(TASKS, n, zipf, Body::Yields, true));
            })
            .with("dayfly KeyedLock", |n| stage.run(n, locks(TASKS, n, zipf, Body::Yields)))
            .with("DashMap of tokio mutexes, kept for ever", |n| {
                stage.run(n, dashmap(TASKS, n, zipf, Body::Yields, false));
            }),
        );
    }
    runner.end()
}

/// So many tasks, each with its share; a single one is the caller itself.
async fn share<F>(tasks: u64, operations: u64, task: impl Fn(u64, u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    if tasks == 1 {
        return task(0, operations).await;
    }
    let mut all = JoinSet::new();
    for number in 0..tasks {
        all.spawn(task(number, operations / tasks));
    }
    all.join_all().await;
}

async fn semaphore(tasks: u64, operations: u64, body: Body) {
    let permits = Arc::new(Semaphore::new(PERMITS));
    share(tasks, operations, |_, count| {
        let permits = Arc::clone(&permits);
        async move {
            for _ in 0..count {
                let _permit = Arc::clone(&permits).acquire_owned().await.expect("it is open");
                body.run().await;
            }
        }
    })
    .await;
}

async fn lent(operations: u64) {
    let permits = Semaphore::new(PERMITS);
    for _ in 0..operations {
        let _permit = permits.acquire().await.expect("it is open");
        Body::Ready.run().await;
    }
}

async fn limiter(tasks: u64, operations: u64, body: Body) {
    let limiter = Limiter::with_limit(PERMITS);
    share(tasks, operations, |_, count| {
        let limiter = limiter.clone();
        async move {
            for _ in 0..count {
                let _permit = limiter.acquire().await.expect("it is open");
                body.run().await;
            }
        }
    })
    .await;
}

async fn keyed(operations: u64) {
    let limiter = KeyedLimiter::new(KeyedLimiterOptions::new());
    for _ in 0..operations {
        let _permit = limiter.acquire(7_u64).await.expect("it is open");
        Body::Ready.run().await;
    }
}

async fn locks(tasks: u64, operations: u64, keys: &'static [u64], body: Body) {
    let locks = KeyedLock::new();
    share(tasks, operations, |task, count| {
        let locks = locks.clone();
        async move {
            for at in task * count..(task + 1) * count {
                let _guard = locks.lock(keys[at as usize]).await;
                body.run().await;
            }
        }
    })
    .await;
}

/// What people write; emptied it is as people write it who have met a million keys.
async fn dashmap(tasks: u64, operations: u64, keys: &'static [u64], body: Body, is_emptied: bool) {
    let map: Arc<DashMap<u64, Arc<Mutex<()>>>> = Arc::default();
    share(tasks, operations, |task, count| {
        let map = Arc::clone(&map);
        async move {
            for at in task * count..(task + 1) * count {
                let key = keys[at as usize];
                let mutex = Arc::clone(&map.entry(key).or_default());
                let guard = mutex.lock_owned().await;
                body.run().await;
                drop(guard);
                if is_emptied {
                    map.remove_if(&key, |_, mutex| Arc::strong_count(mutex) == 1);
                }
            }
        }
    })
    .await;
}
