//! A failed item stops its key's line, and nothing else.

use std::sync::Arc;
use std::time::Duration;

use dayfly::{CoordinatorOptions, Keys, OperationState, SignalSink};
use dayfly_keyed_sequential::KeyedSequential;
use dayfly_testing::settle;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use crate::support::{Item, World, options, spawn};

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(4);

/// Key 1 with items 0, 1 (broken), 2 and 3, key 2 with item 0; parked.
async fn parked() -> (KeyedSequential<u32, Item>, World) {
    let world = World::breaking(&[(1, 1)]);
    let work = spawn(WORK, &SignalSink::default(), &world);
    for item in [(1, 0), (1, 1), (1, 2), (1, 3), (2, 0)] {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    (work, world)
}

#[tokio::test(start_paused = true)]
async fn a_failed_item_parks_its_key_and_is_listed_with_its_error() {
    let start = Instant::now();
    let (work, world) = parked().await;
    assert_eq!((world.of(1), world.of(2)), (vec![0, 1], vec![0]));
    let listed = work.parked();
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].key, listed[0].attempts, listed[0].panicked), (1, 1, false));
    assert_eq!(&*listed[0].error, "(1, 1) is broken");
    assert_eq!(listed[0].since, start);
    assert_eq!((work.stats().waiting, work.stats().pending, work.stats().failed), (1, 3, 0));
    assert_eq!((work.key_stats(&1).waiting, work.key_stats(&1).queued), (1, 2));
    assert_eq!(work.parked_key(&1).unwrap().id, listed[0].id);
    assert!(work.parked_key(&2).is_none());
    // Time alone changes nothing.
    tokio::time::sleep(Duration::from_secs(100 * 365 * 24 * 3_600)).await;
    assert_eq!(world.of(1), [0, 1]);
}

#[tokio::test(start_paused = true)]
async fn retry_runs_the_failed_item_first_and_then_the_rest_in_order() {
    let (work, world) = parked().await;
    let id = work.parked()[0].id;
    world.mend();
    assert!(work.retry(&1));
    assert!(!work.retry(&1), "once is enough");
    assert!(!work.retry(&2) && !work.retry(&9), "what is not parked is not retried");
    let report = work.drain().await;
    assert_eq!(world.of(1), [0, 1, 1, 2, 3]);
    assert_eq!((report.figures.completed, report.figures.failed), (5, 0));
    assert_eq!(work.get(id).unwrap().attempt, 2, "it is the same operation");
}

#[tokio::test(start_paused = true)]
async fn an_item_that_fails_again_parks_its_key_again() {
    let (work, world) = parked().await;
    for attempts in 2..5 {
        assert!(work.retry(&1));
        settle().await;
        assert_eq!(work.parked()[0].attempts, attempts);
    }
    assert_eq!(world.of(1), [0, 1, 1, 1, 1]);
    world.mend();
    assert_eq!(work.retry_all(), 1);
    assert_eq!(work.retry_all(), 0);
    assert_eq!(work.drain().await.figures.completed, 5);
}

#[tokio::test(start_paused = true)]
async fn skip_hands_the_failed_item_back_and_the_key_goes_on_with_the_next() {
    let (work, world) = parked().await;
    let id = work.parked()[0].id;
    assert_eq!(work.skip(&1).map(Arc::into_inner), Some(Some((1, 1))));
    assert!(work.skip(&1).is_none() && work.skip(&9).is_none());
    let report = work.drain().await;
    assert_eq!(world.of(1), [0, 1, 2, 3]);
    assert_eq!((report.figures.completed, report.figures.failed), (4, 1));
    assert!(report.given_up.is_empty(), "it was handed back");
    let failed = work.get(id).unwrap();
    assert_eq!((failed.state, failed.error.as_deref()), (OperationState::Failed, Some("(1, 1) is broken")));
}

