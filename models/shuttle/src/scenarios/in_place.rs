//! Items that run in their callers' threads, while others want something of the coordinator.

use std::future::pending;

use dayfly::{ResultCoordinator, SignalSink, TicketError};
use shuttle::rand::{Rng, thread_rng};
use tokio::task::{spawn, yield_now};

use super::{WORK, WORKERS};
use crate::watched::{Bodies, Counted, Item, balanced};

/// Calls race with whatever ends or stops their coordinator: each is answered or refused with its item, and the accounts
/// are right.
pub(super) async fn called_while_it_ends() {
    let dropped = Counted::default();
    let work = quick(&dropped).await;
    let callers = [10, 20].map(|first| {
        let (work, dropped) = (work.clone(), dropped.clone());
        spawn(async move {
            let (mut accepted, mut answered) = (0, 0);
            for number in first..first + 3 {
                match work.submit(Item::new(number, &dropped)).await {
                    Ok(ticket) => {
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
                    Err(refused) => assert_eq!(refused.into_item().number, number),
                }
            }
            (accepted, answered)
        })
    });
    yield_now().await;
    match thread_rng().gen_range(0..3) {
        0 => work.close(),
        1 => drop(work.cancel()),
        _ => {
            work.pause();
            yield_now().await;
            work.resume();
        }
    }
    let (mut accepted, mut answered) = (1, 1);
    for caller in callers {
        let counts = caller.await.expect("every call comes to its end");
        (accepted, answered) = (accepted + counts.0, answered + counts.1);
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (accepted, answered));
    assert_eq!(dropped.all(), [1; 7], "each item leaves once");
}

/// A body that was begun in its caller's thread and would never end is killed there or in the worker, by its id or
/// with its ticket; whoever calls meanwhile is answered.
pub(super) async fn killed() {
    let dropped = Counted::default();
    let work = quick(&dropped).await;
    let ticket = work.submit(Item::new(ENDLESS, &dropped)).await.expect("it is open");
    let caller = {
        let (work, dropped) = (work.clone(), dropped.clone());
        spawn(async move {
            for number in 10..12 {
                let ticket = work.submit(Item::new(number, &dropped)).await.expect("it is open");
                assert_eq!(ticket.await, Ok(number));
            }
        })
    };
    if thread_rng().gen_range(0..2) == 0 {
        drop(ticket.kill_on_drop());
    } else {
        assert!(work.kill(ticket.id()), "what does not end is found");
        assert_eq!(ticket.await, Err(TicketError::Cancelled));
    }
    caller.await.expect("every call is answered");
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed, report.cancelled), (4, 3, 1));
    assert_eq!(dropped.all(), [1; 4], "each item leaves once");
}

/// A limit that changes holds for callers as it does for workers.
pub(super) async fn resized() {
    let bodies = Bodies::default();
    let watched = bodies.clone();
    let work =
        ResultCoordinator::spawn(WORK.max_concurrency(2), &SignalSink::default(), move |number: u32, _| {
            let bodies = watched.clone();
            async move {
                let _inside = bodies.enter();
                if number > 0 {
                    yield_now().await;
                }
                Ok::<_, &str>(number)
            }
        });
    assert_eq!(work.submit(0).await.expect("it is open").await, Ok(0));
    let callers = [10, 20, 30].map(|first| {
        let work = work.clone();
        spawn(async move {
            for number in first..first + 2 {
                assert_eq!(work.submit(number).await.expect("it is open").await, Ok(number));
            }
        })
    });
    work.set_max_concurrency(1);
    bodies.set_bound(1);
    for _ in 0..3 {
        yield_now().await;
    }
    bodies.set_bound(0);
    work.set_max_concurrency(2);
    for caller in callers {
        caller.await.expect("every call is answered");
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed), (7, 7));
    assert!(bodies.most() <= 2, "{} at once", bodies.most());
    assert!(bodies.above() <= WORKERS, "{} starts beyond the lower limit", bodies.above());
}

/// The number of an item whose body only a kill ends.
const ENDLESS: u32 = 99;

/// A coordinator that has seen one quick body, so that items may run at once; those with odd numbers suspend.
async fn quick(dropped: &Counted<u32>) -> ResultCoordinator<Item, u32, &'static str> {
    let work = ResultCoordinator::spawn(
        WORK.max_concurrency(2),
        &SignalSink::default(),
        |item: Item, _| async move {
            match item.number {
                ENDLESS => pending().await,
                number if number % 2 == 1 => yield_now().await,
                _ => {}
            }
            Ok::<_, &str>(item.number)
        },
    );
    let first = work.submit(Item::new(0, dropped)).await.expect("it is open");
    assert_eq!(first.await, Ok(0));
    work
}
