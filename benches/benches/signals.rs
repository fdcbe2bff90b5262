//! What does a raise cost, and reading a windowed count? (Section D)

use std::collections::VecDeque;
use std::hint::black_box;
use std::process::ExitCode;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use dashmap::DashMap;
use dayfly_benches::contest::{Contest, Runner};
use dayfly_signal::{OperationId, SignalSink};
use tokio::sync::broadcast;

const RAISES: u64 = 500_000;
/// Fewer, as a scan takes microseconds.
const READS: u64 = 20_000;
const CAPACITY: usize = 4_096;
const WINDOW: Duration = Duration::from_secs(60);

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    raise(&mut runner);
    count(&mut runner);
    runner.end()
}

fn raise(runner: &mut Runner) {
    let (sink, inside) = (SignalSink::default(), SignalSink::default());
    let handle = sink.handle("api.failure");
    let source = inside.source(OperationId::next());
    let own = inside.handle("api.failure");
    let mut renewed = inside.source(OperationId::next());
    let reading = tokio::time::Instant::now();

    let queue: ArrayQueue<(&str, Instant)> = ArrayQueue::new(CAPACITY);
    let counts: DashMap<&str, u64> = DashMap::new();
    let (sender, receiver) = broadcast::channel::<u64>(CAPACITY);
    let ring = Ring::new();
    let locked = Mutex::new(reading);

    runner.ask(
        Contest::new("raise", RAISES)
            .with("ArrayQueue + DashMap count + Instant", |n| {
                for _ in 0..n {
                    black_box(queue.force_push(("api.failure", Instant::now())));
                    *counts.entry("api.failure").or_insert(0) += 1;
                }
            })
            .with("dayfly, through a handle", |n| {
                counted(&sink, n, || {
                    black_box(handle.raise());
                });
            })
            .with("dayfly, by name", |n| {
                counted(&sink, n, || {
                    black_box(sink.raise("api.failure"));
                });
            })
            .with("dayfly, inside a body with its reading", |n| {
                counted(&inside, n, || {
                    black_box(source.raise_at(&own, reading));
                });
            })
            .with("dayfly, the same by a new operation each time", |n| {
                counted(&inside, n, || {
                    renewed.renew(OperationId::next());
                    black_box(renewed.raise_at(&own, reading));
                });
            })
            .with("the clock alone", |n| {
                (0..n).for_each(|_| {
                    black_box(tokio::time::Instant::now());
                });
            })
            .with("the clock and a lock that nobody wants", |n| {
                (0..n).for_each(|_| {
                    let now = tokio::time::Instant::now();
                    *black_box(&locked).lock().unwrap_or_else(PoisonError::into_inner) = now;
                });
            })
            .with("broadcast with one subscriber", |n| {
                for number in 0..n {
                    sender.send(number).expect("the subscriber lives");
                }
            })
            .with("locked ring with Instant", |n| (0..n).for_each(|_| ring.push("api.failure"))),
    );
    drop(receiver);
}

fn count(runner: &mut Runner) {
    let (sink, ring) = (SignalSink::default(), Ring::new());
    let counter = sink.counter("api.*", WINDOW);
    for _ in 0..CAPACITY {
        sink.raise("api.failure");
        ring.push("api.failure");
    }
    runner.ask(
        Contest::new("windowed count over 4,096 events", READS)
            .with("scan of a locked ring", |n| {
                (0..n).for_each(|_| assert_eq!(ring.count(black_box("api.")), CAPACITY));
            })
            .with("dayfly, registered counter", |n| {
                (0..n).for_each(|_| assert_eq!(counter.count(), CAPACITY));
            })
            .with("dayfly, registered counter with a reading", |n| {
                let now = tokio::time::Instant::now();
                (0..n).for_each(|_| assert_eq!(counter.count_at(black_box(now)), CAPACITY));
            }),
    );
}

/// Does it so many times, and makes sure that the sink has seen as many events.
fn counted(sink: &SignalSink, times: u64, mut raise: impl FnMut()) {
    let before = sink.newest();
    (0..times).for_each(|_| raise());
    assert_eq!(sink.newest().get() - before.get(), times);
}

/// The plainest thing that remembers events: names and times under one lock.
struct Ring {
    events: Mutex<VecDeque<(&'static str, Instant)>>,
}

impl Ring {
    fn new() -> Self {
        Self { events: Mutex::new(VecDeque::with_capacity(CAPACITY)) }
    }

    fn push(&self, name: &'static str) {
        let mut events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        if events.len() == CAPACITY {
            events.pop_front();
        }
        events.push_back((name, Instant::now()));
    }

    /// The events of the window whose name begins with `prefix`.
    fn count(&self, prefix: &str) -> usize {
        let oldest = Instant::now().checked_sub(WINDOW).expect("the machine runs for longer than that");
        let events = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        events.iter().filter(|(name, at)| *at >= oldest && name.starts_with(prefix)).count()
    }
}