#[tokio::test(start_paused = true)]
async fn discard_hands_everything_of_the_key_back_and_takes_new_work() {
    let (work, world) = parked().await;
    let items: Vec<Item> = work.discard(&1).iter().map(|item| **item).collect();
    assert_eq!(items, [(1, 1), (1, 2), (1, 3)]);
    assert!(work.discard(&1).is_empty() && work.discard(&9).is_empty());
    work.enqueue((1, 4)).await.unwrap();
    let report = work.drain().await;
    assert_eq!(world.of(1), [0, 1, 4]);
    let figures = report.figures;
    assert_eq!((figures.completed, figures.failed, figures.cancelled), (3, 1, 2));
    assert!(report.given_up.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_failed_item_depends_on_is_restarted_and_the_three_calls_do_what_they_say() {
    let broken: Vec<Item> = (1..4).map(|key| (key, 0)).collect();
    let world = World::breaking(&broken);
    let work = spawn(WORK, &SignalSink::default(), &world);
    for number in 0..3 {
        for key in 1..4 {
            work.enqueue((key, number)).await.unwrap();
        }
    }
    settle().await;
    assert_eq!(work.parked_count(), 3);
    world.mend();
    assert!(work.retry(&1));
    assert_eq!(*work.skip(&2).unwrap(), (2, 0));
    assert_eq!(work.discard(&3).len(), 3);
    let report = work.drain().await;
    assert_eq!((world.of(1), world.of(2), world.of(3)), (vec![0, 0, 1, 2], vec![0, 1, 2], vec![0]));
    let figures = report.figures;
    assert_eq!((figures.completed, figures.failed, figures.cancelled), (5, 2, 2));
}

#[tokio::test(start_paused = true)]
async fn the_listener_of_the_parked_signal_may_retry_in_the_same_call() {
    let signals = SignalSink::default();
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(WORK, &signals, &world);
    let (listening, mended) = (work.downgrade(), world.clone());
    let _listener = signals.listen("key.parked", move |signal| {
        let Some(work) = listening.upgrade() else { return };
        if work.parked_count() > 0 {
            assert_eq!(signal.key(), Some("1"));
            mended.mend();
            assert!(work.retry(&1), "who hears of it finds it");
        }
    });
    work.enqueue((1, 0)).await.unwrap();
    work.enqueue((1, 1)).await.unwrap();
    assert_eq!(work.drain().await.figures.completed, 2);
    assert_eq!(world.of(1), [0, 0, 1]);
    assert!(!signals.is_raised("key.parked"), "nothing is left behind");
}

/// How long `others` items of a second each take over 4 slots, with so many parked keys whose queues are full.
async fn time_of_others(parked: u32, others: u32) -> Duration {
    let ended = Arc::new(Semaphore::new(0));
    let ends = Arc::clone(&ended);
    let options = options(WORK.queue_capacity(1_000).max_queued_per_key(10));
    let work = KeyedSequential::spawn(
        options,
        &SignalSink::default(),
        |item: &Item| item.0,
        move |item: Arc<Item>, _| {
            let ends = Arc::clone(&ends);
            async move {
                if item.0 < 1_000 {
                    return Err("parked");
                }
                tokio::time::sleep(Duration::from_secs(1)).await;
                ends.add_permits(1);
                Ok(())
            }
        },
    );
    for key in 0..parked {
        work.enqueue((key, 0)).await.unwrap();
    }
    settle().await;
    assert_eq!(work.parked_count(), parked as usize);
    for key in 0..parked {
        let mut number = 1;
        while work.try_enqueue((key, number)).is_ok() {
            number += 1;
        }
        assert_eq!(number, 10, "the failed item has one of the ten places");
    }
    let start = Instant::now();
    for number in 0..others {
        work.enqueue((1_000 + number % 8, number)).await.unwrap();
    }
    ended.acquire_many(others).await.unwrap().forget();
    Instant::now() - start
}

#[tokio::test(start_paused = true)]
async fn parked_keys_with_full_queues_cost_the_others_nothing() {
    assert_eq!(time_of_others(0, 40).await, Duration::from_secs(10));
    assert_eq!(time_of_others(20, 40).await, Duration::from_secs(10));
}

#[tokio::test(start_paused = true)]
async fn a_pause_and_a_failure_stop_a_key_each_by_itself() {
    let (work, world) = parked().await;
    world.mend();
    work.pause_key(1);
    assert!(work.retry(&1));
    settle().await;
    assert_eq!(world.of(1), [0, 1], "it is paused");
    assert!(work.resume_key(&1));
    assert_eq!(work.drain().await.figures.completed, 5);
}

#[tokio::test(start_paused = true)]
async fn with_lanes_a_failed_item_stops_all_of_them() {
    let world = World::breaking(&[(1, 1)]);
    let attempts = world.clone();
    let keys = Keys::of(|item: &Item| item.0).lanes(2, |item| item.1 as usize % 2);
    let work = KeyedSequential::spawn_with(
        options(WORK),
        &SignalSink::default(),
        keys,
        move |item: Arc<Item>, _| {
            let attempted = attempts.attempt(*item);
            async move { attempted }
        },
    );
    work.pause();
    for number in [1, 3, 2, 4] {
        work.enqueue((1, number)).await.unwrap();
    }
    work.resume();
    settle().await;
    assert_eq!(world.of(1), [2, 4, 1]);
    work.enqueue((1, 6)).await.unwrap();
    settle().await;
    assert_eq!(world.of(1), [2, 4, 1]);
    world.mend();
    work.retry(&1);
    assert_eq!(work.drain().await.figures.completed, 5);
    assert_eq!(world.of(1), [2, 4, 1, 1, 6, 3]);
}
