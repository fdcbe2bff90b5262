//! When a batch is flushed.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{BatchRules, Batcher, BatcherOptions, FlushReason, PushError, TryPushError};
use dayfly_testing::settle;
use tokio::time::{Instant, advance, sleep};

use crate::support::Watched;

const LONG: BatcherOptions = BatcherOptions::new().without_max_delay();

#[tokio::test(start_paused = true)]
async fn a_full_batch_leaves_at_once() {
    let watched = Watched::open();
    let batcher = watched.spawn(LONG.max_items(3));
    for item in 0..7 {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    assert_eq!(watched.items(), [vec![0, 1, 2], vec![3, 4, 5]]);
    assert_eq!(watched.reasons(), [FlushReason::Items; 2]);
    assert_eq!(batcher.stats().queued, 1);
}

#[tokio::test(start_paused = true)]
async fn one_item_leaves_when_the_delay_has_passed_since_it_came() {
    let watched = Watched::open();
    let batcher = watched.spawn(BatcherOptions::new().max_delay(Duration::from_millis(20)));
    for round in 1..=3_usize {
        let start = Instant::now();
        batcher.push(1).await.unwrap();
        advance(Duration::from_millis(10)).await;
        batcher.push(2).await.unwrap();
        settle().await;
        advance(Duration::from_millis(9)).await;
        settle().await;
        assert_eq!(watched.items().len(), round - 1);
        batcher.flush_seen(&watched, round).await;
        assert_eq!(start.elapsed(), Duration::from_millis(20));
        // A time of rest in between leaves no timer that would cut the next batch short.
        sleep(Duration::from_millis(7)).await;
    }
    assert_eq!(watched.reasons(), [FlushReason::Delay; 3]);
}

/// Waits until the handler has seen so many batches, without asking for one.
trait Seen {
    async fn flush_seen(&self, watched: &Watched, batches: usize);
}

impl Seen for Batcher<u32> {
    async fn flush_seen(&self, watched: &Watched, batches: usize) {
        while watched.items().len() < batches {
            advance(Duration::from_millis(1)).await;
            settle().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn the_delay_counts_from_the_first_item_of_each_batch() {
    let watched = Watched::open();
    let batcher = watched.spawn(BatcherOptions::new().max_items(2).max_delay(Duration::from_millis(20)));
    batcher.push(1).await.unwrap();
    sleep(Duration::from_millis(15)).await;
    batcher.push(2).await.unwrap();
    batcher.push(3).await.unwrap();
    sleep(Duration::from_millis(15)).await;
    // The timer of the first batch has come and found the third item too young.
    assert_eq!(watched.items(), [vec![1, 2]]);
    sleep(Duration::from_millis(6)).await;
    assert_eq!(watched.items(), [vec![1, 2], vec![3]]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_never_weighs_more_than_it_may_and_what_cannot_go_is_refused() {
    let watched = Watched::open();
    let batcher = Batcher::spawn_with(
        LONG.max_weight(10),
        &SignalSink::default(),
        BatchRules::new().weight(|item: &u32| u64::from(*item)),
        {
            let watched = watched.clone();
            move |batch| watched.clone().handle(batch)
        },
    );
    assert!(matches!(batcher.push(11).await, Err(PushError::TooHeavy(11))));
    assert!(matches!(batcher.try_push(11), Err(TryPushError::TooHeavy(11))));
    assert_eq!(batcher.submit(11).await.unwrap_err().into_item(), Some(11));
    for item in [4, 5, 3, 7, 10, 1] {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    // 4 + 5, then 3 + 7 which is exactly the limit, then 10.
    assert_eq!(watched.items(), [vec![4, 5], vec![3, 7], vec![10]]);
    assert_eq!(watched.reasons(), [FlushReason::Weight; 3]);
    assert_eq!(batcher.drain().await.accepted, 6);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_ends_its_batch_is_the_last_of_it() {
    let watched = Watched::open();
    let handler = watched.clone();
    let rules = BatchRules::new().boundary(|item: &u32| item.is_multiple_of(10));
    let batcher =
        Batcher::spawn_with(LONG, &SignalSink::default(), rules, move |batch| handler.clone().handle(batch));
    for item in [1, 2, 10, 20, 3] {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    assert_eq!(watched.items(), [vec![1, 2, 10], vec![20]]);
    assert_eq!(watched.reasons(), [FlushReason::Boundary; 2]);
}

#[tokio::test(start_paused = true)]
async fn a_flush_acts_when_called_and_returns_when_what_was_in_is_handled() {
    let watched = Watched::shut();
    let batcher = watched.spawn(LONG.max_items(2));
    for item in 0..5 {
        batcher.push(item).await.unwrap();
    }
    let flushed = batcher.flush();
    batcher.push(5).await.unwrap();
    let mut flushed = std::pin::pin!(flushed);
    for _ in 0..3 {
        settle().await;
        assert!(futures_util::poll!(&mut flushed).is_pending());
        watched.let_out(1);
    }
    flushed.await;
    assert_eq!(watched.items(), [vec![0, 1], vec![2, 3], vec![4]]);
    assert_eq!(batcher.stats().queued, 1);
}

#[tokio::test(start_paused = true)]
async fn a_flush_of_nothing_returns_at_once() {
    let batcher = Watched::open().spawn(LONG);
    batcher.flush().await;
    batcher.push(1).await.unwrap();
    drop(batcher.flush());
    batcher.flush().await;
    assert_eq!(batcher.stats().completed, 1);
    batcher.drain().await;
    batcher.flush().await;
}

#[tokio::test(start_paused = true)]
async fn a_flush_does_not_wait_for_what_came_later_and_is_handled_earlier_or_later() {
    let watched = Watched::shut();
    let batcher = watched.spawn(LONG.max_in_flight(2).max_items(10));
    batcher.push(0).await.unwrap();
    let first = batcher.flush();
    batcher.push(1).await.unwrap();
    let second = batcher.flush();
    batcher.push(2).await.unwrap();
    drop(batcher.flush());
    settle().await;
    watched.let_out(2);
    futures_util::join!(first, second);
    assert_eq!(batcher.stats().completed, 2);
    watched.let_out(1);
    assert_eq!(batcher.drain().await.completed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_close_flushes_what_was_left() {
    let watched = Watched::open();
    let batcher = watched.spawn(LONG);
    batcher.push(1).await.unwrap();
    batcher.close();
    batcher.close();
    assert!(matches!(batcher.push(2).await, Err(PushError::Closed(2))));
    assert!(matches!(batcher.try_push(2), Err(TryPushError::Closed(2))));
    assert_eq!(batcher.submit(2).await.unwrap_err().into_item(), Some(2));
    assert_eq!(batcher.drain().await.completed, 1);
    assert_eq!(watched.reasons(), [FlushReason::Close]);
}

#[tokio::test(start_paused = true)]
async fn without_delay_an_item_leaves_alone_when_a_slot_is_free_and_in_company_when_none_is() {
    let watched = Watched::shut();
    let batcher = watched.spawn(BatcherOptions::new().max_delay(Duration::ZERO).max_items(3));
    batcher.push(0).await.unwrap();
    settle().await;
    for item in 1..6 {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    assert_eq!(watched.items(), [vec![0]]);
    watched.let_out(3);
    settle().await;
    assert_eq!(watched.items(), [vec![0], vec![1, 2, 3], vec![4, 5]]);
}

#[tokio::test(start_paused = true)]
async fn a_batch_whose_time_has_come_goes_on_filling_until_a_slot_is_free() {
    let watched = Watched::shut();
    let batcher = watched.spawn(BatcherOptions::new().max_delay(Duration::from_millis(5)));
    batcher.push(0).await.unwrap();
    sleep(Duration::from_millis(10)).await;
    batcher.push(1).await.unwrap();
    sleep(Duration::from_millis(10)).await;
    batcher.push(2).await.unwrap();
    watched.let_out(2);
    settle().await;
    assert_eq!(watched.items(), [vec![0], vec![1, 2]]);
}

#[tokio::test(start_paused = true)]
async fn an_endless_delay_is_no_overflow() {
    let watched = Watched::open();
    let batcher = watched.spawn(BatcherOptions::new().max_delay(Duration::MAX).cancel_grace(Duration::MAX));
    batcher.push(1).await.unwrap();
    sleep(Duration::from_secs(1_000_000)).await;
    assert_eq!(watched.items().len(), 0);
    assert_eq!(batcher.cancel().await.cancelled, 1);
}

#[test]
fn while_no_batch_fills_there_is_no_timer() {
    let (parked, parks) = std::sync::mpsc::sync_channel(1_000);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .on_thread_park(move || {
            let _ = parked.try_send(());
        })
        .build()
        .unwrap();
    let (out, woken) = tokio::sync::oneshot::channel();
    // Wakes the runtime once it sleeps for good: a paused clock jumps to the next timer as long as there is one.
    let sleeper = std::thread::spawn(move || {
        let jumps = (0..1_000).take_while(|_| parks.recv_timeout(Duration::from_millis(100)).is_ok());
        let _ = (jumps.count(), out.send(()));
    });
    runtime.block_on(async {
        let batcher = Watched::open().spawn(BatcherOptions::new());
        batcher.push(1).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        assert_eq!(batcher.stats().completed, 1);
        let idle_since = Instant::now();
        woken.await.unwrap();
        assert_eq!(idle_since.elapsed(), Duration::ZERO, "nothing but a timer moves a paused clock");
    });
    sleeper.join().unwrap();
}
