//! Signals that open and shut the way.

use dayfly::{Coordinator, SignalSink};
use tokio::task::{spawn, yield_now};

use super::{WORK, WORKERS};
use crate::watched::{Bodies, balanced};

/// A signal that defers and is taken back, again and again, strands nothing. While it is raised, nothing starts but
/// what workers had made up their mind about.
pub(super) async fn defer_and_retract() {
    let (signals, bodies) = (SignalSink::default(), Bodies::default());
    let watched = bodies.clone();
    let work = Coordinator::spawn(WORK.max_concurrency(2).defer_on("busy"), &signals, move |_: u32, _| {
        let bodies = watched.clone();
        async move {
            let _inside = bodies.enter();
        }
    });
    let producer = {
        let work = work.clone();
        spawn(async move {
            for number in 0..5 {
                work.enqueue(number).await.expect("it is open");
            }
        })
    };
    for _ in 0..2 {
        signals.raise("busy");
        let before = bodies.started();
        yield_now().await;
        let slipped = bodies.started() - before;
        signals.retract("busy");
        assert!(slipped <= WORKERS, "{slipped} starts while deferred");
    }
    producer.await.expect("a producer comes to its end");
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (5, 5));
}
