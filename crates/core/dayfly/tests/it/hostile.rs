//! Bodies, items and observers that make it hard for the engine: what is promised holds all the same.

use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use dayfly::{
    Coordinator, CoordinatorOptions, KeyedCoordinator, Operation, OperationState, Reconfigure, SignalOptions,
    SignalSink,
};
use dayfly_testing::settle;
use tokio::sync::Semaphore;
use tokio::task::{JoinSet, yield_now};

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
async fn an_operation_may_be_dropped_in_the_body_of_another_coordinators() {
    let left = Arc::new(Mutex::new(Vec::<Operation>::new()));
    let (kept, dropped) = (Arc::clone(&left), Arc::clone(&left));
    let signals = SignalSink::default();
    let plain = Coordinator::spawn(WORK.max_concurrency(1), &signals, move |number: u64, op: Operation| {
        assert_eq!(op.id(), op_id(number));
        // One of three leaves its operation behind, and one drops what others have left, and then its own.
        match number % 3 {
            0 => kept.lock().unwrap().clear(),
            1 => kept.lock().unwrap().push(op),
            _ => {}
        }
        async {}
    });
    let keyed = KeyedCoordinator::spawn(
        WORK.max_concurrency(1),
        &signals,
        |number: &u64| number.to_string(),
        move |number, op: Operation| {
            assert_eq!((op.id(), op.key_as::<String>()), (op_id(number), Some(&number.to_string())));
            dropped.lock().unwrap().pop();
            async {}
        },
    );
    for number in 1..200 {
        plain.enqueue_as(op_id(number), number).await.unwrap();
        keyed.enqueue_as(op_id(1_000 + number), 1_000 + number).await.unwrap();
        settle().await;
    }
    assert_eq!(plain.drain().await.completed, 199);
    assert_eq!(keyed.drain().await.completed, 199);
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
        let mut producers = JoinSet::new();
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
    let work = KeyedCoordinator::spawn(
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

#[tokio::test(start_paused = true)]
async fn a_producers_waker_that_panics_keeps_nobody_else_from_the_room() {
    struct Rude;
    impl Wake for Rude {
        fn wake(self: Arc<Self>) {
            panic!("do not disturb");
        }
    }
    let wakes: [fn(&Coordinator<u32>); 3] = [
        |work| work.reconfigure(&WORK.queue_capacity(4)).unwrap(),
        |work| work.resume(),
        |work| work.close(),
    ];
    for wake in wakes {
        let work = Coordinator::spawn(WORK.queue_capacity(1), &SignalSink::default(), |_, _| async {});
        work.pause();
        work.enqueue(0).await.unwrap();
        let mut rude = pin!(work.enqueue(1));
        assert!(rude.as_mut().poll(&mut Context::from_waker(&Waker::from(Arc::new(Rude)))).is_pending());
        let mut other = JoinSet::new();
        other.spawn({
            let work = work.clone();
            async move { work.enqueue(2).await.is_ok() }
        });
        settle().await;
        assert!(other.try_join_next().is_none());
        wake(&work);
        settle().await;
        assert!(rude.poll(&mut Context::from_waker(Waker::noop())).is_ready());
        work.resume();
        let went_in = other.join_next().await.unwrap().unwrap();
        let report = work.drain().await;
        assert_eq!((report.completed, report.accepted), if went_in { (3, 3) } else { (1, 1) });
    }
}
