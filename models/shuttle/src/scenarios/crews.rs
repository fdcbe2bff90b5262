//! Workers that others drive, who may go away with them.

use std::sync::{Arc, Mutex, PoisonError};

use dayfly::{Crew, ResultCoordinator, SignalSink, TicketError};
use tokio::task::{JoinHandle, spawn, yield_now};

use super::WORK;
use super::places::polled_at_most;
use crate::watched::{Bodies, Counted, Item, balanced};

/// How large a crew is.
const CREW: usize = 2;

/// How often a worker is polled at most that goes away.
const POLLS: usize = 4;

/// A crew that stays does everything that came through a queue of one, and goes when that has ended.
pub(super) async fn stays() {
    let bodies = Bodies::default();
    let watched = bodies.clone();
    let (crew, drivers) = crew(None);
    let work = ResultCoordinator::spawn_on(
        crew,
        WORK.max_concurrency(CREW).queue_capacity(1),
        &SignalSink::default(),
        move |number: u32, _| {
            let bodies = watched.clone();
            async move {
                let _inside = bodies.enter();
                if number % 2 == 1 {
                    yield_now().await;
                }
                Ok::<_, &str>(number)
            }
        },
    );
    let callers = [0, 10].map(|first| {
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
    assert_eq!((balanced(report), report.completed), (6, 6));
    assert!(bodies.most() <= CREW);
    all_ended(&drivers).await;
}

/// A worker that is dropped at any moment takes the coordinator with it: whoever handed something in hears of it, what
/// was accepted ends once, and the others of the crew go too.
pub(super) async fn goes() {
    let (dropped, bodies) = (Counted::default(), Bodies::default());
    let watched = bodies.clone();
    let (crew, drivers) = crew(Some(POLLS));
    let work = ResultCoordinator::spawn_on(
        crew,
        WORK.max_concurrency(CREW).queue_capacity(2),
        &SignalSink::default(),
        move |item: Item, op| {
            let bodies = watched.clone();
            async move {
                let _inside = bodies.enter();
                if item.number % 2 == 1 {
                    op.cancelled().await;
                }
                Ok::<_, &str>(item.number)
            }
        },
    );
    let callers = [0, 10].map(|first| {
        let (work, dropped) = (work.clone(), dropped.clone());
        spawn(async move {
            let (mut accepted, mut answered) = (0, 0);
            for number in first..first + 3 {
                let Ok(ticket) = work.submit(Item::new(number, &dropped)).await else { continue };
                accepted += 1;
                match ticket.await {
                    Ok(answer) => {
                        assert_eq!(answer, number);
                        answered += 1;
                    }
                    Err(TicketError::Cancelled) => {}
                    Err(other) => panic!("{number}: {other:?}"),
                }
            }
            (accepted, answered)
        })
    });
    let (mut accepted, mut answered) = (0, 0);
    for caller in callers {
        let counts = caller.await.expect("every call is answered");
        (accepted, answered) = (accepted + counts.0, answered + counts.1);
    }
    let report = work.drain().await;
    let started = bodies.started();
    assert_eq!((balanced(report), report.completed), (accepted, answered));
    assert_eq!(dropped.all(), [1; 6], "each item leaves once");
    all_ended(&drivers).await;
    assert_eq!(bodies.started(), started, "nothing starts after the end");
}

type Drivers = Arc<Mutex<Vec<JoinHandle<()>>>>;

/// A crew of tasks. The first worker is dropped after at most so many polls.
fn crew(polls: Option<usize>) -> (Crew, Drivers) {
    let drivers = Drivers::default();
    let started = Arc::clone(&drivers);
    let crew = Crew::new(CREW, move |number, worker| {
        let driver = spawn(async move {
            match polls {
                Some(polls) if number == 0 => drop(polled_at_most(polls, worker).await),
                _ => worker.await,
            }
        });
        started.lock().unwrap_or_else(PoisonError::into_inner).push(driver);
    });
    (crew, drivers)
}

/// Waits for those who drive: a worker completes when everything has ended.
async fn all_ended(drivers: &Drivers) {
    let drivers = std::mem::take(&mut *drivers.lock().unwrap_or_else(PoisonError::into_inner));
    assert_eq!(drivers.len(), CREW, "every worker was taken on");
    for driver in drivers {
        driver.await.expect("a worker comes to its end");
    }
}
