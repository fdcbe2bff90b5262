//! The pools that more than one question asks: what dayfly offers, and what people write without it.

use std::sync::Arc;

use dayfly::{Coordinator, CoordinatorOptions, SignalSink};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::body::Body;

/// Operations that run at once.
pub const AT_ONCE: usize = 64;
/// Operations that wait.
pub const QUEUE: usize = 1_024;
/// The bounds of every coordinator here.
pub const OPTIONS: CoordinatorOptions =
    CoordinatorOptions::new().max_concurrency(AT_ONCE).queue_capacity(QUEUE);

/// A channel with as many loops behind it as operations may run at once. The loops end with the sender.
pub fn kanal_loops(body: Body) -> (kanal::AsyncSender<u64>, JoinSet<()>) {
    let (sender, receiver) = kanal::bounded_async::<u64>(QUEUE);
    let mut loops = JoinSet::new();
    for _ in 0..AT_ONCE {
        let receiver = receiver.clone();
        loops.spawn(async move {
            while receiver.recv().await.is_ok() {
                body.run().await;
            }
        });
    }
    (sender, loops)
}

/// Hands all operations to the loops and waits for their end.
pub async fn kanal(body: Body, operations: u64) {
    let (sender, loops) = kanal_loops(body);
    for number in 0..operations {
        sender.send(number).await.expect("the loops receive");
    }
    drop(sender);
    loops.join_all().await;
}

/// A coordinator with this body.
pub fn coordinator(body: Body) -> Coordinator<u64> {
    Coordinator::spawn(OPTIONS, &SignalSink::default(), move |_, _| body.run())
}

/// Hands all operations to a coordinator and waits for their end.
pub async fn dayfly(work: Coordinator<u64>, operations: u64) {
    for number in 0..operations {
        work.enqueue(number).await.expect("it is open");
    }
    assert_eq!(work.drain().await.completed, operations);
}

/// Spawns a task for each operation, as permits come free.
pub async fn spawn_with_semaphore(body: Body, operations: u64) {
    let permits = Arc::new(Semaphore::new(AT_ONCE));
    for _ in 0..operations {
        let permit = Arc::clone(&permits).acquire_owned().await.expect("it is open");
        tokio::spawn(async move {
            body.run().await;
            drop(permit);
        });
    }
    wait_for_all(&permits).await;
}

/// Waits until every permit has come back.
pub async fn wait_for_all(permits: &Semaphore) {
    let all = u32::try_from(AT_ONCE).expect("it is small");
    drop(permits.acquire_many(all).await.expect("it is open"));
}
