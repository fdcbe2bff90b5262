//! Async bodies: the same pool, in the runtime.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use dayfly_fixed_work::{CoordinatorOptions, FixedWork, FixedWorkOptions, SignalSink, TicketError};
use dayfly_testing::settle;
use tokio::sync::Semaphore;

#[tokio::test(start_paused = true)]
async fn async_bodies_run_as_many_at_once_as_there_are_workers_whatever_the_options_of_the_work_say() {
    let gate = Arc::new(Semaphore::new(0));
    let entrance = gate.clone();
    let options = FixedWorkOptions::new().workers(3).work(CoordinatorOptions::new().max_concurrency(9));
    let work = FixedWork::spawn(options, &SignalSink::default(), move |number: u32, _| {
        let gate = entrance.clone();
        async move {
            gate.acquire().await.unwrap().forget();
            Ok::<_, Infallible>(number * 2)
        }
    });
    let mut tickets = Vec::new();
    for number in 0..5 {
        tickets.push(work.submit(number).await.unwrap());
    }
    settle().await;
    assert_eq!((work.workers(), work.stats().running, work.stats().pending), (3, 3, 2));
    gate.add_permits(5);
    for (number, ticket) in (0..).zip(tickets) {
        assert_eq!(ticket.await, Ok(number * 2));
    }
}

#[tokio::test(start_paused = true)]
async fn an_async_body_is_dropped_after_its_grace() {
    let work = FixedWork::spawn(FixedWorkOptions::new(), &SignalSink::default(), |(), _| {
        std::future::pending::<Result<(), Infallible>>()
    });
    let ticket = work.submit(()).await.unwrap();
    settle().await;
    assert_eq!(work.drain_for(Duration::from_secs(1)).await.cancelled, 1);
    assert_eq!(ticket.await, Err(TicketError::Cancelled));
    assert_eq!(work.workers(), 16);
}
