//! Handles and futures go from task to task.

use dayfly_batching::{
    Answers, Batch, BatchError, BatchRules, Batcher, BatcherOptions, FailedBatch, KeyedBatcher, PushError,
    Stats, SubmitError, TryPushError, WeakBatcher, WeakKeyedBatcher,
};

fn shared<T: Send + Sync>() {}
fn sent<T: Send>(_: T) {}

#[test]
fn everything_may_be_shared() {
    // A value or an item may be `Send` alone.
    type Item = std::cell::Cell<u32>;
    shared::<Batcher<Item, Item, String>>();
    shared::<WeakBatcher<Item, Item, String>>();
    shared::<KeyedBatcher<u32, Item, Item, String>>();
    shared::<WeakKeyedBatcher<u32, Item, Item, String>>();
    shared::<BatchRules<Item, Item, String>>();
    shared::<(BatcherOptions, Stats, BatchError<String>, Answers<u32, String>)>();
    shared::<(PushError<u32>, TryPushError<u32>, SubmitError<u32, String>)>();
    shared::<(Batch<u32>, FailedBatch<u32, String>)>();
    let futures = |batcher: &Batcher<Item>| {
        sent(batcher.push(Item::new(1)));
        sent(batcher.submit(Item::new(1)));
        sent((batcher.flush(), batcher.drain(), batcher.cancel()));
    };
    let _ = futures;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_tasks_on_many_threads_lose_nothing() {
    let options = BatcherOptions::new().max_items(16).max_in_flight(3).queue_capacity(64);
    let batcher = Batcher::spawn(options, &dayfly::SignalSink::default(), |batch: Batch<u64>| async move {
        if batch.len().is_multiple_of(3) {
            tokio::task::yield_now().await;
        }
        Ok::<_, std::convert::Infallible>(batch.iter().map(|item| item + 1).collect::<Vec<_>>())
    });
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..8_u64 {
        let batcher = batcher.clone();
        tasks.spawn(async move {
            for item in 0..2_000 {
                let item = task * 10_000 + item;
                match item % 4 {
                    0 => assert_eq!(batcher.submit(item).await, Ok(item + 1)),
                    1 => drop(tokio::time::timeout(std::time::Duration::ZERO, batcher.submit(item)).await),
                    _ => batcher.push(item).await.unwrap(),
                }
            }
        });
    }
    tasks.join_all().await;
    let report = batcher.drain().await;
    assert_eq!(report.accepted, report.completed + report.withdrawn);
    assert!(report.completed >= 8 * 1_500);
}
