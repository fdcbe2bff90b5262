//! Bodies of one worker take turns, and so do those of all workers and the rest of the runtime.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, SignalSink};
use dayfly_testing::settle;
use tokio::task::{coop, yield_now};
use tokio::time::Instant;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

#[tokio::test(start_paused = true)]
async fn a_body_that_is_always_ready_does_not_starve_the_others_of_its_worker() {
    let steps: Arc<[AtomicUsize; 3]> = Arc::default();
    let seen = Arc::clone(&steps);
    let work = Coordinator::spawn(WORK, &SignalSink::default(), move |body: usize, _| {
        let steps = Arc::clone(&seen);
        async move {
            for _ in 0..100_000 {
                coop::consume_budget().await;
                steps[body].fetch_add(1, Ordering::SeqCst);
            }
        }
    });
    for body in 0..3 {
        work.enqueue(body).await.unwrap();
    }
    while steps[0].load(Ordering::SeqCst) < 50_000 {
        yield_now().await;
    }
    let taken: Vec<_> = steps.iter().map(|steps| steps.load(Ordering::SeqCst)).collect();
    assert!(taken.iter().all(|steps| *steps > 10_000), "{taken:?}");
}

#[tokio::test(start_paused = true)]
async fn an_item_starts_although_a_body_uses_up_every_turn() {
    let is_over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_over);
    let work = Coordinator::spawn(WORK, &SignalSink::default(), move |ends: bool, _| {
        let is_over = Arc::clone(&seen);
        async move {
            for _ in 0..100_000 {
                if is_over.load(Ordering::SeqCst) {
                    return Ok(());
                }
                if ends {
                    is_over.store(true, Ordering::SeqCst);
                }
                coop::consume_budget().await;
            }
            Err("nobody else came")
        }
    });
    work.enqueue(false).await.unwrap();
    settle().await;
    assert_eq!(work.stats().running, 1);
    work.enqueue(true).await.unwrap();
    assert_eq!(work.drain().await.completed, 2);
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_ready_bodies_let_other_tasks_run_in_between() {
    let polls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&polls);
    let options = WORK.max_concurrency(10_000).queue_capacity(10_000);
    let work = Coordinator::spawn(options, &SignalSink::default(), move |(), _| {
        let polls = Arc::clone(&seen);
        async move {
            for _ in 0..10 {
                polls.fetch_add(1, Ordering::SeqCst);
                let mut is_first = true;
                // Ready again at once, without the cost of a task that yields.
                std::future::poll_fn(|context| {
                    context.waker().wake_by_ref();
                    if std::mem::take(&mut is_first) {
                        std::task::Poll::Pending
                    } else {
                        std::task::Poll::Ready(())
                    }
                })
                .await;
            }
        }
    });
    for _ in 0..10_000 {
        work.enqueue(()).await.unwrap();
    }
    let mut before = polls.load(Ordering::SeqCst);
    let mut most = 0;
    let drained = work.drain();
    tokio::pin!(drained);
    loop {
        tokio::select! {
            biased;
            _ = &mut drained => break,
            () = yield_now() => {}
        }
        let now = polls.load(Ordering::SeqCst);
        (most, before) = (most.max(now - before), now);
    }
    assert!(most < 1_000, "{most} polls in one turn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_bodies_that_compute_run_at_once_on_two_threads() {
    for _ in 0..20 {
        let (inside, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let (met, left) = (Arc::clone(&inside), Arc::clone(&ended));
        let work = Coordinator::spawn(WORK, &SignalSink::default(), move |(), _| {
            let (inside, ended) = (Arc::clone(&met), Arc::clone(&left));
            async move {
                inside.fetch_add(1, Ordering::SeqCst);
                let start = Instant::now();
                while inside.load(Ordering::SeqCst) < 2 && start.elapsed() < Duration::from_secs(2) {}
                let was_alone = inside.load(Ordering::SeqCst) < 2;
                ended.fetch_add(if was_alone { 100 } else { 1 }, Ordering::SeqCst);
            }
        });
        // The keeper's first look is over.
        for _ in 0..1_000 {
            yield_now().await;
        }
        work.enqueue(()).await.unwrap();
        work.enqueue(()).await.unwrap();
        // Nobody asks the coordinator anything meanwhile: that would wake the other worker.
        while ended.load(Ordering::SeqCst) < 2 {
            yield_now().await;
        }
        assert_eq!(ended.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn bodies_that_compute_let_other_tasks_run_in_between() {
    let ended = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&ended);
    let work = Coordinator::spawn(WORK, &SignalSink::default(), move |(), _| {
        let start = Instant::now();
        while start.elapsed() < Duration::from_micros(500) {}
        count.fetch_add(1, Ordering::SeqCst);
        async {}
    });
    for _ in 0..200 {
        work.enqueue(()).await.unwrap();
    }
    let (mut before, mut most) = (0, 0);
    while before < 200 {
        yield_now().await;
        let now = ended.load(Ordering::SeqCst);
        (most, before) = (most.max(now - before), now);
    }
    assert!(most <= 4, "{most} bodies, of half a millisecond each, in one turn");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_does_not_wait_behind_a_busy_worker_while_another_sleeps() {
    let (doors, resumed) = (Doors::shut(), Arc::new(AtomicBool::new(false)));
    let (free, freed) = mpsc::sync_channel::<()>(1);
    let (free, freed) = (Mutex::new(Some(free)), Arc::new(Mutex::new(freed)));
    let met = Arc::new(AtomicUsize::new(0));
    let work = {
        let (doors, resumed, met) = (doors.clone(), Arc::clone(&resumed), Arc::clone(&met));
        let free = Arc::new(free);
        Coordinator::spawn(WORK, &SignalSink::default(), move |waits: bool, _| {
            let (doors, resumed, met) = (doors.clone(), Arc::clone(&resumed), Arc::clone(&met));
            let (free, freed) = (Arc::clone(&free), Arc::clone(&freed));
            async move {
                if waits {
                    doors.pass().await;
                    resumed.store(true, Ordering::SeqCst);
                    let came = freed.lock().unwrap().recv_timeout(Duration::from_secs(5));
                    // The sender is dropped by the other body.
                    let came = came == Err(mpsc::RecvTimeoutError::Disconnected);
                    met.store(if came { 1 } else { 100 }, Ordering::SeqCst);
                } else {
                    free.lock().unwrap().take();
                }
            }
        })
    };
    // The keeper's first look is over, so one worker is told and the other sleeps.
    for _ in 0..10_000 {
        yield_now().await;
    }
    work.enqueue(true).await.unwrap();
    while doors.inside() == 0 {
        yield_now().await;
    }
    for _ in 0..100 {
        yield_now().await;
    }
    doors.let_out(1);
    while !resumed.load(Ordering::SeqCst) {
        yield_now().await;
    }
    work.enqueue(false).await.unwrap();
    while met.load(Ordering::SeqCst) == 0 {
        yield_now().await;
    }
    assert_eq!(met.load(Ordering::SeqCst), 1);
}
