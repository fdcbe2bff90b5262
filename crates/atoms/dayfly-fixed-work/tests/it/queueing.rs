//! The bound, the order, the gates, and attempts: as in every coordinator.

use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{EnqueueError, OperationId, TryEnqueueError};
use dayfly_fixed_work::{CoordinatorOptions, FixedWork, FixedWorkOptions, Operation, SignalSink};

use crate::support::Doors;

const ONE: FixedWorkOptions = FixedWorkOptions::new().workers(1);

#[tokio::test]
async fn the_queue_is_bounded_and_hands_back_what_it_refuses() {
    let doors = Doors::default();
    let inside = doors.clone();
    let options = ONE.work(CoordinatorOptions::new().queue_capacity(2));
    let work = FixedWork::spawn_blocking(options, &SignalSink::default(), move |_: u32, _| inside.pass());
    work.enqueue(0).await.unwrap();
    doors.entered(1).await;
    let id = OperationId::next();
    drop(work.submit_as(id, 1).await.unwrap());
    assert_eq!(work.submit_as(id, 2).await.unwrap_err(), EnqueueError::Duplicate(2));
    work.try_enqueue(3).unwrap();
    assert_eq!(work.try_enqueue(4), Err(TryEnqueueError::Full(4)));
    let waiting = work.clone();
    let waits = tokio::runtime::Handle::current().spawn(async move { waiting.enqueue(5).await });
    tokio::task::yield_now().await;
    work.close();
    assert_eq!(waits.await.unwrap(), Err(EnqueueError::Closed(5)));
    assert_eq!(work.try_submit(6).unwrap_err(), TryEnqueueError::Closed(6));
    doors.let_out(3);
    assert_eq!(work.drain().await.completed, 3);
}

#[tokio::test]
async fn one_worker_is_strictly_first_come_first_served() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let log = order.clone();
    let work = FixedWork::spawn_cpu(ONE, &SignalSink::default(), move |number: u32, _| {
        log.lock().unwrap().push(number);
    });
    for number in 0..1_000 {
        work.enqueue(number).await.unwrap();
    }
    work.drain().await;
    assert!(order.lock().unwrap().iter().copied().eq(0..1_000));
}

#[tokio::test]
async fn an_attempt_on_a_thread_may_ask_for_another() {
    let work = FixedWork::spawn_cpu(ONE, &SignalSink::default(), |number: u32, op: Operation| {
        if op.attempt() < 3 {
            let wait = if op.attempt() == 1 { Duration::from_millis(1) } else { Duration::MAX };
            return op.again(number + 1, wait);
        }
        op.done_with::<_, _, Infallible>(number)
    });
    let ticket = work.submit(0).await.unwrap();
    while work.stats().again < 2 {
        tokio::task::yield_now().await;
    }
    assert!(work.hasten(ticket.id()));
    assert_eq!(ticket.await, Ok(2));
}

#[tokio::test]
async fn signals_gate_threads_as_they_gate_tasks() {
    let signals = SignalSink::default();
    let options = ONE.work(CoordinatorOptions::new().defer_on("load.high"));
    let work = FixedWork::spawn_cpu(options, &signals, |(), op: Operation| {
        op.raise("ran");
    });
    let hold = signals.hold("load.high");
    work.enqueue(()).await.unwrap();
    tokio::time::timeout(Duration::from_millis(5), work.idle()).await.unwrap_err();
    assert_eq!(work.stats().completed, 0);
    drop(hold);
    work.idle().await;
    assert_eq!((work.stats().completed, work.has("ran"), work.count("ran")), (1, true, 1));
    assert_eq!((work.window().len(), work.running().len(), work.echoes().len()), (1, 0, 0));
    work.pause();
    work.enqueue(()).await.unwrap();
    assert!(work.stats().paused);
    work.resume();
    assert_eq!(work.drain().await.completed, 2);
}

#[tokio::test]
async fn who_observes_hears_of_every_end() {
    let ends = Arc::new(Mutex::new(0));
    let heard = ends.clone();
    let work = FixedWork::spawn_cpu(ONE, &SignalSink::default(), |(), _| ());
    work.on_finish(move |_| *heard.lock().unwrap() += 1);
    let ids = [work.enqueue(()).await.unwrap(), work.enqueue(()).await.unwrap()];
    work.drain().await;
    assert_eq!(*ends.lock().unwrap(), 2);
    work.pin(ids[0]).unwrap();
    assert!(work.unpin(ids[0]) && !work.unpin(ids[1]));
}

#[tokio::test]
async fn who_waits_for_room_is_told_when_there_is_some() {
    let doors = Doors::default();
    let body = doors.clone();
    let options = FixedWorkOptions::new().workers(1).work(CoordinatorOptions::new().queue_capacity(2));
    let work = FixedWork::<u32>::spawn_blocking(options, &SignalSink::default(), move |_, _| body.pass());
    work.enqueue(0).await.unwrap();
    doors.entered(1).await;
    work.room(2).await;
    assert!(work.try_enqueue(1).is_ok() && work.try_enqueue(2).is_ok() && work.try_enqueue(3).is_err());
    let mut room = Box::pin(work.room(1));
    assert!(futures_util::poll!(&mut room).is_pending());
    doors.let_out(1);
    room.await;
    assert!(work.try_enqueue(3).is_ok());
    doors.let_out(3);
    assert_eq!(work.drain().await.completed, 4);
}
