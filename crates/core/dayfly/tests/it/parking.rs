//! What waits until it is told: hastened, given up, taken out, and never lost.

use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use dayfly::{CoordinatorOptions, KeyedCoordinator, Keys, Operation, OperationState, SignalSink};
use dayfly_testing::settle;
use tokio::sync::Semaphore;
use tokio::time::Instant;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(4);

type Log = Arc<Mutex<Vec<(u32, u32)>>>;
type Salvaged = Arc<Mutex<Vec<(u32, u32, OperationState)>>>;

/// Items of (key, number). The first attempt of number 0 waits until it is told.
fn parking(options: CoordinatorOptions) -> (KeyedCoordinator<u32, (u32, u32)>, Log, Salvaged) {
    let (log, salvaged) = (Log::default(), Salvaged::default());
    let (done, kept) = (log.clone(), salvaged.clone());
    let work = KeyedCoordinator::spawn_salvaging(
        options,
        &SignalSink::default(),
        Keys::of(|item: &(u32, u32)| item.0),
        move |item: (u32, u32), op: Operation| {
            let done = done.clone();
            async move {
                assert_eq!(op.key_as::<u32>(), Some(&item.0));
                assert_eq!(op.key_as::<String>(), None);
                if item.1 == 0 && op.attempt() == 1 {
                    return op.again(item, Duration::MAX);
                }
                done.lock().unwrap().push(item);
                op.done::<_, String>()
            }
        },
        move |item, operation| {
            assert_eq!(operation.key, item.0);
            kept.lock().unwrap().push((item.0, item.1, operation.state));
        },
    );
    (work, log, salvaged)
}

#[tokio::test(start_paused = true)]
async fn what_waits_until_it_is_told_never_comes_by_itself_and_comes_when_it_is_hastened() {
    let (work, log, _) = parking(WORK);
    let parked = work.enqueue((1, 0)).await.unwrap();
    work.enqueue((1, 1)).await.unwrap();
    work.enqueue((2, 1)).await.unwrap();
    let start = Instant::now();
    tokio::time::sleep(Duration::from_secs(1_000 * 365 * 24 * 3_600)).await;
    assert_eq!(*log.lock().unwrap(), [(2, 1)], "its key stands still, and others go on");
    assert!(Instant::now() - start > Duration::from_secs(3_600));
    assert_eq!((work.stats().waiting, work.stats().pending), (1, 2));
    assert!(work.hasten(parked));
    assert_eq!(work.drain().await.completed, 3);
    assert_eq!(*log.lock().unwrap(), [(2, 1), (1, 0), (1, 1)]);
    assert!(!work.hasten(parked), "it has ended");
}

