//! Places in the queue, and producers that give up.

use std::future::poll_fn;
use std::task::Poll;

use dayfly::{Coordinator, KeyedCoordinator, SignalSink, TryEnqueueError};
use shuttle::rand::{Rng, thread_rng};
use tokio::task::{spawn, yield_now};

use super::WORK;
use crate::watched::balanced;

/// How many operations may wait.
const CAPACITY: usize = 1;

/// How many others may have their turn between the last look at a future and its drop.
const PATIENCE: usize = 12;

/// Producers that go away at any moment take no place with them, and leave nobody else waiting.
pub(super) async fn dropped_enqueues() {
    let work = Coordinator::spawn(
        WORK.max_concurrency(1).queue_capacity(CAPACITY),
        &SignalSink::default(),
        |_: u32, _| yield_now(),
    );
    let impatient = [0, 1].map(|number| {
        let work = work.clone();
        spawn(async move {
            // Whoever is refused once more would have the engine look again, and hide that somebody was forgotten.
            u64::from(polled_at_most(2, work.enqueue(number)).await)
        })
    });
    let patient = {
        let work = work.clone();
        spawn(async move {
            for number in 0..3 {
                work.enqueue(number).await.expect("it is open");
            }
            3
        })
    };
    let mut accepted = 0;
    for producer in impatient.into_iter().chain([patient]) {
        accepted += producer.await.expect("a producer comes to its end");
    }
    work.idle().await;
    work.pause();
    for number in 0..CAPACITY {
        work.try_enqueue(u32::try_from(number).unwrap_or(0)).expect("every place is free again");
    }
    assert!(matches!(work.try_enqueue(9), Err(TryEnqueueError::Full(9))));
    work.resume();
    let report = work.drain().await;
    assert_eq!(balanced(report), accepted + CAPACITY as u64);
    assert_eq!(report.completed, report.accepted);
}

/// A feeder that goes past what is full and comes back when it hears of room is never left waiting, also beside one that
/// stands in line and one that goes away.
pub(super) async fn room_that_is_told() {
    let work = KeyedCoordinator::spawn(
        WORK.max_concurrency(2).queue_capacity(4).max_queued_per_key(2),
        &SignalSink::default(),
        |item: &u32| item % 2,
        |_: u32, _| yield_now(),
    );
    let feeders = [0, 1].map(|key| {
        let work = work.clone();
        spawn(async move {
            for number in 0..3 {
                let mut refused = work.try_enqueue(key);
                while let Err(why) = refused {
                    // Whoever is refused has the engine look again; a wait has to be enough by itself.
                    match why {
                        TryEnqueueError::KeyFull(_) => work.room_of(&key, 1 + number % 2).await,
                        _ => work.room(1).await,
                    }
                    refused = work.try_enqueue(key);
                }
            }
        })
    });
    let in_line = {
        let work = work.clone();
        spawn(async move {
            polled_at_most(1, work.room_of(&0, 2)).await;
            work.enqueue(0).await.expect("it is open");
        })
    };
    for feeder in feeders.into_iter().chain([in_line]) {
        feeder.await.expect("a feeder comes to its end");
    }
    work.room(4).await;
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (7, 7));
}

/// Polls a future up to so many times, lets go of it some time later, and says whether it came to its end.
pub(super) async fn polled_at_most<T>(most: usize, future: impl Future<Output = T>) -> bool {
    let mut future = Box::pin(future);
    for _ in 0..thread_rng().gen_range(0..=most) {
        if poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_ready())).await {
            return true;
        }
        yield_now().await;
    }
    // What it was granted meanwhile nobody comes for.
    for _ in 0..thread_rng().gen_range(0..=PATIENCE) {
        yield_now().await;
    }
    false
}
