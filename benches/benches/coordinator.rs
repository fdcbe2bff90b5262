//! What does an operation cost whose body is one atomic increment, 64 at once? (Section A)

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dayfly::{Coordinator, CoordinatorOptions, SignalSink};
use dayfly_benches::contest::Contest;
use dayfly_benches::runtimes::{ct, mt2};
use futures_util::StreamExt;
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

const AT_ONCE: usize = 64;
const QUEUE: usize = 1_024;
const OPERATIONS: u64 = 200_000;

#[derive(Clone, Copy, PartialEq)]
enum Body {
    Ready,
    Yields,
}

impl Body {
    async fn run(self, count: &AtomicU64) {
        if self == Self::Yields {
            tokio::task::yield_now().await;
        }
        count.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() {
    for (name, runtime) in [("mt2", mt2()), ("ct", ct())] {
        for (kind, body) in [("ready", Body::Ready), ("yields", Body::Yields)] {
            let operations = if body == Body::Ready { OPERATIONS } else { OPERATIONS / 2 };
            Contest::new(format!("coordinator, {name}, {kind}"), operations)
                .with("kanal channel, 64 worker loops", |n| kanal(&runtime, body, n))
                .with("dayfly Coordinator", |n| dayfly(&runtime, body, n))
                .with("for_each_concurrent", |n| for_each(&runtime, body, n))
                .with("spawn + Semaphore", |n| spawn(&runtime, body, n))
                .run();
        }
    }
}

fn kanal(runtime: &Runtime, body: Body, operations: u64) {
    let count = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let (sender, receiver) = kanal::bounded_async::<u64>(QUEUE);
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (receiver, count) = (receiver.clone(), Arc::clone(&count));
            workers.spawn(async move {
                while receiver.recv().await.is_ok() {
                    body.run(&count).await;
                }
            });
        }
        drop(receiver);
        for number in 0..operations {
            sender.send(number).await.expect("workers receive");
        }
        drop(sender);
        workers.join_all().await;
    });
    assert_eq!(count.load(Ordering::Relaxed), operations);
}

fn dayfly(runtime: &Runtime, body: Body, operations: u64) {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    runtime.block_on(async {
        let options = CoordinatorOptions::new().max_concurrency(AT_ONCE).queue_capacity(QUEUE);
        let work = Coordinator::spawn(options, &SignalSink::default(), move |_: u64, _| {
            let count = Arc::clone(&counted);
            async move { body.run(&count).await }
        });
        for number in 0..operations {
            work.enqueue(number).await.expect("it is open");
        }
        assert_eq!(work.drain().await.completed, operations);
    });
    assert_eq!(count.load(Ordering::Relaxed), operations);
}

fn for_each(runtime: &Runtime, body: Body, operations: u64) {
    let count = AtomicU64::new(0);
    runtime.block_on(async {
        let numbers = futures_util::stream::iter(0..operations);
        numbers.for_each_concurrent(AT_ONCE, |_| body.run(&count)).await;
    });
    assert_eq!(count.load(Ordering::Relaxed), operations);
}

fn spawn(runtime: &Runtime, body: Body, operations: u64) {
    let count = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let permits = Arc::new(Semaphore::new(AT_ONCE));
        for _ in 0..operations {
            let permit = Arc::clone(&permits).acquire_owned().await.expect("it is open");
            let count = Arc::clone(&count);
            drop(tokio::runtime::Handle::current().spawn(async move {
                body.run(&count).await;
                drop(permit);
            }));
        }
        drop(permits.acquire_many(u32::try_from(AT_ONCE).expect("it is small")).await);
    });
    assert_eq!(count.load(Ordering::Relaxed), operations);
}
