//! Items of one identity are one in their batch.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use dayfly::SignalSink;
use dayfly_batching::{Batch, BatchRules, Batcher, BatcherOptions, SubmitError, TryPushError};
use dayfly_testing::settle;
use futures_util::future::join_all;

const LONG: BatcherOptions = BatcherOptions::new().without_max_delay();

/// Items are the same when their first parts are. Values are both parts, and the number of items that were handled.
fn loads(options: BatcherOptions) -> (Batcher<(u32, u32), String, Infallible>, Arc<AtomicUsize>) {
    let handled = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&handled);
    let rules = BatchRules::new().coalesce(|item: &(u32, u32)| item.0);
    let batcher =
        Batcher::spawn_with(options, &SignalSink::default(), rules, move |batch: Batch<(u32, u32)>| {
            counted.fetch_add(batch.len(), Ordering::SeqCst);
            async move { Ok(batch.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>()) }
        });
    (batcher, handled)
}

#[tokio::test(start_paused = true)]
async fn one_is_handled_and_everybody_gets_its_value() {
    let (batcher, handled) = loads(LONG);
    let items = [(1, 0), (2, 0), (1, 1), (1, 2), (2, 1)];
    let values = join_all(items.map(|item| batcher.submit(item)));
    let (values, ()) = tokio::join!(values, batcher.flush_soon());
    let values: Vec<String> = values.into_iter().map(Result::unwrap).collect();
    assert_eq!(values, ["(1, 0)", "(2, 0)", "(1, 0)", "(1, 0)", "(2, 0)"]);
    assert_eq!(handled.load(Ordering::SeqCst), 2);
    let report = batcher.drain().await;
    assert_eq!((report.accepted, report.completed, report.coalesced), (5, 2, 3));
}

trait FlushSoon {
    async fn flush_soon(&self);
}

impl FlushSoon for Batcher<(u32, u32), String, Infallible> {
    async fn flush_soon(&self) {
        settle().await;
        self.flush().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_in_another_batch_is_handled_again() {
    let (batcher, handled) = loads(LONG.max_items(2));
    for item in [(1, 0), (2, 0), (1, 1), (1, 2)] {
        batcher.push(item).await.unwrap();
    }
    assert_eq!(batcher.drain().await.coalesced, 1);
    assert_eq!(handled.load(Ordering::SeqCst), 3);
}

#[tokio::test(start_paused = true)]
async fn what_joins_another_needs_no_room() {
    let (batcher, _) = loads(LONG.queue_capacity(1));
    batcher.push((1, 0)).await.unwrap();
    batcher.try_push((1, 1)).unwrap();
    assert!(matches!(batcher.try_push((2, 0)), Err(TryPushError::Full((2, 0)))));
    assert_eq!(batcher.drain().await.coalesced, 1);
}

#[tokio::test(start_paused = true)]
async fn an_item_stays_as_long_as_anybody_wants_it() {
    let (batcher, handled) = loads(LONG);
    let mut submits: Vec<_> =
        [(1, 0), (1, 1), (2, 0), (3, 0)].map(|item| Box::pin(batcher.submit(item))).into();
    for submit in &mut submits {
        assert!(futures_util::poll!(submit).is_pending());
    }
    // Somebody wants this one handled and does not wait for it.
    batcher.push((2, 1)).await.unwrap();
    drop(submits.pop());
    drop(submits.pop());
    drop(submits.remove(0));
    batcher.flush().await;
    assert_eq!(submits.pop().unwrap().await.unwrap(), "(1, 0)");
    assert_eq!(handled.load(Ordering::SeqCst), 2);
    let report = batcher.drain().await;
    assert_eq!((report.completed, report.coalesced, report.withdrawn), (2, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_everybodys() {
    let rules = BatchRules::new().coalesce(|item: &u32| *item);
    let batcher = Batcher::spawn_with(LONG, &SignalSink::default(), rules, |batch: Batch<u32>| async move {
        batch.iter().map(|item| if *item == 1 { Err("one") } else { Ok(*item) }).collect::<Vec<_>>()
    });
    let outcomes = join_all([2, 1, 1].map(|item| batcher.submit(item)));
    let flushed = async {
        settle().await;
        batcher.flush().await;
    };
    let (outcomes, ()) = tokio::join!(outcomes, flushed);
    assert_eq!(outcomes[0], Ok(2));
    for outcome in &outcomes[1..] {
        assert_eq!(*outcome, Err(SubmitError::Failed(Arc::new("one"))));
    }
}
