//! What waits until somebody says so: hastened or given up while the coordinator comes to its end.

use std::time::Duration;

use dayfly::{Coordinator, KeyedCoordinator, Keys, OperationId, SignalSink};
use shuttle::rand::{Rng, thread_rng};
use tokio::task::{spawn, yield_now};

use super::WORK;
use crate::watched::{Counted, Item, balanced};

/// Whoever is heard hastening an operation has not spoken in vain, whether it runs, is on its way, or waits: it comes
/// to its end, once, also when somebody kills it or everything is closed or cancelled meanwhile.
pub(super) async fn hastened() {
    let (ended, dropped) = (Counted::default(), Counted::default());
    let work =
        Coordinator::spawn(WORK.max_concurrency(2), &SignalSink::default(), |item: Item, op| async move {
            if op.attempt() == 1 { op.again(item, Duration::MAX) } else { op.done::<_, String>() }
        });
    let noted = ended.clone();
    work.on_finish(move |snapshot| noted.note(snapshot.id));
    let mut ids = Vec::new();
    for number in 0..3 {
        ids.push(work.enqueue(Item::new(number, &dropped)).await.expect("it is open"));
    }
    let hasteners = [ids[0], ids[1], ids[2]].map(|id| {
        let (work, ended) = (work.clone(), ended.clone());
        spawn(async move {
            // It is not heard while the operation is queued. Once it is, nobody says it again.
            while !work.hasten(id) && !ended.has(&id) {
                yield_now().await;
            }
        })
    });
    let ends = Ends::any();
    let was_killed = ends == Ends::Kill && work.kill(ids[0]);
    let report = if ends == Ends::Cancel { work.cancel().await } else { work.drain().await };
    for hastener in hasteners {
        hastener.await.expect("who hastens comes to its end");
    }
    assert_eq!(balanced(report), 3);
    match ends {
        Ends::Drain => assert_eq!((report.completed, work.stats().again), (3, 3)),
        Ends::Kill => assert!(report.cancelled <= u64::from(was_killed), "{report:?}"),
        Ends::Cancel => assert_eq!(report.failed, 0),
    }
    assert_eq!(ended.all(), [1; 3], "each operation ends once");
    assert_eq!(dropped.all(), [1; 3], "each item leaves once");
}

/// Whoever waits and is given up has failed, and its key goes on, whatever else is on its way to it.
pub(super) async fn given_up() {
    let (ended, dropped, salvaged) = (Counted::default(), Counted::default(), Counted::default());
    let kept = salvaged.clone();
    let work = KeyedCoordinator::spawn_salvaging(
        WORK.max_concurrency(2),
        &SignalSink::default(),
        Keys::of(|item: &Item| item.number / 2),
        |item: Item, op| async move {
            // The first of each key asks for more until it is told that there is none.
            if item.number.is_multiple_of(2) && op.attempt() < 3 {
                op.again(item, Duration::MAX)
            } else {
                op.done::<_, String>()
            }
        },
        move |item: Item, _| kept.note(item.number),
    );
    let noted = ended.clone();
    work.on_finish(move |snapshot| noted.note(snapshot.id));
    let mut ids = Vec::new();
    for number in 0..4 {
        ids.push(work.enqueue(Item::new(number, &dropped)).await.expect("it is open"));
    }
    let who = [ids[0], ids[2]];
    let givers = who.map(|id| until_heard(&work, &ended, id, |work, id| work.give_up(id, &"enough")));
    let hastener = until_heard(&work, &ended, ids[0], |work, id| work.hasten(id));
    let ends = Ends::any();
    let was_killed = ends == Ends::Kill && work.kill(ids[2]);
    let report = if ends == Ends::Cancel { work.cancel().await } else { work.drain().await };
    for task in givers.into_iter().chain([hastener]) {
        task.await.expect("it comes to its end");
    }
    assert_eq!(balanced(report), 4);
    match ends {
        Ends::Drain => assert_eq!((report.failed, report.completed), (2, 2), "nobody got a third attempt"),
        Ends::Kill => assert!(report.cancelled <= u64::from(was_killed), "{report:?}"),
        Ends::Cancel => {}
    }
    assert_eq!(ended.all(), [1; 4], "each operation ends once");
    assert_eq!(dropped.all(), [1; 4], "each item leaves once");
    assert!(salvaged.all().into_iter().all(|times| times == 1), "an item is salvaged once");
}

/// What comes while operations wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    Drain,
    Cancel,
    Kill,
}

impl Ends {
    fn any() -> Self {
        [Self::Drain, Self::Cancel, Self::Kill][thread_rng().gen_range(0..3)]
    }
}

/// Says it until it is heard, or there is nobody left to hear it.
fn until_heard(
    work: &KeyedCoordinator<u32, Item>,
    ended: &Counted<OperationId>,
    id: OperationId,
    say: fn(&KeyedCoordinator<u32, Item>, OperationId) -> bool,
) -> tokio::task::JoinHandle<()> {
    let (work, ended) = (work.clone(), ended.clone());
    spawn(async move {
        while !say(&work, id) && !ended.has(&id) {
            yield_now().await;
        }
    })
}
