//! Places in the queue, and producers that give up.

use std::future::poll_fn;
use std::task::Poll;

use dayfly::{Coordinator, SignalSink, TryEnqueueError};
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
