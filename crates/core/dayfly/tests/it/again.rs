//! `again`: the same operation, another attempt, the slot free meanwhile.

use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
use tokio::time::Instant;

use dayfly_testing::settle;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1);

/// Asks for another attempt until the number that the item names, `wait` apart.
fn stubborn(options: CoordinatorOptions, wait: Duration) -> Coordinator<u32> {
    Coordinator::spawn(options, &SignalSink::default(), move |attempts: u32, op: Operation| async move {
        if op.attempt() < attempts { op.again(attempts, wait) } else { op.done::<_, String>() }
    })
}

#[tokio::test(start_paused = true)]
async fn an_attempt_keeps_the_id_counts_up_and_gives_the_slot_back() {
    let work = stubborn(WORK, Duration::from_secs(10));
    let start = Instant::now();
    let patient = work.enqueue(3).await.unwrap();
    let quick = work.enqueue(1).await.unwrap();
    settle().await;
    let stats = work.stats();
    assert_eq!((stats.completed, stats.pending, stats.waiting, stats.running), (1, 1, 1, 0));
    assert!(work.get(quick).is_some(), "others may pass");
    let report = work.drain().await;
    assert_eq!((report.accepted, report.completed), (2, 2));
    assert_eq!(work.get(patient).unwrap().attempt, 3);
    assert_eq!(Instant::now() - start, Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn a_waiting_item_counts_against_the_queue_and_its_debt_is_paid() {
    let work = stubborn(WORK.queue_capacity(2), Duration::from_secs(10));
    work.enqueue(2).await.unwrap();
    settle().await;
    work.try_enqueue(2).unwrap();
    settle().await;
    assert!(work.try_enqueue(1).is_err(), "two wait for their next attempt");
    tokio::time::sleep(Duration::from_secs(11)).await;
    assert_eq!(work.stats().completed, 2);
    work.try_enqueue(1).unwrap();
    work.try_enqueue(1).unwrap();
    assert!(work.try_enqueue(1).is_err(), "the room is two again, no more and no less");
    assert_eq!(work.drain().await.completed, 4);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_comes_back_is_pending_once() {
    let work = stubborn(WORK, Duration::ZERO);
    work.enqueue(5).await.unwrap();
    work.idle().await;
    assert_eq!((work.stats().again, work.stats().peak_pending), (4, 1));

    work.enqueue_many([2, 2, 2]).await.unwrap();
    work.idle().await;
    assert_eq!(work.stats().peak_pending, 3);
}

#[tokio::test(start_paused = true)]
async fn cancel_ends_what_waits_for_its_next_attempt() {
    let work = stubborn(WORK, Duration::from_secs(3_600));
    work.enqueue(2).await.unwrap();
    settle().await;
    let report = work.cancel().await;
    assert_eq!((report.accepted, report.cancelled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_tried_again_at_once_does_not_starve_the_others() {
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK, &signals, |is_stubborn: bool, op: Operation| async move {
        if is_stubborn && !op.signals().is_raised("enough") {
            return op.again(is_stubborn, Duration::ZERO);
        }
        op.raise("enough");
        op.done::<_, String>()
    });
    work.enqueue(true).await.unwrap();
    work.enqueue(false).await.unwrap();
    assert_eq!(work.drain().await.completed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_killed_operation_is_not_tried_again() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |(), op: Operation| async move {
        op.cancelled().await;
        op.again::<_, (), String>((), Duration::ZERO)
    });
    let id = work.enqueue(()).await.unwrap();
    settle().await;
    assert!(work.kill(id));
    assert_eq!(work.drain().await.cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn a_wait_beyond_the_clock_is_no_panic() {
    let work = stubborn(WORK, Duration::MAX);
    work.enqueue(2).await.unwrap();
    settle().await;
    assert_eq!(work.stats().waiting, 1);
    assert_eq!(work.cancel().await.cancelled, 1);
}
