//! What an item allocates, counted on its thread: a guard that no machine's load can upset.
#![expect(unsafe_code, reason = "an allocator that counts can only be written with `unsafe`")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;

use dayfly::SignalSink;
use dayfly_batching::{Batch, Batcher, BatcherOptions, KeyedBatcher};

/// What the text of a batch's signal costs; an item costs nothing.
const PER_BATCH: f64 = 1.0;

/// One allocation in a hundred items is not the path's: a buffer grows, a map makes room.
const SLACK: f64 = 0.01;

const ITEMS: usize = 64;
const WARM_UP: u64 = 10_000;
const MEASURED: u64 = 50_000;
const OPTIONS: BatcherOptions = BatcherOptions::new().max_items(ITEMS).queue_capacity(1_024);

struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

thread_local! {
    /// It needs neither an allocation nor a destructor, so that the allocator can use it at any time.
    static ALLOCATIONS: Cell<u64> = const { Cell::new(0) };
}

fn note() {
    ALLOCATIONS.with(|count| count.set(count.get() + 1));
}

// SAFETY: every call goes to the system's allocator as it is; counting touches no memory of the caller's.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        note();
        // SAFETY: the caller keeps the contract of `realloc`, and the memory came from the system's allocator.
        unsafe { System.realloc(memory, layout, size) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`, and the memory came from the system's allocator.
        unsafe { System.dealloc(memory, layout) }
    }
}

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
    let before = ALLOCATIONS.get();
    for item in 0..MEASURED {
        step(item).await;
    }
    #[expect(clippy::cast_precision_loss, reason = "both are far below 2^52")]
    let per_item = (ALLOCATIONS.get() - before) as f64 / MEASURED as f64;
    println!("{per_item:.4} allocations");
    per_item
}
