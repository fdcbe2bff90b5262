//! Answers.

use std::future::pending;

use dayfly::{ResultCoordinator, SignalSink, TicketError};
use tokio::task::{spawn, yield_now};

use super::WORK;
use crate::watched::balanced;

/// Whatever becomes of an operation, whoever holds its ticket hears of it, and of nothing else.
pub(super) async fn answered_once() {
    let work = ResultCoordinator::spawn(
        WORK.max_concurrency(2),
        &SignalSink::default(),
        |number: u32, op| async move {
            match number % 4 {
                0 => Ok(number),
                1 => Err("odd"),
                2 => {
                    op.cancelled().await;
                    Ok(number)
                }
                _ => pending().await,
            }
        },
    );
    let mut tickets = Vec::new();
    for number in 0..6 {
        let ticket = work.submit(number).await.expect("it is open");
        tickets.push(spawn(async move { (number, ticket.await) }));
    }
    let forgotten = work.submit(7).await.expect("it is open").kill_on_drop();
    drop(spawn(tokio::time::drive()));
    yield_now().await;
    drop(forgotten);
    let report = work.cancel().await;
    let (mut completed, mut failed, mut cancelled) = (0, 0, 1);
    for ticket in tickets {
        match ticket.await.expect("every ticket yields") {
            (number, Ok(answer)) => {
                assert_eq!(answer, number);
                completed += 1;
            }
            (number, Err(TicketError::Failed(_))) => {
                assert_eq!(number % 4, 1);
                failed += 1;
            }
            (_, Err(TicketError::Cancelled)) => cancelled += 1,
            (number, other) => panic!("{number}: {other:?}"),
        }
    }
    assert_eq!(balanced(report), 7);
    assert_eq!((report.completed, report.failed, report.cancelled), (completed, failed, cancelled));
}

/// Callers whose items may run in their own threads, while workers come and go: each has its answer.
pub(super) async fn called_in_place() {
    let work = ResultCoordinator::spawn(
        WORK.max_concurrency(2),
        &SignalSink::default(),
        |number: u32, _| async move {
            if number % 2 == 1 {
                yield_now().await;
            }
            Ok::<_, &str>(number)
        },
    );
    // Once a body has been quick, items may run at once.
    assert_eq!(work.submit(0).await.expect("it is open").await, Ok(0));
    let callers = [10, 20].map(|first| {
        let work = work.clone();
        spawn(async move {
            for number in first..first + 3 {
                assert_eq!(work.submit(number).await.expect("it is open").await, Ok(number));
            }
        })
    });
    for caller in callers {
        caller.await.expect("every call is answered");
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (7, 7));
}
