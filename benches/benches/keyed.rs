//! What does order per key cost, over 10,000 keys? (Section B)

use std::process::ExitCode;
use std::sync::Arc;

use dashmap::DashMap;
use dayfly::{KeyedCoordinator, SignalSink};
use dayfly_benches::body::Body;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_benches::pools::{AT_ONCE, OPTIONS, QUEUE, wait_for_all};
use dayfly_benches::runtimes::stages;
use dayfly_benches::traffic::{shard, uniform, zipf};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;

const KEYS: u64 = 10_000;
const OPERATIONS: u64 = 200_000;
/// 64 shards.
const SHARD_BITS: u32 = 6;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    // They live as long as the process, as producers may be tasks.
    let (uniform, zipf) = (&*uniform(KEYS, OPERATIONS).leak(), &*zipf(KEYS, OPERATIONS).leak());
    for stage in &stages() {
        for (kind, body, keys) in [
            ("uniform, ready", Body::Ready, uniform),
            ("uniform, yields", Body::Yields, &uniform[..OPERATIONS as usize / 2]),
            ("zipf, yields", Body::Yields, &zipf[..OPERATIONS as usize / 2]),
        ] {
            runner.ask(
                Contest::new(format!("keyed, {}, {kind}", stage.name), keys.len() as u64)
                    .with("64 channels by hash", |n| stage.run(n, channels(body, keys)))
                    .with("dayfly KeyedCoordinator", |n| stage.run(n, dayfly(body, keys)))
                    .with("channel + DashMap of mutexes", |n| stage.run(n, mutexes(body, keys)))
                    .with("spawn + Semaphore + DashMap mutex", |n| stage.run(n, spawn(body, keys))),
            );
        }
    }
    runner.end()
}

/// The best there is if keys that share a channel may hold each other up.
async fn channels(body: Body, keys: &'static [u64]) {
    let mut loops = JoinSet::new();
    let senders: Vec<_> = (0..AT_ONCE)
        .map(|_| {
            let (sender, receiver) = kanal::bounded_async::<u64>(QUEUE / AT_ONCE);
            loops.spawn(async move {
                while receiver.recv().await.is_ok() {
                    body.run().await;
                }
            });
            sender
        })
        .collect();
    for &key in keys {
        senders[shard(key, SHARD_BITS)].send(key).await.expect("the loop receives");
    }
    drop(senders);
    loops.join_all().await;
}

async fn dayfly(body: Body, keys: &'static [u64]) {
    let signals = SignalSink::default();
    let work = KeyedCoordinator::spawn(OPTIONS, &signals, |key: &u64| *key, move |_, _| body.run());
    for &key in keys {
        work.enqueue(key).await.expect("it is open");
    }
    assert_eq!(work.drain().await.completed, keys.len() as u64);
}

/// What people write: one at a time per key, but in no order that is promised, and the map only grows.
#[derive(Clone, Default)]
struct Locks(Arc<DashMap<u64, Arc<Mutex<()>>>>);

impl Locks {
    /// A look first, as an entry locks its shard for everybody.
    fn of(&self, key: u64) -> Arc<Mutex<()>> {
        if let Some(lock) = self.0.get(&key) {
            return Arc::clone(&lock);
        }
        Arc::clone(&self.0.entry(key).or_default())
    }

    async fn run(&self, key: u64, body: Body) {
        let lock = self.of(key);
        let _held = lock.lock().await;
        body.run().await;
    }
}

async fn mutexes(body: Body, keys: &'static [u64]) {
    let locks = Locks::default();
    let (sender, receiver) = kanal::bounded_async::<u64>(QUEUE);
    let mut loops = JoinSet::new();
    for _ in 0..AT_ONCE {
        let (receiver, locks) = (receiver.clone(), locks.clone());
        loops.spawn(async move {
            while let Ok(key) = receiver.recv().await {
                locks.run(key, body).await;
            }
        });
    }
    // With one left here, sending to loops that have all panicked would wait for ever.
    drop(receiver);
    for &key in keys {
        sender.send(key).await.expect("the loops receive");
    }
    drop(sender);
    loops.join_all().await;
}

async fn spawn(body: Body, keys: &'static [u64]) {
    let locks = Locks::default();
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    for &key in keys {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("it is open");
        let locks = locks.clone();
        tokio::spawn(async move {
            locks.run(key, body).await;
            drop(permit);
        });
    }
    wait_for_all(&permits).await;
}
