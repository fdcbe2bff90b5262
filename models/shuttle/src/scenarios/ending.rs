//! The ways to an end: closed, drained, cancelled.

use dayfly::{Coordinator, SignalSink};
use tokio::task::{spawn, yield_now};

use super::WORK;
use crate::watched::{Bodies, Counted, Item, balanced};

/// Producers that wait for room when the coordinator closes get their items back; what went in is done.
pub(super) async fn close_while_producers_wait() {
    let dropped = Counted::default();
    let work = Coordinator::spawn(
        WORK.max_concurrency(1).queue_capacity(1),
        &SignalSink::default(),
        |item: Item, _| async move {
            yield_now().await;
            drop(item);
        },
    );
    let produce = |first: u32| {
        let (work, dropped) = (work.clone(), dropped.clone());
        spawn(async move {
            let mut accepted = 0;
            for number in first..first + 2 {
                match work.enqueue(Item::new(number, &dropped)).await {
                    Ok(_) => accepted += 1,
                    Err(refused) => assert_eq!(refused.into_item().number, number),
                }
            }
            accepted
        })
    };
    let producers = [0, 10, 20].map(produce);
    yield_now().await;
    work.close();
    let mut accepted = 0;
    for producer in producers {
        accepted += producer.await.expect("a producer comes to its end");
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (accepted, accepted));
    assert_eq!(dropped.all(), [1; 6], "each item leaves once");
}

/// Several who wait for the end hear the same, once nothing runs any more.
pub(super) async fn drain_while_bodies_run() {
    let bodies = Bodies::default();
    let watched = bodies.clone();
    let work = Coordinator::spawn(WORK.max_concurrency(2), &SignalSink::default(), move |_: u32, _| {
        let bodies = watched.clone();
        async move {
            let _inside = bodies.enter();
            yield_now().await;
        }
    });
    for number in 0..4 {
        work.enqueue(number).await.expect("it is open");
    }
    let others = [(); 2].map(|()| {
        let work = work.clone();
        spawn(async move { work.drain().await })
    });
    let idle = work.clone();
    let idle = spawn(async move { idle.idle().await });
    drop(work.drain());
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed, bodies.started()), (4, 4, 4));
    for other in others {
        assert_eq!(other.await.expect("it waits to the end"), report);
    }
    idle.await.expect("it waits to the end");
    assert!(bodies.most() <= 2);
}

/// A cancellation meets operations in every state; each ends once, and nothing starts after the end.
pub(super) async fn cancel_in_flight() {
    let (dropped, bodies) = (Counted::default(), Bodies::default());
    let watched = bodies.clone();
    let work = Coordinator::spawn(WORK.max_concurrency(4), &SignalSink::default(), move |item: Item, op| {
        let bodies = watched.clone();
        async move {
            let _inside = bodies.enter();
            if item.number.is_multiple_of(2) {
                op.cancelled().await;
            }
        }
    });
    let producer = {
        let (work, dropped) = (work.clone(), dropped.clone());
        spawn(async move {
            let mut accepted = 0;
            for number in 0..6 {
                accepted += u64::from(work.enqueue(Item::new(number, &dropped)).await.is_ok());
            }
            accepted
        })
    };
    yield_now().await;
    let report = work.cancel().await;
    let started = bodies.started();
    let accepted = producer.await.expect("a producer comes to its end");
    assert_eq!(balanced(report), accepted);
    assert_eq!(bodies.started(), started, "nothing starts after the end");
    assert_eq!(report.completed, started as u64, "whoever was told to stop has stopped by itself");
    assert_eq!(dropped.all(), [1; 6], "each item leaves once");
}
