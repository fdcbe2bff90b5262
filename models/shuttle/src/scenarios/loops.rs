//! A bounded loop that comes to an early end.

use dayfly::{SignalSink, for_each};
use tokio::task::{spawn, yield_now};

use super::WORK;
use super::places::polled_at_most;
use crate::watched::{Bodies, Counted, Item, balanced};

/// A loop that is cancelled by a signal returns once nothing runs any more, and knows what became of what it took.
pub(super) async fn cancelled() {
    let (signals, bodies, dropped) = (SignalSink::default(), Bodies::default(), Counted::default());
    let raiser = {
        let signals = signals.clone();
        spawn(async move {
            for _ in 0..4 {
                yield_now().await;
            }
            signals.raise("stop");
        })
    };
    let items = (0..6).map(|number| Item::new(number, &dropped));
    let watched = bodies.clone();
    let done = for_each(
        WORK.max_concurrency(2).queue_capacity(1).cancel_on("stop"),
        &signals,
        items,
        move |item: Item, op| {
            let bodies = watched.clone();
            async move {
                let _inside = bodies.enter();
                match item.number {
                    1 => op.cancelled().await,
                    2 => return Err("two"),
                    _ => yield_now().await,
                }
                Ok(())
            }
        },
    );
    let done = done.await;
    let started = bodies.started();
    assert_eq!(bodies.now(), 0, "it returns only when nothing runs");
    assert!(done.was_cancelled, "number 1 ends only then");
    let ended = balanced(done.report);
    assert_eq!(done.failures.len() as u64, done.report.failed, "every failure is kept");
    let taken = dropped.all();
    assert!(ended <= taken.len() as u64, "{ended} of {taken:?}");
    assert!(taken.into_iter().all(|times| times == 1), "each item that was taken leaves once");
    raiser.await.expect("it comes to its end");
    assert_eq!(bodies.started(), started, "nothing starts after the end");
}

/// A loop that is cancelled by its own body, with all its items taken in perhaps, knows why the others did not run.
pub(super) async fn cancelled_by_its_body() {
    let (signals, items) = (SignalSink::default(), Counted::default());
    let done = for_each(
        WORK.max_concurrency(1).queue_capacity(4).cancel_on("stop"),
        &signals,
        (0..3).map(|number| Item::new(number, &items)),
        |item: Item, op| {
            if item.number == 0 {
                op.raise("stop");
            }
            async { Ok::<_, &str>(()) }
        },
    );
    let done = done.await;
    balanced(done.report);
    assert_eq!(done.report.completed, 1, "nothing starts once the signal is there");
    assert!(done.was_cancelled, "two items did not run");
    assert!(items.all().into_iter().all(|times| times == 1), "each item that was taken leaves once");
}

/// A loop that is dropped at any moment leaves nothing running for good.
pub(super) async fn dropped() {
    let (bodies, items) = (Bodies::default(), Counted::default());
    let watched = bodies.clone();
    let signals = SignalSink::default();
    let done = for_each(
        WORK.max_concurrency(2).queue_capacity(1),
        &signals,
        (0..4).map(|number| Item::new(number, &items)),
        move |item: Item, op| {
            let bodies = watched.clone();
            async move {
                let _inside = bodies.enter();
                // Only a cancellation ends it.
                op.cancelled().await;
                drop(item);
            }
        },
    );
    assert!(!polled_at_most(3, done).await, "it never ends by itself");
    tokio::runtime::settled().await;
    assert_eq!(bodies.now(), 0, "nothing runs any more");
    assert!(items.all().into_iter().all(|times| times == 1), "each item that was taken leaves once");
}
