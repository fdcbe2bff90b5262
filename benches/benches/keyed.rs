//! What does order per key cost, over 10,000 keys? (Section B)

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dashmap::DashMap;
use dayfly::{CoordinatorOptions, KeyedCoordinator, SignalSink};
use dayfly_benches::contest::Contest;
use dayfly_benches::runtimes::{ct, mt2};
use tokio::runtime::Runtime;
use tokio::sync::Mutex;
use tokio::task::JoinSet;

const AT_ONCE: usize = 64;
const QUEUE: usize = 1_024;
const KEYS: u64 = 10_000;
const OPERATIONS: u64 = 200_000;

fn main() {
    for (name, runtime) in [("mt2", mt2()), ("ct", ct())] {
        Contest::new(format!("keyed, uniform, {name}, ready"), OPERATIONS)
            .with("64 channels by hash", |n| channels(&runtime, n))
            .with("dayfly KeyedCoordinator", |n| dayfly(&runtime, n))
            .with("channel + DashMap of mutexes", |n| mutexes(&runtime, n))
            .run();
    }
}

/// Spreads keys without a pattern, the same way for everybody.
fn key(number: u64) -> u64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15) % KEYS
}

fn channels(runtime: &Runtime, operations: u64) {
    let count = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let mut workers = JoinSet::new();
        let senders: Vec<_> = (0..AT_ONCE)
            .map(|_| {
                let (sender, receiver) = kanal::bounded_async::<u64>(QUEUE / AT_ONCE);
                let count = Arc::clone(&count);
                workers.spawn(async move {
                    while receiver.recv().await.is_ok() {
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                });
                sender
            })
            .collect();
        for number in 0..operations {
            let key = key(number);
            senders[key as usize % AT_ONCE].send(key).await.expect("workers receive");
        }
        drop(senders);
        workers.join_all().await;
    });
    assert_eq!(count.load(Ordering::Relaxed), operations);
}

fn dayfly(runtime: &Runtime, operations: u64) {
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    runtime.block_on(async {
        let options = CoordinatorOptions::new().max_concurrency(AT_ONCE).queue_capacity(QUEUE);
        let work = KeyedCoordinator::spawn(
            options,
            &SignalSink::default(),
            |key: &u64| *key,
            move |_, _| {
                let count = Arc::clone(&counted);
                async move {
                    count.fetch_add(1, Ordering::Relaxed);
                }
            },
        );
        for number in 0..operations {
            work.enqueue(key(number)).await.expect("it is open");
        }
        assert_eq!(work.drain().await.completed, operations);
    });
    assert_eq!(count.load(Ordering::Relaxed), operations);
}

fn mutexes(runtime: &Runtime, operations: u64) {
    let count = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let locks: Arc<DashMap<u64, Arc<Mutex<()>>>> = Arc::default();
        let (sender, receiver) = kanal::bounded_async::<u64>(QUEUE);
        let mut workers = JoinSet::new();
        for _ in 0..AT_ONCE {
            let (receiver, count, locks) = (receiver.clone(), Arc::clone(&count), Arc::clone(&locks));
            workers.spawn(async move {
                while let Ok(key) = receiver.recv().await {
                    let lock = Arc::clone(&locks.entry(key).or_default());
                    let _held = lock.lock().await;
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        drop(receiver);
        for number in 0..operations {
            sender.send(key(number)).await.expect("workers receive");
        }
        drop(sender);
        workers.join_all().await;
    });
    assert_eq!(count.load(Ordering::Relaxed), operations);
}
