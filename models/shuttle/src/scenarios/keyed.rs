//! One at a time of each key.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{Ended, KeyedCoordinator, SignalSink};
use tokio::task::{spawn, yield_now};

use super::places::polled_at_most;
use super::{WORK, WORKERS};
use crate::watched::{Bodies, balanced};

/// Operations of a key run one by one and in their order, also when producers wait for room of their key.
pub(super) async fn order() {
    let bodies: [Bodies; 2] = Default::default();
    let order = Arc::new(Mutex::new([Vec::new(), Vec::new()]));
    let (watched, noted) = (bodies.clone(), Arc::clone(&order));
    let work = KeyedCoordinator::spawn(
        WORK.max_concurrency(2).queue_capacity(3).max_queued_per_key(1),
        &SignalSink::default(),
        |(key, _): &(usize, u32)| *key,
        move |(key, number), _| {
            let (bodies, noted) = (watched[key].clone(), Arc::clone(&noted));
            async move {
                let _inside = bodies.enter();
                yield_now().await;
                noted.lock().expect("nobody panics under it")[key].push(number);
            }
        },
    );
    let producers = [0, 1].map(|key| {
        let work = work.clone();
        spawn(async move {
            for number in 0..3 {
                work.enqueue((key, number)).await.expect("it is open");
            }
        })
    });
    for producer in producers {
        producer.await.expect("a producer comes to its end");
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (6, 6));
    assert_eq!(*order.lock().expect("nobody panics under it"), [vec![0, 1, 2], vec![0, 1, 2]]);
    assert!(bodies.iter().all(|bodies| bodies.most() == 1), "one of each key at a time");
}

/// A key that is paused while its items come in starts nothing but what workers had made up their mind about, and loses
/// nothing. A drain waits for it; who lets the last handle go has lifted its pause.
pub(super) async fn pause_one() {
    let bodies: [Bodies; 2] = Default::default();
    let watched = bodies.clone();
    let work = KeyedCoordinator::spawn(
        WORK.max_concurrency(2),
        &SignalSink::default(),
        |key: &usize| *key,
        move |key, _| {
            let bodies = watched[key].clone();
            async move {
                let _inside = bodies.enter();
                yield_now().await;
            }
        },
    );
    let producers = [0, 1].map(|key| {
        let work = work.clone();
        spawn(async move {
            for _ in 0..3 {
                work.enqueue(key).await.expect("it is open");
            }
        })
    });
    yield_now().await;
    work.pause_key(0);
    let before = bodies[0].started();
    for _ in 0..3 {
        yield_now().await;
    }
    let slipped = bodies[0].started() - before;
    assert!(slipped <= WORKERS, "{slipped} starts of a paused key");
    let resumer = {
        let work = work.clone();
        spawn(async move {
            assert!(work.resume_key(&0));
            work.pause_key(0);
        })
    };
    for task in producers.into_iter().chain([resumer]) {
        task.await.expect("it comes to its end");
    }
    let drained = work.drain();
    drop(work);
    let report = drained.await;
    assert_eq!((balanced(report), report.completed), (6, 6));
    assert!(bodies.iter().all(|bodies| bodies.most() == 1), "one of each key at a time");
}

/// More keys than have work at once use each other's places: one of each runs at a time all the same, also when producers
/// go away that were granted room of a key that runs, and when an operation is tried again.
pub(super) async fn come_and_go() {
    let bodies: [Bodies; 3] = Default::default();
    let watched = bodies.clone();
    let work = KeyedCoordinator::spawn(
        WORK.max_concurrency(2).queue_capacity(1).max_queued_per_key(1),
        &SignalSink::default(),
        |key: &usize| *key,
        move |key, op| {
            let bodies = watched[key].clone();
            async move {
                let _inside = bodies.enter();
                yield_now().await;
                if key == 0 && op.attempt() == 1 {
                    return Ended::<usize, (), String>::Again { item: key, after: Duration::ZERO };
                }
                Ended::Done(())
            }
        },
    );
    let impatient = [0, 1].map(|key| {
        let work = work.clone();
        spawn(async move { u64::from(polled_at_most(2, work.enqueue(key)).await) })
    });
    let patient = [[0, 1], [2, 0]].map(|keys| {
        let work = work.clone();
        spawn(async move {
            for key in keys {
                work.enqueue(key).await.expect("it is open");
            }
            2
        })
    });
    let mut accepted = 0;
    for producer in impatient.into_iter().chain(patient) {
        accepted += producer.await.expect("a producer comes to its end");
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (accepted, accepted));
    assert!(bodies.iter().all(|bodies| bodies.most() == 1), "one of each key at a time");
}
