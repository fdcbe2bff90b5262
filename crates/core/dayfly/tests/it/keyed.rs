//! Order within a key, turns among keys.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation, SignalSink};

use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions =
    CoordinatorOptions::new().queue_capacity(100_000).max_queued_per_key(100_000);

type Log = Arc<Mutex<Vec<(u32, u32)>>>;

/// Notes the order in which items complete; numbers below 0 never occur, so every item is what it seems.
fn logging(options: CoordinatorOptions, log: &Log) -> KeyedCoordinator<u32, (u32, u32)> {
    let log = log.clone();
    KeyedCoordinator::spawn(
        options,
        &SignalSink::default(),
        |item: &(u32, u32)| item.0,
        move |item, _| {
            let log = log.clone();
            async move {
                tokio::task::yield_now().await;
                log.lock().unwrap().push(item);
            }
        },
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_key_completes_in_the_order_of_enqueueing() {
    let log = Log::default();
    let work = logging(WORK.max_concurrency(8), &log);
    for number in 0..200 {
        for key in 0..20 {
            work.enqueue((key, number)).await.unwrap();
        }
    }
    work.drain().await;
    let mut of: HashMap<u32, Vec<u32>> = HashMap::new();
    for (key, number) in log.lock().unwrap().iter() {
        of.entry(*key).or_default().push(*number);
    }
    assert_eq!(of.len(), 20);
    assert!(of.values().all(|numbers| numbers.iter().copied().eq(0..200)));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_tried_again_is_not_overtaken() {
    let log = Log::default();
    let seen = log.clone();
    let work = KeyedCoordinator::spawn(
        WORK.max_concurrency(4),
        &SignalSink::default(),
        |item: &(u32, u32)| item.0,
        move |item: (u32, u32), op: Operation| {
            let seen = seen.clone();
            async move {
                if item == (0, 1) && op.attempt() < 3 {
                    return op.again(item, Duration::from_secs(1));
                }
                seen.lock().unwrap().push(item);
                op.done::<_, String>()
            }
        },
    );
    for item in [(0, 1), (1, 1), (0, 2), (1, 2), (0, 3), (1, 3)] {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    assert_eq!(*log.lock().unwrap(), [(1, 1), (1, 2), (1, 3)], "the other key goes on");
    work.drain().await;
    assert_eq!(log.lock().unwrap()[3..], [(0, 1), (0, 2), (0, 3)]);
}

#[tokio::test(start_paused = true)]
async fn neither_limit_is_exceeded() {
    let (all, of_key) = (Doors::shut(), Doors::shut());
    let (body_all, body_of_key) = (all.clone(), of_key.clone());
    let work = KeyedCoordinator::spawn(
        WORK.max_concurrency(100).max_concurrency_per_key(5),
        &SignalSink::default(),
        |key: &u32| *key,
        move |key, _| {
            let (all, of_key) = (body_all.clone(), body_of_key.clone());
            async move {
                let _first = (key == 0).then(|| of_key.enter());
                all.pass().await;
            }
        },
    );
    for number in 0..1_000 {
        work.enqueue(number % 40).await.unwrap();
    }
    settle().await;
    assert_eq!((all.inside(), of_key.inside()), (100, 3), "forty keys share a hundred slots in turns");
    all.let_out(1_000);
    assert_eq!(work.drain().await.completed, 1_000);
    assert_eq!((all.most(), of_key.most() <= 5), (100, true));
}

#[tokio::test(start_paused = true)]
async fn a_cold_key_starts_before_the_backlog_of_a_hot_one() {
    let log = Log::default();
    let work = logging(WORK.max_concurrency(1), &log);
    for number in 0..1_000 {
        work.enqueue((0, number)).await.unwrap();
    }
    settle().await;
    let done = log.lock().unwrap().len();
    work.enqueue((1, 0)).await.unwrap();
    work.drain().await;
    let place = log.lock().unwrap().iter().position(|item| item.0 == 1).unwrap();
    // One may be running, and one turn of the hot key comes first.
    assert!(place <= done + 2, "{place} after {done}");
}

#[tokio::test(start_paused = true)]
async fn a_parked_key_with_a_full_queue_costs_the_others_nothing() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = KeyedCoordinator::spawn(
        CoordinatorOptions::new().max_concurrency(2).queue_capacity(8).max_queued_per_key(2),
        &SignalSink::default(),
        |key: &u32| *key,
        move |key: u32, op: Operation| {
            let doors = body.clone();
            async move {
                if key == 0 && op.attempt() == 1 {
                    return op.again(key, Duration::from_secs(3_600));
                }
                doors.pass().await;
                op.done::<_, String>()
            }
        },
    );
    for _ in 0..2 {
        work.enqueue(0).await.unwrap();
        settle().await;
    }
    assert!(work.try_enqueue(0).is_err(), "one waits for its attempt, one for the key");
    for _ in 0..50 {
        work.enqueue(1).await.unwrap();
        work.enqueue(2).await.unwrap();
        settle().await;
        assert_eq!(doors.inside(), 2, "both slots work for the other keys");
        doors.let_out(2);
        settle().await;
    }
    doors.let_out(2);
    assert_eq!(work.drain().await.completed, 102);
}

#[tokio::test]
async fn a_million_keys_leave_nothing_behind() {
    let work = KeyedCoordinator::spawn(
        CoordinatorOptions::new().max_concurrency(64).window_size(0),
        &SignalSink::default(),
        |key: &u32| *key,
        |_, _| async {},
    );
    assert_eq!(work.enqueue_many(0..1_000_000).await, Ok(1_000_000));
    assert_eq!(work.drain().await.completed, 1_000_000);
    assert!(work.hottest(10).is_empty(), "no key is known any more");
    assert_eq!(work.key_stats(&1).running, 0);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_keys_at_once_come_back_after_all_of_them_were_forgotten() {
    const KEYS: u32 = 5_000;
    let log = Log::default();
    let work = logging(WORK.max_concurrency(16), &log);
    for round in 0..3 {
        work.pause();
        for number in 0..2 {
            for key in 0..KEYS {
                work.enqueue((key, 2 * round + number)).await.unwrap();
            }
        }
        work.resume();
        work.idle().await;
        assert_eq!(work.stats().pending, 0);
    }
    let mut log = log.lock().unwrap().clone();
    // Stable, so that the order within a key stays what it was.
    log.sort_by_key(|(key, _)| *key);
    assert!(log.iter().copied().eq((0..KEYS).flat_map(|key| (0..6).map(move |number| (key, number)))));
}

#[tokio::test(start_paused = true)]
async fn a_paused_key_starts_nothing_and_costs_the_others_nothing() {
    let log = Log::default();
    let work = logging(WORK.max_concurrency(1), &log);
    work.pause_key(1);
    for item in [(1, 1), (2, 1), (1, 2), (2, 2)] {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    assert_eq!(*log.lock().unwrap(), [(2, 1), (2, 2)]);
    let stats = work.key_stats(&1);
    assert_eq!((stats.queued, stats.running, stats.paused), (2, 0, true));
    assert!(work.resume_key(&1) && !work.resume_key(&1));
    work.drain().await;
    assert_eq!(log.lock().unwrap()[2..], [(1, 1), (1, 2)]);
}

#[tokio::test(start_paused = true)]
async fn keys_are_counted_and_the_hottest_come_first() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = KeyedCoordinator::spawn(
        WORK.max_concurrency(10),
        &SignalSink::default(),
        |key: &u32| *key,
        move |key: u32, op: Operation| {
            let doors = body.clone();
            async move {
                if key == 3 && op.attempt() == 1 {
                    return op.again(key, Duration::from_secs(1));
                }
                doors.pass().await;
                op.done::<_, String>()
            }
        },
    );
    for key in [1, 2, 2, 2, 3, 3] {
        work.enqueue(key).await.unwrap();
    }
    settle().await;
    let of = |key: u32| {
        let stats = work.key_stats(&key);
        (stats.queued, stats.waiting, stats.running)
    };
    assert_eq!((of(1), of(2), of(3), of(4)), ((0, 0, 1), (2, 0, 1), (1, 1, 0), (0, 0, 0)));
    let hottest: Vec<u32> = work.hottest(2).into_iter().map(|(key, _)| key).collect();
    assert_eq!(hottest, [2, 3]);
    assert_eq!(work.hottest(10).len(), 3);
    doors.let_out(6);
    assert_eq!(work.drain().await.completed, 6);
    assert!(work.hottest(10).is_empty());
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_lifts_the_pauses_of_keys() {
    let log = Log::default();
    let work = logging(WORK, &log);
    work.pause_key(1);
    work.enqueue((1, 1)).await.unwrap();
    let ended = work.drain();
    drop(work);
    assert_eq!(ended.await.completed, 1);
}
