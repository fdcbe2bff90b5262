//! Closures, items and values that panic.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dayfly::SignalSink;
use dayfly_batching::{Batch, BatchRules, Batcher, BatcherOptions, KeyedBatcher, SubmitError};
use dayfly_testing::settle;

const TWO: BatcherOptions = BatcherOptions::new().max_items(2).without_max_delay();

/// An item that may go off when it is dropped.
struct Bomb(bool);

impl Drop for Bomb {
    fn drop(&mut self) {
        assert!(!self.0 || std::thread::panicking(), "it went off");
    }
}

/// A value that cannot be cloned.
struct Uncloneable;
impl Clone for Uncloneable {
    fn clone(&self) -> Self {
        panic!("no clone")
    }
}

#[tokio::test(start_paused = true)]
async fn items_that_panic_when_they_are_dropped_cost_nobody_else_anything() {
    let batcher = Batcher::spawn(TWO, &SignalSink::default(), |_: Batch<Bomb>| async {});
    for armed in [true, false, false, true, false, false] {
        batcher.push(Bomb(armed)).await.unwrap();
    }
    assert_eq!(batcher.drain().await.completed, 6);
}

/// An item or a value that goes off whenever it is dropped: two in one go would end the process.
struct Mine;

impl Drop for Mine {
    fn drop(&mut self) {
        panic!("it went off");
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_in_which_everything_panics_when_it_is_dropped_ends_as_any_other() {
    for fails in [false, true] {
        let batcher = Batcher::spawn(TWO, &SignalSink::default(), move |_: Batch<Mine>| async move {
            if fails { Err("as asked") } else { Ok(()) }
        });
        for _ in 0..4 {
            batcher.push(Mine).await.unwrap();
        }
        let report = batcher.drain().await;
        assert_eq!((report.completed, report.failed), if fails { (0, 4) } else { (4, 0) });
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_left_in_part_cancelled_or_abandoned_goes_off_by_itself() {
    // Half of it fails, and half of it is dropped.
    let batcher = Batcher::spawn(TWO.max_items(4), &SignalSink::default(), |batch: Batch<Mine>| async move {
        (0..batch.len()).map(|at| if at < 2 { Ok(()) } else { Err("as asked") }).collect::<Vec<_>>()
    });
    for _ in 0..4 {
        batcher.push(Mine).await.unwrap();
    }
    let report = batcher.drain().await;
    assert_eq!((report.completed, report.failed), (2, 2));

    // Its runtime is gone before anybody had them.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let batcher = std::thread::spawn(move || {
        let batcher = runtime.block_on(async {
            let batcher = Batcher::spawn(TWO.max_items(9), &SignalSink::default(), |_: Batch<Mine>| async {});
            for _ in 0..3 {
                batcher.push(Mine).await.unwrap();
            }
            batcher
        });
        drop(runtime);
        batcher
    });
    assert_eq!(batcher.join().unwrap().stats().cancelled, 3);
}

#[tokio::test(start_paused = true)]
async fn values_that_all_panic_when_they_are_dropped_cost_nobody_an_outcome() {
    for answers in [2, 3] {
        let batcher = Batcher::spawn(TWO, &SignalSink::default(), move |_: Batch<u32>| async move {
            Ok::<_, ()>((0..answers).map(|_| Mine).collect::<Vec<_>>())
        });
        batcher.push(0).await.unwrap();
        batcher.push(0).await.unwrap();
        batcher.push(1).await.unwrap();
        match batcher.submit(1).await {
            Ok(value) => std::mem::forget(value),
            Err(error) => assert!(matches!(error, SubmitError::Miscounted { items: 2, answers: 3 })),
        }
        let report = batcher.drain().await;
        assert_eq!((report.completed, report.failed), if answers == 2 { (4, 0) } else { (0, 4) });
    }
}

#[tokio::test(start_paused = true)]
async fn a_future_that_panics_when_it_is_dropped_costs_nothing() {
    let batcher = Batcher::spawn(TWO, &SignalSink::default(), |batch: Batch<u32>| {
        let mut bomb = Some(Bomb(true));
        std::future::poll_fn(move |_| {
            // It stays in the future.
            let _ = (&mut bomb, &batch);
            std::task::Poll::Ready(())
        })
    });
    for item in 0..4 {
        batcher.push(item).await.unwrap();
    }
    assert_eq!(batcher.drain().await.completed, 4);
}

#[tokio::test(start_paused = true)]
async fn values_that_panic_when_they_are_dropped_or_cloned_cost_only_themselves() {
    let batcher = Batcher::spawn(TWO, &SignalSink::default(), |batch: Batch<u32>| async move {
        Ok::<_, ()>(batch.iter().map(|item| Bomb(*item == 0)).collect::<Vec<_>>())
    });
    // Nobody waits for the value that goes off.
    batcher.push(0).await.unwrap();
    batcher.push(0).await.unwrap();
    batcher.push(1).await.unwrap();
    assert!(batcher.submit(1).await.is_ok());

    let rules = BatchRules::new().coalesce(|item: &u32| *item);
    let batcher = Batcher::spawn_with(TWO, &SignalSink::default(), rules, |batch: Batch<u32>| async move {
        Ok::<_, ()>(batch.iter().map(|_| Uncloneable).collect::<Vec<_>>())
    });
    let (one, other) = tokio::join!(batcher.submit(1), batcher.submit(2));
    assert!(matches!((one, other), (Err(SubmitError::Panicked), Err(SubmitError::Panicked))));
    assert_eq!(batcher.drain().await.completed, 2);
}

#[tokio::test(start_paused = true)]
async fn rules_that_panic_cost_the_caller_its_item_and_nobody_else_anything() {
    for which in 0..4 {
        let odd = move |own: u32, item: &u32| {
            assert!(own != which || item.is_multiple_of(2), "odd");
            *item
        };
        let rules = BatchRules::new()
            .weight(move |item| u64::from(odd(0, item)))
            .boundary(move |item| odd(1, item) == 1_000)
            .coalesce(move |item| odd(2, item));
        let batcher = KeyedBatcher::spawn_with(
            TWO,
            &SignalSink::default(),
            move |item| odd(3, item) % 2,
            rules,
            |_: u32, _: Batch<u32>| async {},
        );
        batcher.push(2).await.unwrap();
        assert!(catch_unwind(AssertUnwindSafe(|| batcher.try_push(3))).is_err());
        batcher.push(4).await.unwrap();
        let report = batcher.drain().await;
        assert_eq!((report.accepted, report.completed), (2, 2));
    }
}

#[tokio::test(start_paused = true)]
async fn a_comparison_that_panics_under_the_lock_leaves_no_room_taken() {
    /// It cannot be compared at times, and is like no other at all times.
    struct Picky(Arc<AtomicBool>);
    impl PartialEq for Picky {
        fn eq(&self, _: &Self) -> bool {
            assert!(!self.0.load(Ordering::SeqCst), "not now");
            false
        }
    }
    impl Eq for Picky {}
    impl std::hash::Hash for Picky {
        fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
    }

    let panics = Arc::new(AtomicBool::new(false));
    let asked = Arc::clone(&panics);
    let rules = BatchRules::new().coalesce(move |_: &u32| Picky(Arc::clone(&asked)));
    let options = TWO.max_items(10).queue_capacity(2);
    let batcher = Batcher::spawn_with(options, &SignalSink::default(), rules, |_: Batch<u32>| async {});
    batcher.push(1).await.unwrap();
    panics.store(true, Ordering::SeqCst);
    for _ in 0..5 {
        assert!(catch_unwind(AssertUnwindSafe(|| batcher.try_push(2))).is_err());
    }
    panics.store(false, Ordering::SeqCst);
    batcher.try_push(3).unwrap();
    assert!(batcher.try_push(4).is_err());
    settle().await;
    assert_eq!(batcher.drain().await.completed, 2);
}