#[tokio::test(start_paused = true)]
async fn who_is_hastened_while_it_runs_does_not_wait() {
    let gate = Arc::new(Semaphore::new(0));
    let exits = gate.clone();
    let work = KeyedCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        |(): &()| 0,
        move |(), op: Operation| {
            let exits = exits.clone();
            async move {
                exits.acquire().await.unwrap().forget();
                if op.attempt() < 3 { op.again((), Duration::MAX) } else { op.done::<_, String>() }
            }
        },
    );
    let id = work.enqueue(()).await.unwrap();
    settle().await;
    assert!(work.hasten(id));
    gate.add_permits(3);
    settle().await;
    let stats = work.stats();
    assert_eq!((stats.again, stats.waiting), (2, 1), "the first attempt was hastened, the second was not");
    assert!(work.hasten(id));
    assert_eq!(work.drain().await.completed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_body_may_hasten_itself_or_give_itself_up_from_its_first_line_on() {
    let own = Arc::new(OnceLock::<KeyedCoordinator<bool, bool>>::new());
    let handle = Arc::clone(&own);
    let body = move |hastens: bool, op: Operation| {
        let work = handle.get().unwrap();
        // Before it has ever waited: nobody but its worker knows yet that it runs.
        let is_known = if hastens { work.hasten(op.id()) } else { work.give_up(op.id(), &"enough") };
        async move {
            assert!(is_known);
            if op.attempt() == 1 { op.again(hastens, Duration::MAX) } else { op.done::<_, String>() }
        }
    };
    let work = KeyedCoordinator::spawn(WORK, &SignalSink::default(), |hastens: &bool| *hastens, body);
    own.set(work.clone()).unwrap();
    let hastened = work.enqueue(true).await.unwrap();
    let given_up = work.enqueue(false).await.unwrap();
    let report = work.drain().await;
    assert_eq!((report.completed, report.failed, work.stats().again), (1, 1, 1));
    assert_eq!((work.get(hastened).unwrap().attempt, work.get(given_up).unwrap().attempt), (2, 1));
    assert_eq!(work.get(given_up).unwrap().error.as_deref(), Some("enough"));
}

#[tokio::test(start_paused = true)]
async fn what_is_given_up_has_failed_and_its_key_goes_on() {
    let (work, log, salvaged) = parking(WORK.queue_capacity(2).max_queued_per_key(2));
    let parked = work.enqueue((1, 0)).await.unwrap();
    settle().await;
    work.enqueue((1, 1)).await.unwrap();
    assert!(work.try_enqueue((2, 0)).is_err(), "the queue is full");
    assert!(work.give_up(parked, &"enough"));
    assert!(!work.give_up(parked, &"enough"));
    settle().await;
    assert_eq!(*log.lock().unwrap(), [(1, 1)]);
    assert_eq!(*salvaged.lock().unwrap(), [(1, 0, OperationState::Failed)]);
    let failed = work.failed();
    assert_eq!((failed[0].id, failed[0].error.as_deref()), (parked, Some("enough")));
    work.try_enqueue((2, 1)).unwrap();
    work.try_enqueue((2, 2)).unwrap();
    let report = work.drain().await;
    assert_eq!((report.accepted, report.completed, report.failed), (4, 3, 1));
}

#[tokio::test(start_paused = true)]
async fn who_is_given_up_while_it_runs_fails_when_it_asks_for_more() {
    let gate = Arc::new(Semaphore::new(0));
    let exits = gate.clone();
    let work = KeyedCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        |again: &bool| *again,
        move |again, op: Operation| {
            let exits = exits.clone();
            async move {
                exits.acquire().await.unwrap().forget();
                if again && op.attempt() < 3 {
                    op.again(again, Duration::ZERO)
                } else {
                    op.done::<_, String>()
                }
            }
        },
    );
    let (stubborn, content) = (work.enqueue(true).await.unwrap(), work.enqueue(false).await.unwrap());
    settle().await;
    assert!(work.give_up(stubborn, &"enough") && work.give_up(content, &"enough"));
    gate.add_permits(4);
    let report = work.drain().await;
    assert_eq!((report.completed, report.failed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn who_is_given_up_while_it_runs_stays_so_when_it_is_hastened() {
    let (gate, attempts) = (Arc::new(Semaphore::new(0)), Arc::new(Mutex::new(0)));
    let (exits, counted) = (gate.clone(), attempts.clone());
    let work = KeyedCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        |(): &()| 0,
        move |(), op: Operation| {
            let (exits, counted) = (exits.clone(), counted.clone());
            async move {
                *counted.lock().unwrap() += 1;
                exits.acquire().await.unwrap().forget();
                op.again::<_, (), String>((), Duration::MAX)
            }
        },
    );
    let id = work.enqueue(()).await.unwrap();
    settle().await;
    assert!(work.give_up(id, &"enough") && work.hasten(id));
    gate.add_permits(1);
    let report = work.drain_for(Duration::from_secs(1)).await;
    assert_eq!((report.failed, *attempts.lock().unwrap()), (1, 1), "there is no second attempt");
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_out_comes_back_in_its_order_and_frees_its_room() {
    let (work, log, salvaged) = parking(WORK.queue_capacity(4).max_queued_per_key(4));
    let parked = work.enqueue((1, 0)).await.unwrap();
    settle().await;
    for number in 1..4 {
        work.enqueue((1, number)).await.unwrap();
    }
    assert!(work.try_enqueue((2, 1)).is_err());
    assert_eq!(work.take_queued(&1), [(1, 1), (1, 2), (1, 3)]);
    assert!(work.take_queued(&1).is_empty() && work.take_queued(&9).is_empty());
    for number in 1..4 {
        work.try_enqueue((2, number)).unwrap();
    }
    assert!(work.hasten(parked));
    let report = work.drain().await;
    assert_eq!((report.accepted, report.completed, report.cancelled), (7, 4, 3));
    assert!(log.lock().unwrap().contains(&(1, 0)));
    assert!(salvaged.lock().unwrap().is_empty(), "the caller has them");
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_before_its_start_is_salvaged() {
    let (work, _, salvaged) = parking(WORK);
    work.enqueue((1, 0)).await.unwrap();
    work.enqueue((1, 1)).await.unwrap();
    settle().await;
    work.cancel().await;
    let cancelled = OperationState::Cancelled;
    assert_eq!(*salvaged.lock().unwrap(), [(1, 0, cancelled), (1, 1, cancelled)]);
}

#[tokio::test(start_paused = true)]
async fn a_parked_key_with_lanes_is_passed_by_nobody_twice_and_keeps_its_work() {
    let log = Log::default();
    let done = log.clone();
    let keys = Keys::of(|item: &(u32, u32)| item.0).lanes(2, |item| item.1 as usize).within(|item| item);
    let work = KeyedCoordinator::spawn_with(
        WORK.max_concurrency(1),
        &SignalSink::default(),
        keys,
        move |item: (u32, u32), op: Operation| {
            let done = done.clone();
            async move {
                if item == (1, 0) && op.attempt() == 1 {
                    return op.again(item, Duration::MAX);
                }
                done.lock().unwrap().push(item);
                op.done::<_, String>()
            }
        },
    );
    work.pause();
    let parked = work.enqueue((1, 0)).await.unwrap();
    for item in [(1, 1), (2, 1), (3, 1)] {
        work.enqueue(item).await.unwrap();
    }
    work.resume();
    settle().await;
    assert_eq!(*log.lock().unwrap(), [(2, 1), (3, 1)]);
    work.hasten(parked);
    assert_eq!(work.drain().await.completed, 4);
    assert_eq!(log.lock().unwrap()[2..], [(1, 0), (1, 1)]);
}
