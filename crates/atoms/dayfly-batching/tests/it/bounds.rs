//! What may wait, and what may run.

use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Batch, Batcher, BatcherOptions, FlushReason, PushError, TryPushError};
use dayfly_testing::settle;

use crate::support::Watched;

const LONG: BatcherOptions = BatcherOptions::new().without_max_delay();

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_with_the_item_and_a_push_waits_for_room() {
    let watched = Watched::shut();
    let batcher = watched.spawn(LONG.max_items(2).queue_capacity(4));
    for item in 0..6 {
        batcher.push(item).await.unwrap();
        settle().await;
    }
    // Two are with the handler, four wait.
    assert!(matches!(batcher.try_push(6), Err(TryPushError::Full(6))));
    let waiting = tokio::join!(batcher.push(6), async {
        settle().await;
        watched.let_out(1);
        settle().await;
        // Whoever stood in line was first.
        batcher.push(7).await
    });
    waiting.0.unwrap();
    waiting.1.unwrap();
    watched.let_out(10);
    assert_eq!(batcher.drain().await.completed, 8);
    assert_eq!(watched.items(), [[0, 1], [2, 3], [4, 5], [6, 7]]);
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_smaller_than_a_batch_flushes_when_it_is_full() {
    let watched = Watched::open();
    let batcher = watched.spawn(LONG.max_items(100).queue_capacity(3));
    for item in 0..9 {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    assert_eq!(watched.items(), [[0, 1, 2], [3, 4, 5]]);
    assert_eq!(watched.reasons(), [FlushReason::Room; 2]);
    assert!(matches!(batcher.try_push(9), Err(TryPushError::Full(9))));
    settle().await;
    batcher.try_push(9).unwrap();
}

#[tokio::test(start_paused = true)]
async fn the_queue_holds_two_batches_unless_it_is_told_otherwise() {
    let watched = Watched::shut();
    let batcher = watched.spawn(LONG.max_items(2_000));
    for item in 0..4_000 {
        batcher.try_push(item).unwrap();
    }
    assert!(batcher.try_push(0).is_err());
    watched.let_out(9);
    assert_eq!(batcher.drain().await.flushed_batches, 2);
}

#[tokio::test(start_paused = true)]
async fn slow_batches_overlap_as_far_as_they_may_and_the_next_ones_fill_meanwhile() {
    for most in [1, 3] {
        let watched = Watched::shut();
        let batcher = watched.spawn(LONG.max_items(2).max_in_flight(most));
        for item in 0..11 {
            batcher.push(item).await.unwrap();
        }
        settle().await;
        assert_eq!((watched.items().len(), batcher.stats().in_flight), (most, most));
        watched.let_out(1);
        settle().await;
        assert_eq!((watched.items().len(), batcher.stats().in_flight), (most + 1, most));
        watched.let_out(10);
        batcher.drain().await;
        let items: Vec<u32> = watched.items().concat();
        assert_eq!(items, (0..11).collect::<Vec<_>>());
    }
}

#[tokio::test(start_paused = true)]
async fn producers_in_line_get_their_items_back_when_it_closes() {
    let watched = Watched::shut();
    let batcher = watched.spawn(LONG.max_items(1).queue_capacity(1));
    for item in 0..2 {
        batcher.push(item).await.unwrap();
        settle().await;
    }
    let line = (0..1_000).map(|item| batcher.push(item));
    let close = async {
        settle().await;
        batcher.close();
    };
    let (refused, ()) = tokio::join!(futures_util::future::join_all(line), close);
    for (item, refused) in (0..).zip(refused) {
        assert!(matches!(refused, Err(PushError::Closed(own)) if own == item));
    }
    watched.let_out(2);
    assert_eq!(batcher.drain().await.completed, 2);
}

#[tokio::test(start_paused = true)]
async fn thousands_of_producers_in_line_go_in_one_after_the_other() {
    let watched = Watched::open();
    let batcher = watched.spawn(LONG.max_items(7).queue_capacity(5));
    let pushes = (0..5_000).map(|item| batcher.push(item));
    futures_util::future::try_join_all(pushes).await.unwrap();
    assert_eq!(batcher.drain().await.completed, 5_000);
    assert!(watched.items().concat().is_sorted());
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_closes_and_what_was_accepted_is_handled() {
    let (out, mut handled) = tokio::sync::mpsc::channel(8);
    let batcher = Batcher::spawn(LONG, &SignalSink::default(), move |batch: Batch<u32>| {
        let out = out.clone();
        async move { out.send(batch.len()).await.unwrap() }
    });
    let (other, weak) = (batcher.clone(), batcher.downgrade());
    batcher.push(1).await.unwrap();
    drop(batcher);
    weak.upgrade().unwrap().try_push(2).unwrap();
    drop(other);
    assert!(weak.upgrade().is_none());
    assert_eq!(handled.recv().await, Some(2));
    // With the last batch the handler goes, and with it everything.
    assert_eq!(handled.recv().await, None);
}

#[tokio::test(start_paused = true)]
async fn workers_are_no_more_than_there_is_work_for() {
    let watched = Watched::open();
    let batcher = watched.spawn(LONG.max_items(1).max_in_flight(usize::MAX));
    for _ in 0..10 {
        batcher.push(1).await.unwrap();
        batcher.flush().await;
    }
    let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    assert!(tasks <= 3, "{tasks} tasks for one batch after the other");
    batcher.drain().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(tokio::runtime::Handle::current().metrics().num_alive_tasks(), 0);
}
