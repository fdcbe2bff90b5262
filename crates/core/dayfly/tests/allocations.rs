//! What an operation allocates, counted on its thread: a guard that no machine's load can upset.

use std::convert::Infallible;

use dayfly::{Coordinator, CoordinatorOptions, KeyedCoordinator, ResultCoordinator, SignalSink};
use dayfly_testing::{Counting, allocations};
use tokio::task::yield_now;

/// What an operation may allocate, by path, from its enqueueing to its end.
const FIFO_READY: f64 = 0.0;
const FIFO_SUSPENDED: f64 = 0.0;
const KEYED_READY: f64 = 0.0;
const KEYED_SUSPENDED: f64 = 0.0;
/// What leads the answer to its ticket.
const SUBMITTED: f64 = 1.0;

/// One allocation in a hundred operations is not the path's: a buffer grows, a map makes room.
const SLACK: f64 = 0.01;

const WARM_UP: u64 = 10_000;
const OPERATIONS: u64 = 50_000;
const OPTIONS: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(64).queue_capacity(1_024);
/// More keys than fit into the queue, so that a key's state comes and goes.
const KEYS: u64 = 5_000;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[tokio::test]
async fn first_come_first_served_with_a_body_that_never_suspends() {
    let work = Coordinator::spawn(OPTIONS, &SignalSink::default(), |_: u64, _| async {});
    measure(work, FIFO_READY).await;
}

#[tokio::test]
async fn first_come_first_served_with_a_body_that_suspends() {
    let work = Coordinator::spawn(OPTIONS, &SignalSink::default(), |_: u64, _| yield_now());
    measure(work, FIFO_SUSPENDED).await;
}

#[tokio::test]
async fn in_order_per_key_with_a_body_that_never_suspends() {
    let signals = SignalSink::default();
    let work = KeyedCoordinator::spawn(OPTIONS, &signals, |key: &u64| *key, |_, _| async {});
    measure(work, KEYED_READY).await;
}

#[tokio::test]
async fn in_order_per_key_with_a_body_that_suspends() {
    let signals = SignalSink::default();
    let work = KeyedCoordinator::spawn(OPTIONS, &signals, |key: &u64| *key, |_, _| yield_now());
    measure(work, KEYED_SUSPENDED).await;
}

#[tokio::test]
async fn submitted_and_awaited() {
    let work = ResultCoordinator::spawn(OPTIONS, &SignalSink::default(), |number: u64, _| async move {
        Ok::<_, Infallible>(number)
    });
    measure(work, SUBMITTED).await;
}

/// Warms the coordinator up and counts what this thread allocates from then on; on a current-thread runtime the engine
/// has no other.
async fn measure(work: impl Work, allowed: f64) {
    work.run(WARM_UP).await;
    let before = allocations();
    work.run(OPERATIONS).await;
    #[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
    let per_operation = (allocations() - before) as f64 / OPERATIONS as f64;
    assert_eq!(work.completed(), WARM_UP + OPERATIONS);
    println!("{per_operation:.4} allocations per operation, {allowed} are allowed");
    assert!(per_operation <= allowed + SLACK, "{per_operation:.4} allocations per operation, not {allowed}");
}

/// What both coordinators do here.
trait Work {
    /// Hands so many operations in and waits for their end.
    async fn run(&self, operations: u64);
    fn completed(&self) -> u64;
}

impl Work for Coordinator<u64> {
    async fn run(&self, operations: u64) {
        for number in 0..operations {
            self.enqueue(number).await.expect("it is open");
        }
        self.idle().await;
    }

    fn completed(&self) -> u64 {
        self.stats().completed
    }
}

impl Work for KeyedCoordinator<u64, u64> {
    async fn run(&self, operations: u64) {
        for number in 0..operations {
            self.enqueue(number % KEYS).await.expect("it is open");
        }
        self.idle().await;
    }

    fn completed(&self) -> u64 {
        self.stats().completed
    }
}

impl Work for ResultCoordinator<u64, u64, Infallible> {
    async fn run(&self, operations: u64) {
        for number in 0..operations {
            assert_eq!(self.submit(number).await.expect("it is open").await, Ok(number));
        }
    }

    fn completed(&self) -> u64 {
        self.stats().completed
    }
}
