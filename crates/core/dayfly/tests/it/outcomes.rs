//! Failures and panics cost their own operation and nothing else.

use std::fmt;
use std::sync::Arc;

use dayfly::{Coordinator, CoordinatorOptions, Operation, OperationState, SignalSink};

use dayfly_testing::settle;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1);

#[tokio::test(start_paused = true)]
async fn a_failure_is_counted_and_kept_with_its_error() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |number: i32, _| async move {
        u32::try_from(number).map_err(|error| error.to_string())
    });
    let ids = [work.enqueue(1).await, work.enqueue(-1).await, work.enqueue(2).await].map(Result::unwrap);
    let report = work.drain().await;
    assert_eq!((report.completed, report.failed), (2, 1));
    let [failed] = &work.failed()[..] else { panic!("one failed") };
    assert_eq!((failed.id, failed.state), (ids[1], OperationState::Failed));
    assert!(failed.error.as_deref().unwrap().contains("out of range"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_releases_the_slot_and_is_reported() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |number: u32, _| async move {
        tokio::task::yield_now().await;
        assert!(number != 1, "number {number} is not welcome");
    });
    for number in 0..3 {
        work.enqueue(number).await.unwrap();
    }
    let report = work.drain().await;
    assert_eq!((report.completed, report.panicked), (2, 1));
    assert_eq!(work.failed()[0].error.as_deref(), Some("number 1 is not welcome"));
}

#[tokio::test(start_paused = true)]
async fn a_panic_before_the_first_await_is_contained_too() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |number: u32, _| {
        assert!(number != 0, "no future for you");
        async {}
    });
    for number in 0..2 {
        work.enqueue(number).await.unwrap();
    }
    let report = work.drain().await;
    assert_eq!((report.completed, report.panicked), (1, 1));
}

/// An error whose text cannot be had.
struct Unspeakable;

impl fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("no words")
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_an_errors_text_is_contained_too() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |(), op: Operation| async move {
        op.fail::<_, (), _>(Unspeakable)
    });
    work.enqueue(()).await.unwrap();
    assert_eq!(work.drain().await.panicked, 1);
}

/// Panics when it is dropped, unless it was told not to.
struct Bomb(Arc<()>);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(Arc::strong_count(&self.0) > 1, "dropped while armed");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_while_a_killed_body_is_dropped_loses_no_slot() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |is_bomb: bool, _| async move {
        let _bomb = is_bomb.then(|| Bomb(Arc::new(())));
        if is_bomb {
            std::future::pending::<()>().await;
        }
    });
    let bomb = work.enqueue(true).await.unwrap();
    settle().await;
    work.enqueue(false).await.unwrap();
    work.kill(bomb);
    let report = work.drain().await;
    assert_eq!((report.completed, report.cancelled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_operation_may_outlive_its_body() {
    let signals = SignalSink::default();
    let (out, mut operations) = tokio::sync::mpsc::channel(1);
    let work = Coordinator::spawn(WORK, &signals, move |(), op: Operation| {
        let out = out.clone();
        async move { out.send(op).await.map_err(|_| "nobody listens") }
    });
    let id = work.enqueue(()).await.unwrap();
    work.drain().await;
    let op = operations.recv().await.unwrap();
    assert!(op.is_finished());
    op.raise("late");
    assert_eq!(signals.history("late")[0].operation(), Some(id));
}
