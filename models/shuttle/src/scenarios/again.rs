//! Another attempt later.

use std::convert::Infallible;
use std::time::Duration;

use dayfly::{Coordinator, Ended, SignalSink};
use tokio::task::spawn;

use super::WORK;
use crate::watched::{Counted, balanced};

/// A drain waits for attempts that are still to come, whenever their time comes.
pub(super) async fn again_then_drain() {
    let attempts = Counted::default();
    let noted = attempts.clone();
    let work = Coordinator::spawn(
        WORK.max_concurrency(2).queue_capacity(2),
        &SignalSink::default(),
        move |number: u32, op| {
            let noted = noted.clone();
            async move {
                noted.note(number);
                let after = Duration::from_millis(u64::from(number));
                if op.attempt() < 3 { op.again(number, after) } else { Ended::<_, (), Infallible>::Done(()) }
            }
        },
    );
    drop(spawn(tokio::time::drive()));
    for number in 0..3 {
        work.enqueue(number).await.expect("it is open");
    }
    let report = work.drain().await;
    assert_eq!((balanced(report), report.completed, work.stats().again), (3, 3, 6));
    assert_eq!(attempts.all(), [3; 3]);
}
