//! Close, drain, cancel, and the runtime's shutdown.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Batch, BatchError, BatchRules, Batcher, BatcherOptions, FailedBatch, SubmitError};
use dayfly_testing::settle;
use tokio::time::Instant;

use crate::support::Watched;

const TWO: BatcherOptions = BatcherOptions::new().max_items(2);

#[tokio::test(start_paused = true)]
async fn a_drain_acts_when_called_and_any_number_may_wait() {
    let watched = Watched::shut();
    let batcher = watched.spawn(TWO);
    for item in 0..5 {
        batcher.push(item).await.unwrap();
    }
    let (one, other) = (batcher.drain(), batcher.drain());
    assert!(batcher.stats().closed);
    watched.let_out(3);
    let (one, other) = tokio::join!(one, other);
    assert_eq!(one, other);
    assert_eq!((one.accepted, one.completed, one.flushed_batches), (5, 5, 3));
    assert_eq!(batcher.drain().await, one);
    assert_eq!(batcher.cancel().await, one);
}

#[tokio::test(start_paused = true)]
async fn a_thousand_rounds_of_push_close_and_drain_return() {
    for round in 0..1_000 {
        let batcher = Watched::open().spawn(TWO);
        for item in 0..round % 5 {
            batcher.push(item).await.unwrap();
        }
        batcher.close();
        assert_eq!(batcher.drain().await.completed, u64::from(round % 5));
    }
}

#[tokio::test(start_paused = true)]
async fn a_cancellation_tells_who_waits_at_once_and_lets_handlers_end_within_the_grace() {
    let watched = Watched::shut();
    let batcher = watched.spawn(TWO.cancel_grace(Duration::from_secs(3)));
    let mut submits: Vec<_> = (0..5).map(|item| Box::pin(batcher.submit(item))).collect();
    for submit in &mut submits {
        assert!(futures_util::poll!(submit).is_pending());
    }
    settle().await;
    let start = Instant::now();
    let cancelled = batcher.cancel();
    for queued in submits.split_off(2) {
        assert_eq!(queued.await, Err(SubmitError::Cancelled));
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    tokio::time::sleep(Duration::from_secs(2)).await;
    watched.let_out(1);
    let report = cancelled.await;
    assert_eq!((report.completed, report.cancelled), (2, 3));
    assert_eq!(start.elapsed(), Duration::from_secs(2));
    for handled in submits {
        assert_eq!(handled.await, Ok(()));
    }
}

#[tokio::test(start_paused = true)]
async fn after_the_grace_handlers_are_dropped_and_all_items_are_handed_on() {
    let recovered = Arc::new(Mutex::new(Vec::new()));
    let out = Arc::clone(&recovered);
    let rules = BatchRules::new().on_failure(move |failed: FailedBatch<u32, _>| {
        assert_eq!(failed.error, BatchError::Cancelled);
        out.lock().unwrap().extend(failed.items);
        async {}
    });
    let options = TWO.max_in_flight(2).cancel_grace(Duration::from_secs(3));
    let handler = |batch: Batch<u32>| async move {
        std::future::pending::<()>().await;
        drop(batch);
    };
    let batcher = Batcher::spawn_with(options, &SignalSink::default(), rules, handler);
    for item in 0..7 {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    let start = Instant::now();
    // What the second call asks for does not prolong the grace.
    tokio::time::sleep(Duration::from_secs(1)).await;
    drop(batcher.cancel());
    tokio::time::sleep(Duration::from_secs(1)).await;
    let report = batcher.cancel().await;
    assert_eq!((report.accepted, report.cancelled), (7, 7));
    assert_eq!(start.elapsed(), Duration::from_secs(4));
    let mut recovered = recovered.lock().unwrap().clone();
    recovered.sort_unstable();
    assert_eq!(recovered, (0..7).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn without_grace_handlers_are_dropped_at_their_next_suspension() {
    let watched = Watched::shut();
    let batcher = watched.spawn(TWO.cancel_grace(Duration::ZERO));
    batcher.push(0).await.unwrap();
    drop(batcher.flush());
    settle().await;
    let start = Instant::now();
    assert_eq!(batcher.cancel().await.cancelled, 1);
    assert_eq!(start.elapsed(), Duration::ZERO);
}

#[test]
fn what_the_runtime_takes_with_it_is_counted_as_cancelled() {
    let build =
        || tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().unwrap();
    let (runtime, other) = (build(), build());
    let watched = Watched::shut();
    let batcher = runtime.block_on(async { watched.spawn(TWO.max_in_flight(2).without_max_delay()) });
    let handle = batcher.clone();
    let submitted = other.spawn(async move { handle.submit(0).await });
    other.block_on(async {
        while batcher.stats().accepted == 0 {
            tokio::task::yield_now().await;
        }
        for item in 1..8 {
            batcher.push(item).await.unwrap();
        }
    });
    let drained = batcher.drain();
    drop(runtime);
    let report = other.block_on(drained);
    assert_eq!((report.accepted, report.cancelled, report.completed), (8, 8, 0));
    assert_eq!(other.block_on(submitted).unwrap(), Err(SubmitError::Cancelled));
    assert!(batcher.try_push(9).is_err());
    other.block_on(batcher.flush());
}

#[test]
fn a_runtime_that_goes_away_while_it_is_open_closes_it() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let batcher = runtime.block_on(async {
        let batcher = Watched::shut().spawn(TWO);
        batcher.push(1).await.unwrap();
        batcher
    });
    drop(runtime);
    assert!(batcher.stats().closed);
    assert_eq!(batcher.stats().cancelled, 1);
    assert!(batcher.try_push(2).is_err());
}
