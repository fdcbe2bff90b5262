//! Workers that others drive: their bodies may block.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier};

use dayfly::{CoordinatorOptions, Crew, ResultCoordinator, SignalSink};
use tokio::sync::mpsc;

/// Drives each worker on a thread of its own, and says when it has completed.
fn threads(size: usize) -> (Crew, mpsc::Receiver<usize>) {
    let (completed, all_completed) = mpsc::channel(size);
    let crew = Crew::new(size, move |number, worker| {
        let completed = completed.clone();
        drop(std::thread::spawn(move || {
            block_on(worker);
            completed.blocking_send(number).unwrap();
        }));
    });
    (crew, all_completed)
}

fn block_on(future: impl Future<Output = ()>) {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(std::thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    let mut future = std::pin::pin!(future);
    while future.as_mut().poll(&mut context).is_pending() {
        std::thread::park();
    }
}

#[tokio::test]
async fn bodies_that_wait_for_each_other_overlap_also_when_they_came_through_a_queue_of_one() {
    let (crew, mut all_completed) = threads(4);
    let meeting = Arc::new(Barrier::new(4));
    let options = CoordinatorOptions::new().max_concurrency(4).queue_capacity(1);
    let work = ResultCoordinator::spawn_on(crew, options, &SignalSink::default(), move |item: u32, _| {
        let meeting = meeting.clone();
        async move {
            meeting.wait();
            Ok::<_, Infallible>(item)
        }
    });
    // Producers stand in line; each start has to let the next one in.
    let all = futures_util::future::join_all((0..8).map(|item| work.submit(item))).await;
    for (item, ticket) in all.into_iter().enumerate() {
        assert_eq!(ticket.unwrap().await, Ok(u32::try_from(item).unwrap()));
    }
    assert_eq!(work.drain().await.completed, 8);
    let mut gone = Vec::new();
    while let Some(number) = all_completed.recv().await {
        gone.push(number);
        if gone.len() == 4 {
            break;
        }
    }
    gone.sort_unstable();
    assert_eq!(gone, [0, 1, 2, 3], "workers complete when everything has ended");
}

#[tokio::test]
async fn a_crew_that_cannot_take_a_worker_on_takes_the_coordinator_with_it() {
    let taken = Arc::new(AtomicUsize::new(0));
    let count = taken.clone();
    let (completed, mut all_completed) = mpsc::channel(1);
    let crew = Crew::new(2, move |_, worker| {
        assert!(count.fetch_add(1, Ordering::SeqCst) == 0, "no more threads");
        let completed = completed.clone();
        drop(std::thread::spawn(move || {
            block_on(worker);
            completed.blocking_send(()).unwrap();
        }));
    });
    let spawned = catch_unwind(AssertUnwindSafe(|| {
        ResultCoordinator::<u32, (), Infallible>::spawn_on(
            crew,
            CoordinatorOptions::new(),
            &SignalSink::default(),
            |_, _| async {},
        )
    }));
    assert!(spawned.is_err());
    assert_eq!(taken.load(Ordering::SeqCst), 2);
    assert_eq!(all_completed.recv().await, Some(()), "the one that was taken on has nothing left to do");
}

#[test]
#[should_panic(expected = "a crew needs at least one worker")]
fn an_empty_crew_is_a_programmers_error() {
    drop(Crew::new(0, |_, _| ()));
}
