//! Batches of one key each.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::SignalSink;
use dayfly_batching::{Batch, BatcherOptions, FlushReason, KeyedBatcher, TryPushError};
use dayfly_testing::settle;
use tokio::sync::Semaphore;

const LONG: BatcherOptions = BatcherOptions::new().without_max_delay();

type Seen = Arc<Mutex<Vec<(u32, Vec<u32>, FlushReason)>>>;

/// Items belong together by their last digit. The handler stays with each batch until it is let out.
fn by_digit(options: BatcherOptions, exits: usize) -> (KeyedBatcher<u32, u32>, Seen, Arc<Semaphore>) {
    let (seen, exits) = (Seen::default(), Arc::new(Semaphore::new(exits)));
    let (out, gate) = (Arc::clone(&seen), Arc::clone(&exits));
    let handler = move |key, batch: Batch<u32>| {
        out.lock().unwrap().push((key, batch.to_vec(), batch.reason()));
        let gate = Arc::clone(&gate);
        async move { gate.acquire().await.unwrap().forget() }
    };
    let batcher = KeyedBatcher::spawn(options, &SignalSink::default(), |item: &u32| item % 10, handler);
    (batcher, seen, exits)
}

fn batches(seen: &Seen) -> Vec<(u32, Vec<u32>)> {
    seen.lock().unwrap().iter().map(|(key, items, _)| (*key, items.clone())).collect()
}

#[tokio::test(start_paused = true)]
async fn each_key_fills_a_batch_of_its_own() {
    let (batcher, seen, _) = by_digit(LONG.max_items(2).max_in_flight(9), 99);
    for item in [1, 2, 12, 11, 3, 21] {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    assert_eq!(batches(&seen), [(2, vec![2, 12]), (1, vec![1, 11])]);
    assert_eq!(batcher.stats().keys, 2);
    assert_eq!(batcher.drain().await.completed, 6);
    assert_eq!(batcher.stats().keys, 0);
}

#[tokio::test(start_paused = true)]
async fn each_key_has_its_own_delay() {
    let (batcher, seen, _) = by_digit(LONG.max_delay(Duration::from_millis(10)).max_in_flight(9), 99);
    batcher.push(1).await.unwrap();
    tokio::time::sleep(Duration::from_millis(6)).await;
    batcher.push(2).await.unwrap();
    batcher.push(11).await.unwrap();
    tokio::time::sleep(Duration::from_millis(6)).await;
    assert_eq!(batches(&seen), [(1, vec![1, 11])]);
    tokio::time::sleep(Duration::from_millis(6)).await;
    assert_eq!(batches(&seen), [(1, vec![1, 11]), (2, vec![2])]);
}

#[tokio::test(start_paused = true)]
async fn a_key_has_one_batch_in_flight_and_others_go_on() {
    let (batcher, seen, exits) = by_digit(LONG.max_items(1).max_in_flight(2), 0);
    for item in [1, 11, 21, 2] {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    assert_eq!(batches(&seen), [(1, vec![1]), (2, vec![2])]);
    exits.add_permits(9);
    batcher.drain().await;
    assert_eq!(batches(&seen)[2..], [(1, vec![11]), (1, vec![21])]);
}

#[tokio::test(start_paused = true)]
async fn a_key_with_a_backlog_takes_turns_with_the_others() {
    let (batcher, seen, exits) = by_digit(LONG.max_items(1).max_in_flight(1), 0);
    for item in [1, 11, 21, 31, 2, 12] {
        batcher.push(item).await.unwrap();
    }
    exits.add_permits(9);
    batcher.drain().await;
    let keys: Vec<u32> = batches(&seen).iter().map(|(key, _)| *key).collect();
    assert_eq!(keys, [1, 2, 1, 2, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn one_key_more_than_may_fill_flushes_the_one_that_began_first() {
    let (batcher, seen, _) = by_digit(LONG.max_keys(2).max_in_flight(9), 99);
    for item in [1, 2, 11, 3] {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    assert_eq!(*seen.lock().unwrap(), [(1, vec![1, 11], FlushReason::Keys)]);
}

#[tokio::test(start_paused = true)]
async fn all_keys_share_one_queue_and_a_full_one_lets_go_of_what_it_can() {
    let (batcher, seen, exits) = by_digit(LONG.queue_capacity(3).max_in_flight(1), 0);
    for item in [1, 2, 3] {
        batcher.push(item).await.unwrap();
    }
    assert!(matches!(batcher.try_push(4), Err(TryPushError::Full(4))));
    settle().await;
    // The first has gone to the handler for it.
    batcher.push(4).await.unwrap();
    assert_eq!(batches(&seen), [(1, vec![1])]);
    exits.add_permits(9);
    assert_eq!(batcher.drain().await.completed, 4);
}

#[tokio::test(start_paused = true)]
async fn twenty_thousand_keys_leave_nothing_behind() {
    let options = LONG.max_items(4).max_keys(100).queue_capacity(1_000).max_in_flight(4);
    let counts = Arc::new(Mutex::new(BTreeMap::<usize, usize>::new()));
    let out = Arc::clone(&counts);
    let handler = move |_: u32, batch: Batch<u32>| {
        *out.lock().unwrap().entry(batch.len()).or_default() += 1;
        async {}
    };
    let batcher = KeyedBatcher::spawn(options, &SignalSink::default(), |item: &u32| *item, handler);
    for item in 0..20_000 {
        batcher.push(item).await.unwrap();
        assert!(batcher.stats().keys <= 1_004);
    }
    assert_eq!(batcher.drain().await.completed, 20_000);
    assert_eq!(batcher.stats().keys, 0);
    assert_eq!(counts.lock().unwrap().keys().copied().collect::<Vec<_>>(), [1]);
}

#[tokio::test(start_paused = true)]
async fn a_weak_handle_leads_back() {
    let (batcher, _, _) = by_digit(LONG, 9);
    let weak = batcher.downgrade();
    weak.clone().upgrade().unwrap().push(1).await.unwrap();
    assert_eq!(batcher.clone().stats().accepted, 1);
    drop(batcher);
    assert!(weak.upgrade().is_none());
}
