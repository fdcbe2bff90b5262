//! Threads end with their pool, and nobody waits for them who must not.

use std::cell::RefCell;
use std::convert::Infallible;
use std::sync::Arc;

use dayfly_fixed_work::{
    CoordinatorOptions, FixedWork, FixedWorkOptions, Operation, SignalSink, TicketError,
};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use crate::support::Doors;

/// Tells when its thread has ended.
struct Obituary(mpsc::Sender<()>);

impl Drop for Obituary {
    fn drop(&mut self) {
        self.0.try_send(()).unwrap();
    }
}

thread_local! {
    static OBITUARY: RefCell<Option<Obituary>> = const { RefCell::new(None) };
}

fn two(doors: &Doors) -> (FixedWork<()>, mpsc::Receiver<()>) {
    let (ends, ended) = mpsc::channel(2);
    let doors = doors.clone();
    let work = FixedWork::spawn_blocking(
        FixedWorkOptions::new().workers(2),
        &SignalSink::default(),
        move |(), _| {
            OBITUARY.with_borrow_mut(|own| {
                own.get_or_insert_with(|| Obituary(ends.clone()));
            });
            doors.pass();
        },
    );
    (work, ended)
}

#[tokio::test]
async fn threads_end_when_everything_has() {
    let doors = Doors::default();
    let (work, mut ended) = two(&doors);
    for () in [(); 2] {
        work.enqueue(()).await.unwrap();
    }
    doors.entered(2).await;
    doors.let_out(2);
    assert_eq!(work.drain().await.completed, 2);
    ended.recv().await.unwrap();
    ended.recv().await.unwrap();
    assert_eq!(work.drain().await.completed, 2, "a second time at once");
    assert!(work.try_enqueue(()).is_err());
}

#[tokio::test]
async fn the_last_handle_goes_at_once_and_what_was_accepted_is_finished() {
    let doors = Doors::default();
    let (work, mut ended) = two(&doors);
    for () in [(); 5] {
        work.enqueue(()).await.unwrap();
    }
    doors.entered(2).await;
    let weak = work.downgrade();
    drop(work.clone());
    assert!(weak.upgrade().is_some());
    // In the runtime's only thread, while both threads block.
    drop(work);
    assert!(weak.upgrade().is_none());
    doors.let_out(5);
    ended.recv().await.unwrap();
    ended.recv().await.unwrap();
    assert_eq!(doors.inside(), 0);
}

#[tokio::test]
async fn a_thousand_pools_come_and_go() {
    for round in 0..200_u32 {
        let work = FixedWork::spawn_cpu(
            FixedWorkOptions::new().workers(1 + round as usize % 3),
            &SignalSink::default(),
            |number: u32, _| Ok::<_, Infallible>(number + 1),
        );
        let ticket = work.submit(round).await.unwrap();
        if round % 2 == 0 {
            assert_eq!(work.drain().await.completed, 1);
        }
        drop(work);
        assert_eq!(ticket.await, Ok(round + 1));
    }
}

#[test]
fn a_runtime_that_goes_cancels_what_waits_and_tells_what_runs() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let doors = Doors::default();
    let (inside, signals) = (doors.clone(), SignalSink::default());
    let (work, running, waiting) = runtime.block_on(async {
        let work = FixedWork::spawn_blocking(
            FixedWorkOptions::new().workers(1),
            &signals,
            move |(), op: Operation| {
                inside.pass();
                Ok::<_, Infallible>(op.is_cancelled())
            },
        );
        let tickets = (work.submit(()).await.unwrap(), work.submit(()).await.unwrap());
        doors.entered(1).await;
        (work, tickets.0, tickets.1)
    });
    drop(runtime);
    assert_eq!((work.stats().running, work.stats().cancelled), (1, 1));
    doors.let_out(1);
    let other = Builder::new_current_thread().build().unwrap();
    assert_eq!(other.block_on(running), Ok(true));
    assert_eq!(other.block_on(waiting), Err(TicketError::Cancelled));
    assert_eq!(other.block_on(work.drain()).completed, 1);
}

#[tokio::test]
async fn items_and_values_are_dropped_once() {
    let alive = Arc::new(());
    let work = FixedWork::spawn_cpu(
        FixedWorkOptions::new().workers(2).work(CoordinatorOptions::new().queue_capacity(8)),
        &SignalSink::default(),
        |item: Arc<()>, _| Ok::<_, Infallible>(item),
    );
    for _ in 0..100 {
        work.enqueue(alive.clone()).await.unwrap();
    }
    work.drain().await;
    assert_eq!(Arc::strong_count(&alive), 1);
}

#[tokio::test]
async fn drain_running_starts_nothing_more_and_waits_for_what_runs() {
    let doors = Doors::default();
    let body = doors.clone();
    let options = FixedWorkOptions::new().workers(1);
    let work = FixedWork::<u32>::spawn_blocking(options, &SignalSink::default(), move |_, _| body.pass());
    for number in 0..3 {
        work.enqueue(number).await.unwrap();
    }
    doors.entered(1).await;
    let mut ended = Box::pin(work.drain_running());
    assert!(futures_util::poll!(&mut ended).is_pending(), "a body still runs");
    assert!(work.try_enqueue(3).is_err(), "intake has ended");
    doors.let_out(1);
    let report = ended.await;
    assert_eq!((report.accepted, report.completed, report.cancelled), (3, 1, 2));
}

#[tokio::test]
async fn drain_running_for_cancels_what_runs_for_longer() {
    let work = FixedWork::<u32>::spawn(
        FixedWorkOptions::new(),
        &SignalSink::default(),
        |_, op: Operation| async move {
            op.cancelled().await;
        },
    );
    work.enqueue(0).await.unwrap();
    let report = work.drain_running_for(std::time::Duration::ZERO).await;
    assert_eq!((report.accepted, report.completed + report.cancelled), (1, 1));
}
