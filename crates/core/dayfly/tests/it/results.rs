//! Tickets: each result to whoever asked for it, exactly once.

use std::sync::Arc;
use std::time::Duration;

use dayfly::{
    CoordinatorOptions, FeedError, Operation, OperationState, ResultCoordinator, SignalSink, TicketError,
    TryEnqueueError,
};
use dayfly_testing::{drop_at_every_poll, settle};
use futures_util::stream;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1);

/// Fails for 2, panics for 13, and yields ten times the number otherwise.
fn tenfold(options: CoordinatorOptions) -> ResultCoordinator<u32, u32, String> {
    ResultCoordinator::spawn(options, &SignalSink::default(), |number: u32, _| async move {
        tokio::task::yield_now().await;
        assert!(number != 13, "bad luck");
        if number == 2 { Err(format!("{number} is not to be had")) } else { Ok(number * 10) }
    })
}

#[tokio::test(start_paused = true)]
async fn two_values_and_one_failure_each_from_its_ticket() {
    let work = tenfold(WORK.window_size(0));
    let tickets = [1, 2, 3].map(|number| work.try_submit(number).unwrap());
    let [one, two, three] = tickets;
    work.drain().await;
    assert_eq!(three.await, Ok(30), "in any order, also when the window has moved on");
    assert_eq!(one.await, Ok(10));
    assert_eq!(two.await, Err(TicketError::Failed("2 is not to be had".into())));
}

#[tokio::test(start_paused = true)]
async fn whoever_gets_an_answer_finds_the_operation_ended() {
    let work = tenfold(WORK);
    let ticket = work.submit(4).await.unwrap();
    let id = ticket.id();
    assert_eq!(ticket.await, Ok(40));
    assert_eq!(work.get(id).unwrap().state, OperationState::Completed);
    assert_eq!(work.stats().completed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_says_that_its_operation_panicked() {
    let work = tenfold(WORK);
    assert_eq!(work.submit(13).await.unwrap().await, Err(TicketError::Panicked));
    let early = ResultCoordinator::<(), (), String>::spawn(WORK, &SignalSink::default(), |(), _| {
        assert!(std::env::args().count() == 0, "before there is a future");
        async { Ok(()) }
    });
    assert_eq!(early.submit(()).await.unwrap().await, Err(TicketError::Panicked));
    assert_eq!((work.stats().panicked, early.stats().panicked), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_ticket_says_that_its_operation_was_cancelled_or_skipped() {
    let doors = Doors::shut();
    let signals = SignalSink::default();
    let body = doors.clone();
    let options = WORK.cancel_on("stop").cancel_grace(Duration::ZERO);
    let work = ResultCoordinator::spawn(options, &signals, move |(), _| {
        let doors = body.clone();
        async move {
            doors.pass().await;
            Ok::<_, String>(())
        }
    });
    let runs = work.submit(()).await.unwrap();
    settle().await;
    let skipped = work.submit(()).await.unwrap();
    signals.raise("stop");
    doors.let_out(1);
    assert_eq!((runs.await, skipped.await), (Ok(()), Err(TicketError::Skipped)));

    signals.clear();
    let runs = work.submit(()).await.unwrap();
    settle().await;
    let waits = work.submit(()).await.unwrap();
    work.cancel().await;
    assert_eq!((runs.await, waits.await), (Err(TicketError::Cancelled), Err(TicketError::Cancelled)));
    assert_eq!(work.submit(()).await.err().map(dayfly::EnqueueError::into_item), Some(()));
}

#[tokio::test(start_paused = true)]
async fn dropping_a_ticket_ends_the_work_only_when_asked_for() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = ResultCoordinator::spawn(WORK.max_concurrency(2), &SignalSink::default(), move |(), _| {
        let doors = body.clone();
        async move {
            doors.pass().await;
            Ok::<_, String>(())
        }
    });
    drop(work.submit(()).await.unwrap());
    let ended = work.submit(()).await.unwrap().kill_on_drop();
    settle().await;
    drop(ended);
    settle().await;
    assert_eq!(doors.inside(), 1);
    doors.let_out(1);
    let report = work.drain().await;
    assert_eq!((report.completed, report.cancelled), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_ticket_of_an_item_that_is_tried_again_waits_for_its_end() {
    let work =
        ResultCoordinator::spawn(WORK, &SignalSink::default(), |number: u32, op: Operation| async move {
            match op.attempt() {
                attempt @ 1..3 => op.again(number + attempt, Duration::from_secs(1)),
                _ => op.done_with::<_, _, String>(number),
            }
        });
    assert_eq!(work.submit(10).await.unwrap().await, Ok(13));
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_with_the_item() {
    let work = tenfold(WORK.queue_capacity(1));
    work.pause();
    let _ticket = work.try_submit(1).unwrap();
    assert!(matches!(work.try_submit(7), Err(TryEnqueueError::Full(7))));
}

#[test]
fn submitting_and_waiting_can_be_dropped_at_every_moment() {
    let report = drop_at_every_poll(
        || Arc::new(tenfold(WORK.queue_capacity(1))),
        |work| async move {
            for number in [1, 2, 3] {
                let ticket = work.submit(number).await.unwrap();
                work.submit(number).await.unwrap().kill_on_drop().await.ok();
                ticket.await.ok();
            }
        },
        |work, _| async move {
            assert_eq!(work.submit(5).await.unwrap().await, Ok(50));
            let report = work.drain().await;
            assert_eq!(report.completed + report.failed + report.cancelled, report.accepted);
        },
    );
    assert!(report.drops > 6, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_fed_whose_results_nobody_wants() {
    let work = tenfold(WORK.max_concurrency(1).queue_capacity(2));
    assert_eq!(work.feed(stream::iter((20..40).map(Ok::<_, ()>))).await, Ok(20));
    let error = work.feed(stream::iter([Ok(1), Err("torn")])).await.unwrap_err();
    assert_eq!(error, FeedError::Stream { error: "torn", accepted: 1 });
    let stats = work.stats();
    assert_eq!((stats.completed + stats.failed, stats.peak_pending), (21, 2));
    work.close();
    let closed = work.feed(stream::iter([Ok::<_, ()>(7)])).await;
    assert_eq!(closed, Err(FeedError::Closed { rest: vec![7], accepted: 0 }));
}
