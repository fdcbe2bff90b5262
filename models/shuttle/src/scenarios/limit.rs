//! Limits and pauses that change while there is work.

use dayfly::{Coordinator, SignalSink};
use tokio::task::{spawn, yield_now};

use super::{WORK, WORKERS};
use crate::watched::{Bodies, balanced};

/// Never more run than the highest limit. Once a lower one is set, no more start beyond it than there are workers
/// that had made up their mind before.
pub(super) async fn resize() {
    let bodies = Bodies::default();
    let work = spawn_yielding(8, &bodies);
    let producer = {
        let work = work.clone();
        spawn(async move {
            for number in 0..12 {
                work.enqueue(number).await.expect("it is open");
            }
        })
    };
    yield_now().await;
    work.set_max_concurrency(2);
    bodies.set_bound(2);
    for _ in 0..3 {
        yield_now().await;
    }
    bodies.set_bound(0);
    work.set_max_concurrency(8);
    producer.await.expect("a producer comes to its end");
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (12, 12));
    assert!(bodies.most() <= 8, "{} at once", bodies.most());
    assert!(bodies.above() <= WORKERS, "{} starts beyond the lower limit", bodies.above());
}

/// A limit that rises lets those start who wait, though nothing that runs ends before they do.
pub(super) async fn rise() {
    let (signals, bodies) = (SignalSink::default(), Bodies::default());
    let watched = bodies.clone();
    let work = Coordinator::spawn(WORK.max_concurrency(1), &signals, move |_: u32, op| {
        let bodies = watched.clone();
        async move {
            let _inside = bodies.enter();
            if bodies.now() == 3 {
                op.raise("everybody.is.here");
            }
            op.signals().raised("everybody.is.here").await;
        }
    });
    let raiser = {
        let work = work.clone();
        spawn(async move {
            work.set_max_concurrency(2);
            yield_now().await;
            work.set_max_concurrency(3);
        })
    };
    for number in 0..3 {
        work.enqueue(number).await.expect("it is open");
    }
    raiser.await.expect("it comes to its end");
    // Before anything else is asked of the engine, which would have it look again.
    signals.raised("everybody.is.here").await;
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (3, 3));
}

/// A pause starts nothing but what workers had made up their mind about, and nothing is left behind by it.
pub(super) async fn pause_and_resume() {
    let bodies = Bodies::default();
    let work = spawn_yielding(4, &bodies);
    let producer = {
        let work = work.clone();
        spawn(async move {
            for number in 0..8 {
                work.enqueue(number).await.expect("it is open");
            }
        })
    };
    for _ in 0..2 {
        work.pause();
        let before = bodies.started();
        for _ in 0..3 {
            yield_now().await;
        }
        let slipped = bodies.started() - before;
        work.resume();
        assert!(slipped <= WORKERS, "{slipped} starts during a pause");
    }
    producer.await.expect("a producer comes to its end");
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (8, 8));
    assert!(bodies.most() <= 4);
}

fn spawn_yielding(limit: usize, bodies: &Bodies) -> Coordinator<u32> {
    let bodies = bodies.clone();
    Coordinator::spawn(WORK.max_concurrency(limit), &SignalSink::default(), move |_, _| {
        let bodies = bodies.clone();
        async move {
            let _inside = bodies.enter();
            yield_now().await;
        }
    })
}
