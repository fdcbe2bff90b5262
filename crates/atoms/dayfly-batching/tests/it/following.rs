//! Options that are followed live.

use std::time::Duration;

use dayfly::{Reconfigure, SignalSink};
use dayfly_batching::{BatchRules, Batcher, BatcherOptions};
use dayfly_testing::settle;
use tokio::time::sleep;

use crate::support::Watched;

const LONG: BatcherOptions = BatcherOptions::new().without_max_delay();

#[tokio::test(start_paused = true)]
async fn fewer_items_hold_for_what_has_been_put_together_too() {
    let watched = Watched::shut();
    let batcher = watched.spawn(LONG.max_items(7));
    for item in 0..20 {
        batcher.push(item).await.unwrap();
    }
    settle().await;
    // The first seven are with the handler.
    batcher.reconfigure(&LONG.max_items(3)).unwrap();
    watched.let_out(99);
    batcher.drain().await;
    let sizes: Vec<usize> = watched.items().iter().map(Vec::len).collect();
    assert_eq!(sizes, [7, 3, 3, 1, 3, 3]);
    assert_eq!(watched.items().concat(), (0..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn less_weight_holds_for_what_has_been_put_together_too() {
    let watched = Watched::shut();
    let rules = BatchRules::new().weight(|item: &u32| u64::from(*item));
    let handler = watched.clone();
    let batcher =
        Batcher::spawn_with(LONG, &SignalSink::default(), rules, move |batch| handler.clone().handle(batch));
    for item in [3, 3, 9, 1, 2] {
        batcher.push(item).await.unwrap();
    }
    batcher.reconfigure(&LONG.max_weight(6)).unwrap();
    watched.let_out(99);
    batcher.drain().await;
    // What is too heavy by itself was accepted, and goes alone.
    assert_eq!(watched.items(), [vec![3, 3], vec![9], vec![1, 2]]);
}

#[tokio::test(start_paused = true)]
async fn a_new_delay_holds_for_the_batch_that_fills() {
    let watched = Watched::open();
    let batcher = watched.spawn(LONG);
    batcher.push(1).await.unwrap();
    sleep(Duration::from_secs(1)).await;
    batcher.reconfigure(&LONG.max_delay(Duration::from_secs(3))).unwrap();
    sleep(Duration::from_millis(1_990)).await;
    assert!(watched.items().is_empty());
    sleep(Duration::from_millis(20)).await;
    assert_eq!(watched.items(), [[1]]);
    batcher.push(2).await.unwrap();
    batcher.reconfigure(&LONG.max_delay(Duration::ZERO)).unwrap();
    settle().await;
    assert_eq!(watched.items().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn slots_and_room_follow_in_both_directions() {
    let watched = Watched::shut();
    let options = LONG.max_items(1).queue_capacity(2);
    let batcher = watched.spawn(options.clone());
    for item in 0..3 {
        batcher.push(item).await.unwrap();
        settle().await;
    }
    let more = options.clone().max_in_flight(3).queue_capacity(4);
    assert_eq!(batcher.check(&more), Ok(()));
    let mut push = Box::pin(batcher.push(3));
    assert!(futures_util::poll!(&mut push).is_pending());
    batcher.reconfigure(&more).unwrap();
    push.await.unwrap();
    settle().await;
    assert_eq!(batcher.stats().in_flight, 3);
    batcher.reconfigure(&options).unwrap();
    for item in 4..6 {
        batcher.try_push(item).unwrap_or_default();
    }
    watched.let_out(1);
    settle().await;
    // Two still run; nobody starts before fewer than one do.
    assert_eq!(batcher.stats().in_flight, 2);
    watched.let_out(99);
    let report = batcher.drain().await;
    assert_eq!(report.completed, report.accepted);
}
