//! What does a raise cost, and reading a windowed count? (Section D)

use std::hint::black_box;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use dashmap::DashMap;
use dayfly_benches::contest::Contest;
use dayfly_signal::{OperationId, SignalSink};
use tokio::sync::broadcast;

const OPERATIONS: u64 = 500_000;
const CAPACITY: usize = 4_096;

fn main() {
    let (sink, inside) = (SignalSink::default(), SignalSink::default());
    let handle = sink.handle("api.failure");
    let source = inside.source(OperationId::next());
    let mut renewed = inside.source(OperationId::next());
    let own = inside.handle("api.failure");
    let reading = tokio::time::Instant::now();

    let queue: ArrayQueue<(&str, Instant)> = ArrayQueue::new(CAPACITY);
    let counts: DashMap<&str, u64> = DashMap::new();
    let (sender, receiver) = broadcast::channel::<u64>(CAPACITY);

    let locked = Mutex::new(reading);

    Contest::new("raise", OPERATIONS)
        .with("ArrayQueue + DashMap count + Instant", |n| {
            for _ in 0..n {
                drop(queue.force_push(("api.failure", Instant::now())));
                *counts.entry("api.failure").or_insert(0) += 1;
            }
        })
        .with("dayfly, through a handle", |n| {
            (0..n).for_each(|_| {
                black_box(handle.raise());
            })
        })
        .with("dayfly, by name", |n| {
            (0..n).for_each(|_| {
                black_box(sink.raise("api.failure"));
            })
        })
        .with("dayfly, inside a body with its reading", |n| {
            (0..n).for_each(|_| {
                black_box(source.raise_at(&own, reading));
            });
        })
        .with("dayfly, the same by a new operation each time", |n| {
            (0..n).for_each(|_| {
                renewed.renew(OperationId::next());
                black_box(renewed.raise_at(&own, reading));
            });
        })
        .with("the clock alone", |n| {
            (0..n).for_each(|_| {
                black_box(tokio::time::Instant::now());
            })
        })
        .with("the clock and a lock that nobody wants", |n| {
            (0..n).for_each(|_| {
                let now = tokio::time::Instant::now();
                *black_box(&locked).lock().unwrap_or_else(PoisonError::into_inner) = now;
            })
        })
        .with("broadcast with one subscriber", |n| (0..n).for_each(|number| drop(sender.send(number))))
        .run();
    drop(receiver);

    let counter = sink.counter("api.*", Duration::from_secs(60));
    Contest::new("windowed count over 4,096 events", OPERATIONS)
        .with("dayfly, registered counter", |n| {
            (0..n).for_each(|_| {
                black_box(counter.count());
            })
        })
        .with("dayfly, registered counter with a reading", |n| {
            let now = tokio::time::Instant::now();
            (0..n).for_each(|_| {
                black_box(counter.count_at(black_box(now)));
            })
        })
        .run();
}
