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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drain_returns_after_every_end_was_announced() {
    for _ in 0..300 {
        let work = Coordinator::spawn(WORK.max_concurrency(4), &SignalSink::default(), |(), _| async {});
        let announced = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&announced);
        work.on_finish(move |_| {
            for _ in 0..10 {
                std::thread::yield_now();
            }
            count.fetch_add(1, Ordering::SeqCst);
        });
        for _ in 0..20 {
            work.enqueue(()).await.unwrap();
        }
        work.drain().await;
        assert_eq!(announced.load(Ordering::SeqCst), 20);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_returns_after_every_end_was_announced() {
    let work = Coordinator::spawn(WORK.max_concurrency(4), &SignalSink::default(), |(), _| async {});
    let announced = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&announced);
    work.on_finish(move |_| {
        for _ in 0..10 {
            std::thread::yield_now();
        }
        count.fetch_add(1, Ordering::SeqCst);
    });
    for round in 1..=300 {
        for _ in 0..20 {
            work.enqueue(()).await.unwrap();
        }
        work.idle().await;
        assert_eq!(announced.load(Ordering::SeqCst), 20 * round);
    }
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

#[tokio::test(start_paused = true)]
async fn an_operation_that_outlives_its_body_says_nothing_about_the_next_one() {
    let kept: Arc<Mutex<Vec<Operation>>> = Arc::default();
    let keeps = Arc::clone(&kept);
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK.max_concurrency(1), &signals, move |_: u32, op: Operation| {
        let kept = Arc::clone(&keeps);
        async move {
            kept.lock().unwrap().iter().for_each(|old: &Operation| _ = old.raise("late"));
            op.raise("own");
            kept.lock().unwrap().push(op);
        }
    });
    let mut ids = Vec::new();
    for number in 0..50 {
        ids.push(work.enqueue(number).await.unwrap());
    }
    settle().await;
    for (op, id) in kept.lock().unwrap().iter().zip(&ids) {
        assert_eq!(op.id(), *id);
        assert!(op.is_finished() && !op.is_cancelled());
    }
    for seen in work.window() {
        let names: Vec<_> = seen.signals.iter().map(|signal| signal.name().to_owned()).collect();
        assert_eq!(names, ["own"], "what comes late is not of the record");
    }
    kept.lock().unwrap().clear();
}

#[tokio::test(start_paused = true)]
async fn a_listener_that_hears_of_ageing_may_ask_the_coordinator() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(1)));
    let work = Coordinator::spawn(WORK.defer_on("wait"), &signals, |(), _| async {});
    let (heard, asked) = (Arc::new(AtomicUsize::new(0)), work.clone());
    let count = Arc::clone(&heard);
    let listener = signals.listen("*", move |_| {
        count.fetch_add(1, Ordering::SeqCst);
        let _ = asked.stats();
    });
    signals.raise("wait");
    work.enqueue(()).await.unwrap();
    assert_eq!(work.drain().await.completed, 1);
    assert!(heard.load(Ordering::SeqCst) > 0);
    drop(listener);
}

#[tokio::test(start_paused = true)]
async fn what_a_body_panics_with_may_panic_when_it_is_dropped() {
    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("again");
        }
    }

    let work = Coordinator::spawn(WORK, &SignalSink::default(), |panics: bool, _| async move {
        if panics {
            std::panic::panic_any(Bomb);
        }
    });
    work.enqueue(true).await.unwrap();
    settle().await;
    work.enqueue(false).await.unwrap();
    let report = work.drain().await;
    assert_eq!((report.panicked, report.completed), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_producers_that_come_and_go_leave_no_place_behind() {
    for capacity in [1, 2, 7] {
        let options = WORK.max_concurrency(2).queue_capacity(capacity);
        let work = Coordinator::spawn(options, &SignalSink::default(), |number: u32, _| async move {
            if number.is_multiple_of(3) {
                yield_now().await;
            }
        });
        let mut producers = tokio::task::JoinSet::new();
        for number in 0..1_000_u32 {
            let work = work.clone();
            producers.spawn(async move {
                let mut line = Box::pin(work.enqueue(number));
                for _ in 0..number % 5 {
                    if let std::task::Poll::Ready(accepted) = futures_util::poll!(line.as_mut()) {
                        return accepted.is_ok();
                    }
                    yield_now().await;
                }
                !number.is_multiple_of(4) && line.await.is_ok()
            });
        }
        let accepted = producers.join_all().await.into_iter().filter(|is_in| *is_in).count() as u64;
        work.idle().await;
        for number in 0..capacity {
            work.pause();
            assert!(work.try_enqueue(u32::try_from(number).unwrap()).is_ok());
        }
        assert!(work.try_enqueue(0).is_err(), "no place was given back twice");
        work.resume();
        let report = work.drain().await;
        assert_eq!(report.completed, accepted + capacity as u64);
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_text_panics_is_gated_by_no_keyed_signal() {
    #[derive(Clone, PartialEq, Eq, Hash)]
    struct Wordless(u32);

    impl std::fmt::Display for Wordless {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("this key has no text")
        }
    }

    let signals = SignalSink::default();
    let work = dayfly::KeyedCoordinator::spawn(
        CoordinatorOptions::new().defer_on("wait"),
        &signals,
        |number: &u32| Wordless(*number),
        |_, op: Operation| async move { assert_eq!(op.key(), None) },
    );
    signals.raise(dayfly::Draft::from("wait").key("1"));
    work.enqueue(1).await.unwrap();
    work.enqueue(2).await.unwrap();
    assert_eq!(work.drain().await.completed, 2);
}
