//! Bodies, items and observers that make it hard for the engine: what is promised holds all the same.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, Operation, OperationState, SignalOptions, SignalSink};
use dayfly_testing::settle;
use tokio::sync::Semaphore;
use tokio::task::{coop, yield_now};
use tokio::time::Instant;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

#[tokio::test(start_paused = true)]
async fn figures_add_up_when_a_worker_has_given_back_what_it_claimed() {
    let work =
        Coordinator::spawn(WORK.max_concurrency(64), &SignalSink::default(), |number: u32, _| async move {
            if number.is_multiple_of(2) { Ok(()) } else { Err("odd") }
        });
    for number in 0..1_000 {
        work.enqueue(number).await.unwrap();
    }
    loop {
        let stats = work.stats();
        let ended = stats.completed + stats.failed;
        assert_eq!(stats.pending + stats.running + ended, 1_000, "{stats:?}");
        if ended == 1_000 {
            break;
        }
        yield_now().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_add_up_while_workers_work() {
    let work = Coordinator::spawn(WORK.max_concurrency(64), &SignalSink::default(), |_: u32, _| async {});
    for round in 1..=200 {
        for number in 0..500 {
            work.enqueue(number).await.unwrap();
        }
        let stats = work.stats();
        assert_eq!(stats.accepted, round * 500);
        assert_eq!(stats.pending + stats.running + stats.completed, stats.accepted, "{stats:?}");
    }
    work.drain().await;
}
