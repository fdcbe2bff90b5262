//! A thread cannot be killed: its body sees its cancellation, and keeps its slot until it returns.

use std::convert::Infallible;
use std::time::Duration;

use dayfly::{OperationState, SignalSink};
use dayfly_fixed_work::{CoordinatorOptions, FixedWork, FixedWorkOptions, Operation, TicketError};
use dayfly_testing::settle;

use crate::support::Doors;

fn options(workers: usize) -> FixedWorkOptions {
    FixedWorkOptions::new().workers(workers).work(CoordinatorOptions::new().cancel_grace(Duration::ZERO))
}

/// Bodies that stay until they are let out, and yield whether they were cancelled.
fn stubborn(workers: usize, doors: &Doors) -> FixedWork<u32, bool> {
    let doors = doors.clone();
    FixedWork::spawn_blocking(options(workers), &SignalSink::default(), move |_: u32, op: Operation| {
        doors.pass();
        Ok::<_, Infallible>(op.is_cancelled())
    })
}

#[tokio::test]
async fn a_killed_body_keeps_its_slot_until_it_returns() {
    let doors = Doors::default();
    let work = stubborn(1, &doors);
    let (first, second) = (work.submit(0).await.unwrap(), work.submit(1).await.unwrap());
    doors.entered(1).await;
    assert!(work.kill(first.id()));
    settle().await;
    let stats = work.stats();
    assert_eq!((stats.running, stats.pending, stats.cancelled), (1, 1, 0));
    doors.let_out(1);
    assert_eq!(first.await, Ok(true), "it counts as what it returned");
    doors.entered(2).await;
    doors.let_out(1);
    assert_eq!(second.await, Ok(false));
    assert_eq!((doors.most(), work.drain().await.completed), (1, 2));
}

#[tokio::test]
async fn cancel_returns_when_the_last_body_has_and_not_before() {
    let doors = Doors::default();
    let work = stubborn(2, &doors);
    let mut tickets = Vec::new();
    for number in 0..5 {
        tickets.push(work.submit(number).await.unwrap());
    }
    doors.entered(2).await;
    let mut cancelled = std::pin::pin!(work.cancel());
    let early = tokio::time::timeout(Duration::from_millis(20), cancelled.as_mut()).await;
    assert!(early.is_err(), "the grace is over, and the threads are not");
    assert_eq!(work.stats().running, 2);
    doors.let_out(2);
    let report = cancelled.await;
    assert_eq!((report.accepted, report.completed, report.cancelled), (5, 2, 3));
    let mut yielded = Vec::new();
    for ticket in tickets {
        yielded.push(ticket.await);
    }
    let gone = Err(TicketError::Cancelled);
    assert_eq!(yielded, [Ok(true), Ok(true), gone.clone(), gone.clone(), gone]);
    assert_eq!(doors.inside(), 0);
}

#[tokio::test]
async fn drain_for_waits_beyond_its_limit_for_what_cannot_be_ended() {
    let doors = Doors::default();
    let work = stubborn(1, &doors);
    let ticket = work.submit(0).await.unwrap();
    doors.entered(1).await;
    let drained = work.drain_for(Duration::ZERO);
    // Seen from within: the cancellation comes without the body's help.
    while !work.stats().closed {
        tokio::task::yield_now().await;
    }
    settle().await;
    doors.let_out(1);
    assert_eq!(drained.await.completed, 1);
    assert!(ticket.await.is_ok());
}

#[tokio::test]
async fn a_body_that_looks_sees_its_cancellation_and_may_end_as_it_likes() {
    let work = FixedWork::spawn_cpu(options(2), &SignalSink::default(), |again: bool, op: Operation| {
        while !op.is_cancelled() {
            std::thread::yield_now();
        }
        if again { op.again(again, Duration::ZERO) } else { op.fail::<_, (), _>("stopped halfway") }
    });
    let (fails, again) = (work.submit(false).await.unwrap(), work.submit(true).await.unwrap());
    let ids = [fails.id(), again.id()];
    while work.stats().running < 2 {
        tokio::task::yield_now().await;
    }
    assert!(ids.iter().all(|id| work.kill(*id)));
    assert_eq!(fails.await, Err(TicketError::Failed("stopped halfway")));
    assert_eq!(again.await, Err(TicketError::Cancelled));
    let states = ids.map(|id| work.get(id).unwrap().state);
    assert_eq!(states, [OperationState::Failed, OperationState::Cancelled]);
}

#[tokio::test]
async fn what_has_not_started_is_removed_when_it_is_killed() {
    let doors = Doors::default();
    let work = stubborn(1, &doors);
    work.enqueue(0).await.unwrap();
    let waiting = work.submit(1).await.unwrap();
    doors.entered(1).await;
    assert!(work.kill(waiting.id()));
    assert_eq!(waiting.await, Err(TicketError::Cancelled));
    doors.let_out(1);
    assert_eq!(work.drain().await.cancelled, 1);
}
