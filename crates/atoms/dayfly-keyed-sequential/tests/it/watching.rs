//! Parked keys can be watched: by a wait, and by a signal.

use dayfly::{CoordinatorOptions, SignalSink};
use dayfly_keyed_sequential::{KeyedSequential, SequentialOptions};
use dayfly_testing::settle;

use crate::support::{World, spawn};

#[tokio::test(start_paused = true)]
async fn a_watch_tells_of_what_is_parked_already_and_of_every_change_after() {
    let world = World::breaking(&[(1, 0), (2, 0)]);
    let work = spawn(CoordinatorOptions::new(), &SignalSink::default(), &world);
    let mut early = work.watch_parked();
    work.enqueue((1, 0)).await.unwrap();
    assert_eq!(early.changed().await.unwrap()[0].key, 1);
    let mut late = work.watch_parked();
    assert_eq!(late.changed().await.unwrap().len(), 1);
    work.enqueue((2, 0)).await.unwrap();
    let keys: Vec<u32> = late.changed().await.unwrap().iter().map(|parked| parked.key).collect();
    assert_eq!(keys, [1, 2], "those first that are parked for longest");
    assert!(work.skip(&1).is_some());
    assert_eq!(late.changed().await.unwrap().len(), 1);
    let mut third = late.clone();
    assert_eq!(work.discard(&2).len(), 1);
    assert!(late.changed().await.unwrap().is_empty());
    assert!(third.changed().await.unwrap().is_empty());
    work.drain().await;
    drop(work);
    settle().await;
    assert!(late.changed().await.is_none(), "there is nothing left to be told of");
}

#[tokio::test(start_paused = true)]
async fn the_signal_of_a_parked_key_stays_raised_as_long_as_the_key_is_parked() {
    let signals = SignalSink::default();
    let world = World::breaking(&[(1, 0), (2, 0)]);
    let options = SequentialOptions::new().parked_signal("order.parked");
    let attempts = world.clone();
    let work = KeyedSequential::spawn(
        options,
        &signals,
        |item: &(u32, u32)| item.0,
        move |item: std::sync::Arc<(u32, u32)>, _| {
            let attempted = attempts.attempt(*item);
            async move { attempted }
        },
    );
    work.enqueue((1, 0)).await.unwrap();
    work.enqueue((2, 0)).await.unwrap();
    signals.raised("order.parked").await;
    settle().await;
    // No age ends it.
    tokio::time::sleep(std::time::Duration::from_secs(365 * 24 * 3_600)).await;
    let keys = |signals: &SignalSink| {
        let raised = signals.state("order.parked");
        let mut keys: Vec<String> = raised.iter().map(|raised| raised.key().unwrap().to_owned()).collect();
        keys.sort();
        keys
    };
    assert_eq!(keys(&signals), ["1", "2"]);
    work.skip(&1);
    assert_eq!(keys(&signals), ["2"]);
    // Again and again, it is one.
    for _ in 0..3 {
        work.retry(&2);
        settle().await;
        assert_eq!(keys(&signals), ["2"]);
    }
    work.cancel().await;
    assert!(keys(&signals).is_empty());
}
