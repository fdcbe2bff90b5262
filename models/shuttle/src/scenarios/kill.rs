//! Ending one operation.

use std::future::pending;

use dayfly::{Coordinator, SignalSink};
use tokio::task::{spawn, yield_now};

use super::WORK;
use crate::watched::{Counted, Item, balanced};

/// Whoever is killed, queued, claimed, running or ended, has exactly one end, and no other is hit in its place.
pub(super) async fn exactly_one_end() {
    let (ended, dropped) = (Counted::default(), Counted::default());
    let work =
        Coordinator::spawn(WORK.max_concurrency(2), &SignalSink::default(), |item: Item, _| async move {
            match item.number {
                // Only a kill ends it.
                0 => pending().await,
                _ => yield_now().await,
            }
        });
    let noted = ended.clone();
    work.on_finish(move |snapshot| noted.note(snapshot.id));
    let mut ids = Vec::new();
    for number in 0..5 {
        ids.push(work.enqueue(Item::new(number, &dropped)).await.expect("it is open"));
    }
    let killers = [ids[0], ids[2]].map(|id| {
        let work = work.clone();
        spawn(async move { work.kill(id) })
    });
    let [endless, other] = killers;
    assert!(endless.await.expect("a kill comes to its end"), "what does not end is found");
    let was_found = other.await.expect("a kill comes to its end");
    let report = work.drain().await;
    assert_eq!(balanced(report), 5);
    assert!((1..=1 + u64::from(was_found)).contains(&report.cancelled), "{report:?}");
    assert_eq!(ended.all(), [1; 5], "each operation ends once");
    assert_eq!(dropped.all(), [1; 5], "each item leaves once");
    assert!(!work.kill(ids[0]));
}
