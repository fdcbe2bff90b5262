//! What an item allocates, counted on its thread: a guard that no machine's load can upset.

use dayfly::SignalSink;
use dayfly_batching::{Batch, Batcher, BatcherOptions, KeyedBatcher};
use dayfly_testing::{Counting, allocations};

/// What the text of a batch's signal costs; an item costs nothing.
const PER_BATCH: f64 = 1.0;

/// One allocation in a hundred items is not the path's: a buffer grows, a map makes room.
const SLACK: f64 = 0.01;

const ITEMS: usize = 64;
const WARM_UP: u64 = 10_000;
const MEASURED: u64 = 50_000;
const OPTIONS: BatcherOptions = BatcherOptions::new().max_items(ITEMS).queue_capacity(1_024);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[tokio::test]
async fn an_item_that_is_pushed() {
    let batcher = Batcher::spawn(OPTIONS, &SignalSink::default(), |_: Batch<u64>| async {});
    measure(async |item| batcher.push(item).await.expect("it is open")).await;
    assert_eq!(batcher.drain().await.completed, WARM_UP + MEASURED);
}

#[tokio::test]
async fn an_item_that_is_pushed_under_a_key() {
    let key_of = |item: &u64| item % 8;
    let batcher =
        KeyedBatcher::spawn(OPTIONS, &SignalSink::default(), key_of, |_: u64, _: Batch<u64>| async {});
    measure(async |item| batcher.push(item).await.expect("it is open")).await;
    assert_eq!(batcher.drain().await.completed, WARM_UP + MEASURED);
}

#[tokio::test]
async fn items_that_are_submitted_together() {
    let options = OPTIONS.max_items(2);
    let batcher = Batcher::spawn(options, &SignalSink::default(), |_: Batch<u64>| async {});
    let pair = async |item: u64| {
        let (one, other) = tokio::join!(batcher.submit(item), batcher.submit(item));
        one.and(other).expect("it is handled");
    };
    let per_pair = count(pair).await;
    assert!(per_pair <= PER_BATCH + SLACK, "{per_pair:.4} allocations for two items");
}

async fn measure(push: impl AsyncFn(u64)) {
    let per_item = count(push).await;
    #[expect(clippy::cast_precision_loss, reason = "it is small")]
    let allowed = PER_BATCH / ITEMS as f64 + SLACK;
    assert!(per_item <= allowed, "{per_item:.4} allocations for an item, not {allowed:.4}");
}

/// Warms up, and counts what this thread allocates from then on; on a current-thread runtime there is no other.
async fn count(step: impl AsyncFn(u64)) -> f64 {
    for item in 0..WARM_UP {
        step(item).await;
    }
    let before = allocations();
    for item in 0..MEASURED {
        step(item).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
    let per_item = (allocations() - before) as f64 / MEASURED as f64;
    println!("{per_item:.4} allocations");
    per_item
}
