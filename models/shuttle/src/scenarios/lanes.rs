//! Lanes, each behind a gate of its own.

use dayfly::{LaneOptions, PriorityCoordinator, SignalSink};
use tokio::task::{spawn, yield_now};

use super::WORK;
use crate::watched::{Bodies, balanced};

/// Lanes that are shut and opened by several at once strand nothing, however their producers wait; a lane's own limit
/// holds throughout.
pub(super) async fn shut_and_opened() {
    let (signals, bodies) = (SignalSink::default(), <[Bodies; 2]>::default());
    let watched = bodies.clone();
    let lanes = [
        LaneOptions::new("high").max_concurrency(1).defer_on("busy.high"),
        LaneOptions::new("low").max_queued(1).defer_on("busy.low"),
    ];
    let work = PriorityCoordinator::spawn(
        WORK.max_concurrency(2).queue_capacity(4),
        lanes,
        &signals,
        move |lane: usize, _| {
            let bodies = watched[lane].clone();
            async move {
                let _inside = bodies.enter();
                yield_now().await;
            }
        },
    );
    let work = work.expect("these are two lanes");
    let producers = [(0, "high"), (1, "low")].map(|(lane, name)| {
        let work = work.clone();
        spawn(async move {
            for _ in 0..3 {
                work.enqueue(name, lane).await.expect("it is open");
            }
        })
    });
    let raisers = ["busy.high", "busy.low"].map(|name| {
        let signals = signals.clone();
        spawn(async move {
            for _ in 0..2 {
                signals.raise(name);
                yield_now().await;
                signals.retract(name);
            }
        })
    });
    for task in producers.into_iter().chain(raisers) {
        task.await.expect("it comes to its end");
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (6, 6));
    assert_eq!(bodies[0].most(), 1, "one of that lane at a time");
    assert!(bodies[1].most() <= 2);
}
