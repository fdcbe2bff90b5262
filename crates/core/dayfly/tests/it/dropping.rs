//! Every public future of the crate, dropped at every moment of its life: no item, place, slot or wake-up is lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, KeyedCoordinator, Operation, SignalSink};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1).queue_capacity(1);

/// A queue of one whose worker takes a second per item, filled.
fn busy() -> (KeyedCoordinator<u32, u32>, Arc<AtomicU64>) {
    let ran = Arc::new(AtomicU64::new(0));
    let body = Arc::clone(&ran);
    let work = KeyedCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        |item: &u32| item % 2,
        move |_, _| {
            let ran = Arc::clone(&body);
            async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                ran.fetch_add(1, Ordering::SeqCst);
            }
        },
    );
    (work, ran)
}

#[test]
fn enqueueing_loses_no_item_and_no_place() {
    for waits_for_its_key in [true, false] {
        let report = drop_at_every_poll(
            busy,
            |(work, _)| async move {
                work.enqueue(0).await.unwrap();
                settle().await;
                work.enqueue(u32::from(!waits_for_its_key)).await.unwrap();
                work.enqueue(0).await.unwrap();
            },
            |(work, ran), _| async move {
                // The room is whole: after what is left has run, it takes exactly one again.
                tokio::time::sleep(Duration::from_secs(60)).await;
                work.pause();
                work.try_enqueue(0).unwrap();
                assert!(work.try_enqueue(1).is_err());
                work.resume();
                let report = work.drain().await;
                assert_eq!(report.completed, report.accepted);
                assert_eq!(ran.load(Ordering::SeqCst), report.accepted);
            },
        );
        assert!(report.polls > 64, "{report:?}");
    }
}

#[test]
fn a_producer_that_gives_up_does_not_keep_the_next_from_its_place() {
    drop_at_every_poll(
        busy,
        |(work, _)| async move {
            for _ in 0..3 {
                work.enqueue(0).await.unwrap();
            }
        },
        |(work, _), _| async move {
            let others = (0..3).map(|_| {
                let work = work.clone();
                async move { work.enqueue(1).await.unwrap() }
            });
            futures_util::future::join_all(others).await;
            let report = work.drain().await;
            assert_eq!(report.completed, report.accepted);
        },
    );
}

#[test]
fn draining_acts_when_called_and_is_undone_by_no_drop() {
    let report = drop_at_every_poll(
        busy,
        |(work, _)| async move {
            work.enqueue(0).await.unwrap();
            assert_eq!(work.drain().await.completed, 1);
        },
        |(work, ran), point| async move {
            if point != DropPoint::Before(1) {
                assert_eq!(work.drain().await.completed, 1);
                assert_eq!(ran.load(Ordering::SeqCst), 1);
            }
            assert_eq!(work.drain().await.accepted, ran.load(Ordering::SeqCst));
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn draining_for_a_time_keeps_its_limit_whoever_waits() {
    drop_at_every_poll(
        || {
            let options = WORK.cancel_grace(Duration::from_secs(1));
            Coordinator::spawn(options, &SignalSink::default(), |(), _| std::future::pending::<()>())
        },
        |work| async move {
            work.enqueue(()).await.unwrap();
            assert_eq!(work.drain_for(Duration::from_secs(2)).await.cancelled, 1);
        },
        |work, point| async move {
            if point == DropPoint::Before(1) {
                assert_eq!(work.drain().await.accepted, 0);
            } else {
                assert_eq!(work.drain().await.cancelled, 1);
            }
        },
    );
}

#[test]
fn cancelling_acts_when_called_and_is_undone_by_no_drop() {
    let report = drop_at_every_poll(
        || {
            Coordinator::spawn(WORK, &SignalSink::default(), |(), op: Operation| async move {
                op.cancelled().await;
                tokio::time::sleep(Duration::from_secs(1)).await;
            })
        },
        |work| async move {
            work.enqueue(()).await.unwrap();
            settle().await;
            assert_eq!(work.cancel().await.completed, 1);
        },
        |work, _| async move {
            let report = work.cancel().await;
            assert_eq!(report.completed + report.cancelled, report.accepted);
            assert_eq!(work.stats().running, 0);
        },
    );
    assert!(report.polls > 64, "{report:?}");
}

#[test]
fn a_dropped_wait_for_cancellation_hides_no_cancellation() {
    let report = drop_at_every_poll(
        || {
            let (out, operations) = tokio::sync::mpsc::channel(1);
            let work = Coordinator::spawn(WORK, &SignalSink::default(), move |(), op: Operation| {
                let out = out.clone();
                async move {
                    drop(out.send(op).await);
                    std::future::pending::<()>().await;
                }
            });
            work.try_enqueue(()).unwrap();
            let killer = work.clone();
            drop(tokio::runtime::Handle::current().spawn(async move {
                tokio::time::sleep(Duration::from_secs(1)).await;
                drop(killer.cancel());
            }));
            Arc::new(tokio::sync::Mutex::new((operations, None)))
        },
        |shared| async move {
            let (operations, operation) = &mut *shared.lock().await;
            let op: &Operation = operation.insert(operations.recv().await.unwrap());
            op.cancelled().await;
        },
        |shared, _| async move {
            let (operations, operation) = &mut *shared.lock().await;
            let op = match operation.take() {
                Some(op) => op,
                None => operations.recv().await.unwrap(),
            };
            op.cancelled().await;
            assert!(op.is_cancelled());
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn draining_what_runs_acts_when_called_and_is_undone_by_no_drop() {
    for limit in [None, Some(Duration::from_secs(60))] {
        let report = drop_at_every_poll(
            busy,
            |(work, _)| async move {
                work.enqueue(0).await.unwrap();
                settle().await;
                work.enqueue(1).await.unwrap();
                let ended = match limit {
                    None => work.drain_running().await,
                    Some(limit) => work.drain_running_for(limit).await,
                };
                assert_eq!((ended.completed, ended.cancelled), (1, 1));
            },
            |(work, ran), _| async move {
                // What had started by then ends by itself; the rest does not start.
                let report = work.drain_running().await;
                assert_eq!(report.completed + report.cancelled, report.accepted);
                assert_eq!(ran.load(Ordering::SeqCst), report.completed);
            },
        );
        assert!(report.polls > 64, "{report:?}");
    }
}

#[test]
fn a_dropped_wait_for_the_end_of_intake_hides_it_from_nobody() {
    let report = drop_at_every_poll(
        busy,
        |(work, _)| async move {
            let closing = async {
                tokio::task::yield_now().await;
                work.close();
            };
            futures_util::join!(work.closed(), closing);
        },
        |(work, _), _| async move {
            work.close();
            work.closed().await;
            assert!(work.is_closed());
        },
    );
    assert!(report.drops >= 2, "{report:?}");
}
