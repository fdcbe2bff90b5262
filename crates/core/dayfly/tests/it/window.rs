//! What the window remembers.

use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, KeyedCoordinator, Operation, OperationState, SignalSink};

use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

#[tokio::test(start_paused = true)]
async fn running_operations_are_never_evicted() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = Coordinator::spawn(WORK.window_size(1), &SignalSink::default(), move |stays: bool, _| {
        let doors = body.clone();
        async move {
            if stays {
                doors.pass().await;
            }
        }
    });
    let stays = work.enqueue(true).await.unwrap();
    let first = work.enqueue(false).await.unwrap();
    let second = work.enqueue(false).await.unwrap();
    settle().await;
    assert!(work.get(first).is_none());
    assert_eq!(work.get(second).unwrap().state, OperationState::Completed);
    assert_eq!(work.window().iter().map(|op| op.id).collect::<Vec<_>>(), [stays, second]);
    assert_eq!(work.running().len(), 1);
    doors.let_out(1);
    work.drain().await;
}

#[tokio::test(start_paused = true)]
async fn age_counts_from_the_finish_and_is_applied_at_read() {
    let options = WORK.max_age(Duration::from_secs(60));
    let work = Coordinator::spawn(options, &SignalSink::default(), |wait: u64, _| async move {
        tokio::time::sleep(Duration::from_secs(wait)).await;
    });
    let slow = work.enqueue(100).await.unwrap();
    let quick = work.enqueue(10).await.unwrap();
    work.drain().await;
    assert!(work.get(quick).is_none() && work.get(slow).is_some());
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(work.window().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_does_not_change_afterwards() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = KeyedCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        |key: &&'static str| *key,
        move |_, op: Operation| {
            let doors = body.clone();
            async move {
                op.raise("first");
                doors.pass().await;
                for number in 0..10 {
                    op.raise(&format!("later:{number}"));
                }
                assert_eq!(op.key().as_deref(), Some("k"));
            }
        },
    );
    let id = work.enqueue("k").await.unwrap();
    settle().await;
    let before = work.get(id).unwrap();
    doors.let_out(1);
    let report = work.drain().await;
    assert_eq!(report.completed, 1);
    let names = |signals: &[dayfly::Signal]| signals.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (before.state, before.key, names(&before.signals)),
        (OperationState::Running, "k", vec!["first".into()])
    );
    let after = work.get(id).unwrap();
    let last: Vec<String> = (2..10).map(|number| format!("later:{number}")).collect();
    assert_eq!((after.state, names(&after.signals)), (OperationState::Completed, last));
    assert!(after.finished_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_operation_takes_back_what_an_earlier_attempt_raised() {
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK, &signals, |(), op: Operation| async move {
        if op.attempt() == 1 {
            op.raise("busy");
            return op.again((), Duration::from_secs(1));
        }
        assert!(op.retract("busy"));
        op.done::<_, String>()
    });
    work.enqueue(()).await.unwrap();
    assert_eq!(work.drain().await.completed, 1);
    assert!(!signals.is_raised("busy"));
}
