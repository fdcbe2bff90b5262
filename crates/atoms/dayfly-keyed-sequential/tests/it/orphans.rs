//! Nobody is left who could unpark a key: its line ends, and so does everything.

use std::sync::Arc;

use dayfly::{CoordinatorOptions, OperationState, SignalSink};
use dayfly_keyed_sequential::{KeyedSequential, SequentialOptions};
use dayfly_testing::settle;
use tokio::sync::Semaphore;

use crate::support::{Item, World, spawn};

#[tokio::test(start_paused = true)]
async fn the_last_handle_gives_parked_lines_up_and_the_others_are_finished() {
    let world = World::breaking(&[(1, 1)]);
    let work = spawn(CoordinatorOptions::new().max_concurrency(1), &SignalSink::default(), &world);
    for item in [(1, 0), (1, 1), (1, 2)] {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    work.pause();
    work.enqueue((2, 0)).await.unwrap();
    let drained = work.drain();
    drop(work);
    let report = drained.await;
    assert_eq!((world.of(1), world.of(2)), (vec![0, 1], vec![0]));
    assert_eq!((report.figures.completed, report.figures.failed), (2, 2));
    let listed: Vec<_> =
        report.given_up.iter().map(|lost| (lost.item.1, lost.attempts, lost.error.as_deref())).collect();
    assert_eq!(listed, [(1, 1, Some("(1, 1) is broken")), (2, 0, None)]);
    assert_eq!(report.given_up[1].state, OperationState::Failed);
}

#[tokio::test(start_paused = true)]
async fn what_fails_after_the_last_handle_is_gone_ends_its_line_too() {
    let gate = Arc::new(Semaphore::new(0));
    let entrance = gate.clone();
    let work = KeyedSequential::spawn(
        SequentialOptions::new(),
        &SignalSink::default(),
        |item: &Item| item.0,
        move |item: Arc<Item>, _| {
            let gate = entrance.clone();
            async move {
                gate.acquire().await.unwrap().forget();
                if item.1 == 0 && item.0 == 1 { Err("broken") } else { Ok(()) }
            }
        },
    );
    for item in [(1, 0), (1, 1), (2, 0), (2, 1)] {
        work.enqueue(item).await.unwrap();
    }
    settle().await;
    let drained = work.drain();
    drop(work);
    gate.add_permits(10);
    let report = drained.await;
    assert_eq!((report.figures.completed, report.figures.failed), (2, 2));
    assert_eq!(report.given_up.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_weak_handle_keeps_no_line_alive_and_leads_back_as_long_as_there_is_one() {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(CoordinatorOptions::new(), &SignalSink::default(), &world);
    let weak = work.downgrade();
    work.enqueue((1, 0)).await.unwrap();
    settle().await;
    assert_eq!(weak.upgrade().unwrap().parked_count(), 1);
    let drained = work.drain();
    drop(work);
    assert!(weak.upgrade().is_none());
    assert_eq!(drained.await.figures.failed, 1);
}
