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

#[test]
fn a_runtime_that_shuts_down_under_busy_producers_loses_nobody() {
    let other = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    for _ in 0..200 {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
        let work = {
            let _inside = runtime.enter();
            let gate = Arc::new(Semaphore::new(0));
            Coordinator::spawn(WORK.max_concurrency(4), &SignalSink::default(), move |_: u32, _| {
                let gate = Arc::clone(&gate);
                async move { drop(gate.acquire().await) }
            })
        };
        let producer = {
            let work = work.clone();
            std::thread::spawn(move || {
                let mut accepted = 0_u64;
                loop {
                    match work.try_enqueue(1) {
                        Ok(_) => accepted += 1,
                        Err(dayfly::TryEnqueueError::Closed(_)) => return accepted,
                        Err(_) => std::thread::yield_now(),
                    }
                    if accepted.is_multiple_of(64) {
                        work.kill(work.running().first().map_or_else(|| op_id(1), |seen| seen.id));
                    }
                }
            })
        };
        drop(runtime);
        let accepted = producer.join().unwrap();
        let report = other.block_on(async {
            tokio::time::timeout(Duration::from_secs(5), work.drain()).await.expect("drain returns")
        });
        assert_eq!((report.accepted, report.cancelled), (accepted, accepted));
        let stats = work.stats();
        assert_eq!((stats.pending, stats.running), (0, 0));
    }
}

fn op_id(number: u64) -> dayfly::OperationId {
    dayfly::OperationId::from_u64(number).unwrap()
}
