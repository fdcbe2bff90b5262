//! Every public future of the crate, dropped at every moment of its life: no item, room, slot or wake-up is lost.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Batch, Batcher, BatcherOptions, KeyedBatcher, SubmitError};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};

const ONE: BatcherOptions =
    BatcherOptions::new().max_items(1).queue_capacity(1).cancel_grace(Duration::from_secs(1));

/// A queue of one whose handler takes a second per item.
fn slow() -> Batcher<u32, u32, &'static str> {
    Batcher::spawn(ONE, &SignalSink::default(), |batch: Batch<u32>| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok(batch.to_vec())
    })
}

/// Waits until everything has ended, and looks whether exactly one item has room again.
async fn check_room(batcher: &Batcher<u32, u32, &'static str>) {
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((batcher.stats().queued, batcher.stats().in_flight), (0, 0));
    // The handler takes the first at once.
    batcher.try_push(0).unwrap();
    settle().await;
    batcher.try_push(0).unwrap();
    assert!(batcher.try_push(1).is_err());
    let report = batcher.drain().await;
    assert_eq!(report.accepted, report.completed + report.withdrawn);
}

#[test]
fn pushing_loses_no_item_and_no_room() {
    let report = drop_at_every_poll(
        slow,
        |batcher| async move {
            for item in 0..4 {
                batcher.push(item).await.unwrap();
            }
        },
        |batcher, _| async move { check_room(&batcher).await },
    );
    assert!(report.drops >= 4, "{report:?}");
}

#[test]
fn submitting_loses_no_item_no_room_and_no_outcome() {
    let report = drop_at_every_poll(
        slow,
        |batcher| async move {
            batcher.push(0).await.unwrap();
            settle().await;
            batcher.push(1).await.unwrap();
            assert_eq!(batcher.submit(7).await, Ok(7));
        },
        |batcher, point| async move {
            if point == DropPoint::Completed {
                assert_eq!(batcher.stats().completed, 3);
            }
            check_room(&batcher).await;
        },
    );
    assert!(report.polls > 64, "{report:?}");
}

#[test]
fn a_producer_that_gives_up_does_not_keep_the_next_from_its_room() {
    drop_at_every_poll(
        slow,
        |batcher| async move {
            for item in 0..4 {
                batcher.push(item).await.unwrap();
            }
        },
        |batcher, _| async move {
            let others = (0..3).map(|item| batcher.submit(item));
            for (item, outcome) in (0..).zip(futures_util::future::join_all(others).await) {
                assert_eq!(outcome, Ok(item));
            }
        },
    );
}

#[test]
fn who_leaves_a_batch_takes_only_its_own_item() {
    let report = drop_at_every_poll(
        || {
            let handler = |key: u32, batch: Batch<u32>| async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                assert!(batch.iter().all(|item| item % 2 == key));
                Ok::<_, &str>(batch.to_vec())
            };
            let options = ONE.queue_capacity(9).max_items(3).max_delay(Duration::from_secs(1));
            KeyedBatcher::spawn(options, &SignalSink::default(), |item: &u32| item % 2, handler)
        },
        |batcher| async move {
            batcher.push(1).await.unwrap();
            assert_eq!(batcher.submit(3).await, Ok(3));
        },
        |batcher, point| async move {
            assert_eq!(batcher.submit(5).await, Ok(5));
            let report = batcher.drain().await;
            assert_eq!(report.accepted, report.completed + report.withdrawn);
            assert_eq!(report.withdrawn == 1, point == DropPoint::After(1), "{report:?}");
            assert_eq!(batcher.stats().keys, 0);
        },
    );
    assert!(report.drops >= 2, "{report:?}");
}

#[test]
fn flushing_acts_when_called_and_is_undone_by_no_drop() {
    let report = drop_at_every_poll(
        || {
            let options = BatcherOptions::new().without_max_delay();
            Batcher::spawn(options, &SignalSink::default(), |_: Batch<u32>| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
            })
        },
        |batcher| async move {
            batcher.push(1).await.unwrap();
            batcher.flush().await;
            assert_eq!(batcher.stats().completed, 1);
        },
        |batcher, _| async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let stats = batcher.stats();
            assert_eq!((stats.queued, stats.completed), (0, stats.accepted));
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn draining_acts_when_called_and_is_undone_by_no_drop() {
    drop_at_every_poll(
        slow,
        |batcher| async move {
            batcher.push(1).await.unwrap();
            assert_eq!(batcher.drain().await.completed, 1);
        },
        |batcher, point| async move {
            assert_eq!(batcher.stats().closed, point != DropPoint::Before(1));
            let report = batcher.drain().await;
            assert_eq!(report.completed, report.accepted);
        },
    );
}

#[test]
fn cancelling_acts_when_called_and_is_undone_by_no_drop() {
    drop_at_every_poll(
        || Batcher::spawn(ONE, &SignalSink::default(), |_: Batch<u32>| std::future::pending::<()>()),
        |batcher| async move {
            batcher.push(1).await.unwrap();
            settle().await;
            let waiting = batcher.submit(2);
            let cancelling = async {
                settle().await;
                batcher.cancel().await
            };
            let (outcome, report) = tokio::join!(waiting, cancelling);
            assert_eq!((outcome, report.cancelled), (Err(SubmitError::Cancelled), 2));
        },
        |batcher, _| async move {
            let report = batcher.cancel().await;
            assert_eq!(report.cancelled + report.withdrawn, report.accepted);
            assert_eq!(batcher.stats().in_flight, 0);
        },
    );
}
