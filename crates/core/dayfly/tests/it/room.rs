//! Room that is waited for without a place in line: told to whoever comes back with `try_enqueue`.

use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, KeyedCoordinator, SignalSink, TryEnqueueError};
use dayfly_testing::{drop_at_every_poll, settle};
use futures_util::FutureExt;
use tokio::time::Instant;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1);

/// Each item takes a second; of keys 0 and 1.
fn seconds(options: CoordinatorOptions) -> KeyedCoordinator<u32, u32> {
    KeyedCoordinator::spawn(
        options,
        &SignalSink::default(),
        |item: &u32| item % 2,
        |_, _| tokio::time::sleep(Duration::from_secs(1)),
    )
}

#[tokio::test(start_paused = true)]
async fn room_is_told_when_as_much_is_free_as_is_wanted() {
    let work = seconds(WORK.queue_capacity(4).max_queued_per_key(4));
    let start = Instant::now();
    work.room(4).await;
    work.room_of(&0, 4).await;
    assert_eq!(start.elapsed().as_secs(), 0, "nothing is in the way");
    for _ in 0..5 {
        work.enqueue(0).await.unwrap();
    }
    assert_eq!(work.try_enqueue(1), Err(TryEnqueueError::Full(1)));
    let waits = [1, 2, 4, 9].map(|operations| {
        let work = work.clone();
        async move {
            work.room(operations).await;
            (operations, start.elapsed().as_secs())
        }
    });
    let told = futures_util::future::join_all(waits).await;
    // The first starts at once; from then on one a second. More than the queue takes is never there.
    assert_eq!(told, [(1, 1), (2, 2), (4, 4), (9, 4)]);
}

#[tokio::test(start_paused = true)]
async fn a_keys_room_is_its_own() {
    let work = seconds(WORK.queue_capacity(100).max_queued_per_key(2));
    let start = Instant::now();
    while work.try_enqueue(0).is_ok() {}
    work.try_enqueue(1).unwrap();
    work.room_of(&1, 1).await;
    assert_eq!(start.elapsed().as_secs(), 0);
    settle().await;
    while work.try_enqueue(0).is_ok() {}
    work.room_of(&0, 2).await;
    // Of key 0 one ran and two waited; key 1 had its turn among them.
    assert_eq!((start.elapsed().as_secs(), work.key_stats(&0).queued), (3, 0));
    assert!(work.room_of(&7, 1).now_or_never().is_some(), "a key that has no work has all of its room");
}

#[tokio::test(start_paused = true)]
async fn whoever_stands_in_line_comes_first() {
    let work = seconds(WORK.queue_capacity(1));
    work.enqueue(0).await.unwrap();
    settle().await;
    work.enqueue(0).await.unwrap();
    let producer = tokio::runtime::Handle::current().spawn({
        let work = work.clone();
        async move { work.enqueue(1).await.unwrap() }
    });
    settle().await;
    let start = Instant::now();
    work.room(1).await;
    assert_eq!(start.elapsed().as_secs(), 2, "the place that was free after one second was not");
    producer.await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn attempts_that_wait_take_their_room_along() {
    let work = KeyedCoordinator::spawn(
        WORK.queue_capacity(1),
        &SignalSink::default(),
        |_: &u32| 0,
        |item, op: dayfly::Operation| async move {
            match op.attempt() {
                1 => op.again(item, Duration::from_secs(5)),
                _ => op.done::<_, std::convert::Infallible>(),
            }
        },
    );
    let start = Instant::now();
    work.enqueue(1).await.unwrap();
    settle().await;
    work.room(1).await;
    assert_eq!(start.elapsed().as_secs(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_close_a_larger_queue_and_one_that_gives_up_are_told_too() {
    let work = Coordinator::spawn(WORK.queue_capacity(1), &SignalSink::default(), |_: u32, _| {
        std::future::pending::<()>()
    });
    work.enqueue(0).await.unwrap();
    settle().await;
    work.enqueue(0).await.unwrap();
    let (in_line, wait) = (work.enqueue(0), work.room(1));
    let (mut in_line, mut wait) = (Box::pin(in_line), Box::pin(wait));
    assert!(in_line.as_mut().now_or_never().is_none() && wait.as_mut().now_or_never().is_none());
    dayfly::Reconfigure::reconfigure(&work, &WORK.queue_capacity(2)).unwrap();
    settle().await;
    assert!(wait.as_mut().now_or_never().is_none(), "the new place is the producer's");
    drop(in_line);
    wait.await;
    work.try_enqueue(0).unwrap();
    let wait = work.room(1);
    let mut wait = Box::pin(wait);
    assert!(wait.as_mut().now_or_never().is_none());
    work.close();
    wait.await;
    assert_eq!(work.try_enqueue(0), Err(TryEnqueueError::Closed(0)));
    drop(work.cancel());
}

#[test]
fn a_wait_for_room_that_is_dropped_takes_nothing_from_anybody() {
    for of_a_key in [true, false] {
        let report = drop_at_every_poll(
            || {
                let work = seconds(WORK.queue_capacity(2).max_queued_per_key(2));
                while work.try_enqueue(0).is_ok() {}
                work
            },
            |work| async move {
                for _ in 0..3 {
                    if of_a_key {
                        work.room_of(&0, 2).await;
                    } else {
                        work.room(2).await;
                    }
                    while work.try_enqueue(0).is_ok() {}
                }
            },
            |work, _| async move {
                work.room(2).await;
                work.room_of(&0, 2).await;
                work.enqueue(0).await.unwrap();
                let report = work.drain().await;
                assert_eq!(report.completed, report.accepted);
            },
        );
        assert!(report.drops >= 6, "{report:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_who_wait_are_all_told() {
    let work = seconds(WORK.queue_capacity(1));
    while work.try_enqueue(0).is_ok() {}
    settle().await;
    while work.try_enqueue(0).is_ok() {}
    let waits = (0..10_000_u32).map(|number| {
        let work = work.clone();
        async move { if number % 2 == 0 { work.room(1).await } else { work.room_of(&0, 1).await } }
    });
    let start = Instant::now();
    futures_util::future::join_all(waits).await;
    assert_eq!(start.elapsed().as_secs(), 1);
}
