//! A batch that fails leaves its items to somebody who can still do something with them.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Batch, BatchError, BatchRules, Batcher, BatcherOptions, FailedBatch};
use dayfly_testing::settle;
use tokio::sync::mpsc;

const TWO: BatcherOptions = BatcherOptions::new().max_items(2).max_delay(Duration::from_millis(5));

type Failed<E> = FailedBatch<u32, E>;

/// Rules that send what failed, and where it arrives.
fn recovering<V, E: Send + Sync + 'static>() -> (BatchRules<u32, V, E>, mpsc::Receiver<Failed<E>>) {
    let (out, failed) = mpsc::channel(16);
    let rules = BatchRules::new().on_failure(move |failed: Failed<E>| {
        let out = out.clone();
        async move { drop(out.send(failed).await) }
    });
    (rules, failed)
}

#[tokio::test(start_paused = true)]
async fn a_failing_flush_reports_its_items_are_recoverable_and_the_next_batch_flushes() {
    let signals = SignalSink::default();
    let (rules, mut failed) = recovering();
    let calls = AtomicU32::new(0);
    let batcher = Batcher::spawn_with(TWO, &signals, rules, move |_: Batch<u32>| {
        let first = calls.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err("no disk") } else { Ok(()) } }
    });
    batcher.push(1).await.unwrap();
    // By the timer, which lives on.
    let batch = failed.recv().await.unwrap();
    assert_eq!((batch.items, batch.error), (vec![1], BatchError::Failed(Arc::new("no disk"))));
    assert!(signals.is_raised("batch.failed"));
    batcher.push(2).await.unwrap();
    tokio::time::sleep(Duration::from_millis(6)).await;
    let stats = batcher.stats();
    assert_eq!((stats.completed, stats.failed, stats.flushed_batches, stats.failed_batches), (1, 1, 1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_panic_loses_nothing_wherever_the_batch_is() {
    for moment in 0..3 {
        let (rules, mut failed) = recovering();
        let batcher = Batcher::spawn_with(TWO, &SignalSink::default(), rules, move |batch: Batch<u32>| {
            assert!(moment != 0, "before there is a future");
            async move {
                assert!(moment != 1, "in the first poll");
                tokio::task::yield_now().await;
                assert!(batch.is_empty(), "later");
            }
        });
        batcher.push(1).await.unwrap();
        batcher.push(2).await.unwrap();
        let batch = failed.recv().await.unwrap();
        assert_eq!((batch.items, batch.error), (vec![1, 2], BatchError::Panicked));
        assert_eq!(batcher.drain().await.failed, 2);
    }
}

#[tokio::test(start_paused = true)]
async fn an_early_return_gives_the_items_back() {
    let (rules, mut failed) = recovering();
    let batcher = Batcher::spawn_with(TWO, &SignalSink::default(), rules, |batch: Batch<u32>| async move {
        let number: u32 = "x".parse()?;
        assert_eq!(batch[0], number);
        Ok::<(), std::num::ParseIntError>(())
    });
    batcher.push(1).await.unwrap();
    batcher.push(2).await.unwrap();
    assert_eq!(failed.recv().await.unwrap().items, [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn items_that_failed_one_by_one_come_with_their_errors() {
    let (rules, mut failed) = recovering();
    let handler = |batch: Batch<u32>| async move {
        batch.iter().map(|item| if item % 2 == 0 { Ok(()) } else { Err(*item) }).collect::<Vec<_>>()
    };
    let batcher = Batcher::spawn_with(TWO.max_items(5), &SignalSink::default(), rules, handler);
    for item in [1, 2, 4, 5, 7] {
        batcher.push(item).await.unwrap();
    }
    let batch = failed.recv().await.unwrap();
    assert_eq!(batch.items, [1, 5, 7]);
    assert_eq!(batch.error, BatchError::Items([1, 5, 7].map(Arc::new).to_vec()));
    assert_eq!(batch.error.to_string(), "3 items of the batch failed");
    let report = batcher.drain().await;
    assert_eq!((report.completed, report.failed), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn items_that_the_handler_took_are_its_own() {
    let (rules, mut failed) = recovering();
    let batcher =
        Batcher::spawn_with(TWO, &SignalSink::default(), rules, |mut batch: Batch<u32>| async move {
            drop(batch.drain());
            Err::<(), _>("took them")
        });
    batcher.push(1).await.unwrap();
    assert_eq!(failed.recv().await.unwrap().items, Vec::<u32>::new());
    assert_eq!(batcher.drain().await.failed, 1);
}

#[tokio::test(start_paused = true)]
async fn a_wrong_number_of_answers_hands_the_items_on() {
    let (rules, mut failed) = recovering::<u32, &str>();
    let batcher =
        Batcher::spawn_with(TWO, &SignalSink::default(), rules, |_: Batch<u32>| async { Ok(Vec::new()) });
    batcher.push(1).await.unwrap();
    batcher.push(2).await.unwrap();
    let batch = failed.recv().await.unwrap();
    assert_eq!(batch.items, [1, 2]);
    assert_eq!(batch.error.to_string(), "the handler gave 0 answers for 2 items");
}

#[tokio::test(start_paused = true)]
async fn a_recovery_may_push_again_through_a_weak_handle() {
    let attempts = Arc::new(AtomicU32::new(0));
    let weak = Arc::new(Mutex::new(None::<dayfly_batching::WeakBatcher<u32, (), &str>>));
    let again = Arc::clone(&weak);
    let rules = BatchRules::new().on_failure(move |failed: Failed<&str>| {
        let weak = again.lock().unwrap().clone();
        async move {
            let batcher = weak.and_then(|weak| weak.upgrade()).unwrap();
            failed.items.into_iter().for_each(|item| batcher.try_push(item).unwrap());
        }
    });
    let counted = Arc::clone(&attempts);
    let batcher = Batcher::spawn_with(TWO, &SignalSink::default(), rules, move |_: Batch<u32>| {
        let attempt = counted.fetch_add(1, Ordering::SeqCst);
        async move { if attempt < 2 { Err("busy") } else { Ok(()) } }
    });
    *weak.lock().unwrap() = Some(batcher.downgrade());
    batcher.push(1).await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let report = batcher.drain().await;
    assert_eq!((report.accepted, report.failed, report.completed), (3, 2, 1));
}

#[tokio::test(start_paused = true)]
async fn a_recovery_that_panics_costs_only_itself_and_a_drain_waits_for_it() {
    for late in [false, true] {
        let rules = BatchRules::new().on_failure(move |failed: Failed<&str>| {
            assert!(late || failed.items[0] != 1, "at once");
            async move {
                tokio::time::sleep(Duration::from_secs(9)).await;
                assert!(failed.items[0] != 1, "late");
            }
        });
        let batcher = Batcher::spawn_with(TWO, &SignalSink::default(), rules, |_: Batch<u32>| async {
            Err::<(), _>("no")
        });
        for item in [1, 1, 2] {
            batcher.push(item).await.unwrap();
        }
        settle().await;
        let start = tokio::time::Instant::now();
        assert_eq!(batcher.drain().await.failed, 3);
        assert_eq!(start.elapsed().as_secs(), if late { 18 } else { 9 });
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_that_outlives_its_handler_comes_home_to_nobody() {
    let (out, mut kept) = mpsc::channel(4);
    let (rules, mut failed) = recovering();
    let go = Arc::new(tokio::sync::Semaphore::new(1));
    let gate = Arc::clone(&go);
    let batcher = Batcher::spawn_with(TWO, &SignalSink::default(), rules, move |batch: Batch<u32>| {
        let (out, gate) = (out.clone(), Arc::clone(&gate));
        async move {
            drop(out.send(batch).await);
            gate.acquire().await.unwrap().forget();
            Err::<(), _>("no")
        }
    });
    batcher.push(1).await.unwrap();
    let first = kept.recv().await.unwrap();
    assert_eq!(failed.recv().await.unwrap().items, Vec::<u32>::new());
    batcher.push(2).await.unwrap();
    let second = kept.recv().await.unwrap();
    // The handler still has the second batch when the first one is dropped.
    drop(first);
    go.add_permits(1);
    assert_eq!(failed.recv().await.unwrap().items, Vec::<u32>::new());
    assert_eq!(second.into_items(), [2]);
}
