//! Every public future of the crate, dropped at every moment of its life.

use std::sync::Arc;
use std::time::Duration;

use dayfly::{CoordinatorOptions, OperationId, SignalSink};
use dayfly_keyed_sequential::KeyedSequential;
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};
use futures_util::stream;

use crate::support::{Item, World, options, spawn};

/// Room for two of each key; key 1 is broken at first, and somebody mends and retries it every second.
fn tended() -> (KeyedSequential<u32, Item>, World) {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(
        CoordinatorOptions::new().max_concurrency(1).queue_capacity(2).max_queued_per_key(2),
        &SignalSink::default(),
        &world,
    );
    let (tended, mended) = (work.downgrade(), world.clone());
    drop(tokio::runtime::Handle::current().spawn(async move {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            let Some(work) = tended.upgrade() else { return };
            mended.mend();
            work.retry_all();
        }
    }));
    (work, world)
}

/// The room is whole, and everything that was accepted ends once.
async fn whole(work: KeyedSequential<u32, Item>, _: DropPoint) {
    tokio::time::sleep(Duration::from_secs(60)).await;
    work.pause();
    work.try_enqueue((9, 0)).unwrap();
    work.try_enqueue((9, 1)).unwrap();
    assert!(work.try_enqueue((8, 0)).is_err());
    work.resume();
    let report = work.drain().await;
    assert_eq!(report.figures.completed, report.figures.accepted);
    assert!(report.given_up.is_empty(), "a future that is dropped gives nothing up: {report:?}");
}

#[test]
fn intake_loses_no_item_and_no_place() {
    let report = drop_at_every_poll(
        tended,
        |(work, _)| async move {
            for number in 0..4 {
                work.enqueue((1, number)).await.unwrap();
            }
            work.enqueue_as(OperationId::next(), (1, 4)).await.unwrap();
        },
        |(work, _), point| whole(work, point),
    );
    assert!(report.drops > 3, "{report:?}");
    let report = drop_at_every_poll(
        tended,
        |(work, _)| async move {
            work.enqueue_many((0..6).map(|number| (1, number))).await.unwrap();
        },
        |(work, _), point| whole(work, point),
    );
    assert!(report.drops > 2, "{report:?}");
    let report = drop_at_every_poll(
        tended,
        |(work, _)| async move {
            let items = (0..6).map(|number| Ok::<_, String>((1, number)));
            work.feed(stream::iter(items)).await.unwrap();
        },
        |(work, _), point| whole(work, point),
    );
    assert!(report.drops > 2, "{report:?}");
}

#[test]
fn waits_for_the_end_are_undone_by_no_drop() {
    let report = drop_at_every_poll(
        tended,
        |(work, _)| async move {
            work.enqueue((1, 0)).await.unwrap();
            settle().await;
            work.idle().await;
            work.drain().await
        },
        |(work, _), _| async move {
            let report = work.drain().await;
            assert_eq!(report.figures.completed, report.figures.accepted);
        },
    );
    assert!(report.polls > 64, "{report:?}");
}

#[test]
fn cancelling_lists_what_was_given_up_whoever_waits() {
    for limit in [None, Some(Duration::from_secs(2))] {
        drop_at_every_poll(
            || {
                let hang = |_: Arc<Item>, _| std::future::pending::<()>();
                let options = options(CoordinatorOptions::new().cancel_grace(Duration::from_secs(1)));
                let work =
                    KeyedSequential::spawn(options, &SignalSink::default(), |item: &Item| item.0, hang);
                work.try_enqueue((1, 0)).unwrap();
                work.try_enqueue((1, 1)).unwrap();
                work
            },
            move |work| async move {
                settle().await;
                match limit {
                    None => work.cancel().await,
                    Some(limit) => work.drain_for(limit).await,
                };
            },
            |work, _| async move {
                let report = work.cancel().await;
                assert_eq!((report.figures.cancelled, report.given_up.len()), (2, 2));
            },
        );
    }
}

#[test]
fn a_dropped_watch_misses_no_change() {
    let report = drop_at_every_poll(
        || {
            let world = World::breaking(&[(1, 0)]);
            let work = spawn(CoordinatorOptions::new(), &SignalSink::default(), &world);
            let watch = Arc::new(tokio::sync::Mutex::new(work.watch_parked()));
            let later = work.clone();
            drop(tokio::runtime::Handle::current().spawn(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                later.try_enqueue((1, 0)).unwrap();
            }));
            (work, watch)
        },
        |(_, watch)| async move {
            assert_eq!(watch.lock().await.changed().await.unwrap().len(), 1);
        },
        |(work, watch), point| async move {
            if point != DropPoint::Completed {
                assert_eq!(watch.lock().await.changed().await.unwrap().len(), 1);
            }
            assert_eq!(work.parked_count(), 1);
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn waits_for_room_and_for_what_runs_are_undone_by_no_drop() {
    let report = drop_at_every_poll(
        tended,
        |(work, _)| async move {
            while work.try_enqueue((1, 0)).is_ok() {}
            work.room_of(&1, 1).await;
            while work.try_enqueue((2, 0)).is_ok() {}
            work.room(1).await;
            work.drain_running().await
        },
        |(work, _), _| async move {
            work.room_of(&1, 2).await;
            work.room(2).await;
            let report = work.drain_running_for(Duration::from_secs(60)).await.figures;
            assert_eq!(report.completed + report.failed + report.cancelled, report.accepted);
        },
    );
    assert!(report.drops > 2, "{report:?}");
}
