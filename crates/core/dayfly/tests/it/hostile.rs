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

#[tokio::test(start_paused = true)]
async fn a_record_keeps_its_signals_however_many_others_raise_meanwhile() {
    let signals = SignalSink::new(SignalOptions::new().capacity(64));
    let work = Coordinator::spawn(WORK.max_concurrency(64), &signals, |_: u32, op: Operation| async move {
        for _ in 0..8 {
            op.raise("step");
        }
    });
    for number in 0..200 {
        work.enqueue(number).await.unwrap();
    }
    work.drain().await;
    let kept: Vec<_> = work.window().iter().map(|seen| seen.signals.len()).collect();
    assert!(kept.iter().all(|kept| *kept == 8), "{kept:?}");
}

#[tokio::test(start_paused = true)]
async fn what_has_completed_cannot_be_killed() {
    let weak: Arc<Mutex<Option<Coordinator<u32>>>> = Arc::default();
    let ids: Arc<Mutex<Vec<_>>> = Arc::default();
    let wrong = Arc::new(AtomicUsize::new(0));
    let work = {
        let (weak, ids, wrong) = (Arc::clone(&weak), Arc::clone(&ids), Arc::clone(&wrong));
        Coordinator::spawn(
            WORK.max_concurrency(64),
            &SignalSink::default(),
            move |number: u32, op: Operation| {
                let (weak, ids, wrong) = (Arc::clone(&weak), Arc::clone(&ids), Arc::clone(&wrong));
                async move {
                    let work = weak.lock().unwrap().clone().unwrap();
                    // A kill ends a claim, so not every body tries.
                    let before = ids.lock().unwrap().last().copied().filter(|_| number % 4 == 2);
                    if let Some(id) = before {
                        let state = work.get(id).map(|seen| seen.state);
                        let killed = work.kill(id);
                        if state != Some(OperationState::Completed) || killed {
                            wrong.fetch_add(1, Ordering::SeqCst);
                        }
                    }
                    ids.lock().unwrap().push(op.id());
                }
            },
        )
    };
    *weak.lock().unwrap() = Some(work.clone());
    for number in 0..100 {
        work.enqueue(number).await.unwrap();
    }
    let report = work.drain().await;
    weak.lock().unwrap().take();
    assert_eq!((report.completed, wrong.load(Ordering::SeqCst)), (100, 0));
}
