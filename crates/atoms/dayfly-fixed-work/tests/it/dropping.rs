//! Every public future of the crate, dropped at every moment of its life. On async bodies: with threads no two runs are
//! the same, and the futures are.

use std::convert::Infallible;
use std::time::Duration;

use dayfly::OperationId;
use dayfly_fixed_work::{CoordinatorOptions, FixedWork, FixedWorkOptions, SignalSink};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};

/// A queue of one whose worker takes a second per item.
fn busy() -> FixedWork<u32, u32> {
    let options = FixedWorkOptions::new().workers(1).work(CoordinatorOptions::new().queue_capacity(1));
    FixedWork::spawn(options, &SignalSink::default(), |item, _| async move {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok::<_, Infallible>(item)
    })
}

/// The room is whole, and everything that was accepted has ended.
async fn whole(work: FixedWork<u32, u32>, _: DropPoint) {
    tokio::time::sleep(Duration::from_secs(60)).await;
    work.pause();
    work.try_enqueue(0).unwrap();
    assert!(work.try_enqueue(1).is_err());
    work.resume();
    let report = work.drain().await;
    assert_eq!(report.completed, report.accepted);
}

#[test]
fn intake_loses_no_item_and_no_place() {
    let report = drop_at_every_poll(
        busy,
        |work| async move {
            work.enqueue(0).await.unwrap();
            drop(work.submit(1).await.unwrap());
            drop(work.submit_as(OperationId::next(), 2).await.unwrap());
            work.enqueue(3).await.unwrap();
        },
        whole,
    );
    assert!(report.drops > 2, "{report:?}");
}

#[test]
fn a_dropped_ticket_touches_nothing() {
    let report = drop_at_every_poll(
        busy,
        |work| async move {
            assert_eq!(work.submit(7).await.unwrap().await, Ok(7));
        },
        whole,
    );
    assert!(report.drops > 0, "{report:?}");
}

#[test]
fn waits_for_the_end_are_undone_by_no_drop() {
    let report = drop_at_every_poll(
        busy,
        |work| async move {
            work.enqueue(0).await.unwrap();
            work.idle().await;
            work.enqueue(1).await.unwrap();
            work.drain().await
        },
        |work, _| async move {
            let report = work.drain().await;
            assert_eq!(report.completed, report.accepted);
        },
    );
    assert!(report.drops > 2, "{report:?}");
    for limit in [None, Some(Duration::from_millis(500))] {
        drop_at_every_poll(
            busy,
            move |work| async move {
                work.enqueue(0).await.unwrap();
                settle().await;
                match limit {
                    None => work.cancel().await,
                    Some(limit) => work.drain_for(limit).await,
                }
            },
            |work, _| async move {
                let report = work.cancel().await;
                assert_eq!(report.completed + report.cancelled, report.accepted);
                assert_eq!(work.stats().running, 0);
            },
        );
    }
}

#[test]
fn waits_for_room_and_for_what_runs_are_undone_by_no_drop() {
    let report = drop_at_every_poll(
        busy,
        |work| async move {
            while work.try_enqueue(0).is_ok() {}
            work.room(1).await;
            work.drain_running().await
        },
        |work, point| async move {
            if !matches!(point, DropPoint::Completed) {
                work.room(1).await;
            }
            let report = work.drain_running_for(Duration::from_secs(60)).await;
            assert_eq!(report.completed + report.cancelled, report.accepted);
            assert_eq!(work.stats().running, 0);
        },
    );
    assert!(report.drops > 1, "{report:?}");
}
