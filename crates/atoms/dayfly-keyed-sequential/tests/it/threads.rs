//! Several who tend parked keys at once, on several threads, while work comes in.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use dayfly::{CoordinatorOptions, SignalSink};
use dayfly_keyed_sequential::KeyedSequential;
use tokio::task::JoinHandle;

use crate::support::{Item, World, options, spawn};

const KEYS: u32 = 8;
const ITEMS: u32 = 400;

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Done,
    HandedBack,
    GivenUp,
}

type Fates = Arc<Mutex<HashMap<Item, Vec<Fate>>>>;

/// Retries, skips, discards and kills whatever is parked, until nothing can be parked any more.
async fn tend(work: KeyedSequential<u32, Item>, fates: Fates, mut turn: u32) {
    let mut watch = work.watch_parked();
    while let Some(parked) = watch.changed().await {
        for parked in parked {
            turn = turn.wrapping_add(1);
            let back = match turn % 8 {
                0 => work.skip(&parked.key).into_iter().collect(),
                1 => work.discard(&parked.key),
                2 => {
                    work.kill(parked.id);
                    Vec::new()
                }
                _ => {
                    work.retry(&parked.key);
                    Vec::new()
                }
            };
            let mut fates = fates.lock().unwrap();
            for item in back {
                fates.entry(*item).or_default().push(Fate::HandedBack);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn each_item_has_one_end_and_each_key_its_order_whoever_tends_it() {
    let fates = Fates::default();
    let order: Arc<Mutex<HashMap<u32, Vec<u32>>>> = Arc::default();
    let tries = Arc::new(AtomicU32::new(0));
    let (done, log, count) = (fates.clone(), order.clone(), tries.clone());
    let work = KeyedSequential::spawn(
        options(CoordinatorOptions::new().max_concurrency(6).queue_capacity(4_000).max_queued_per_key(8)),
        &SignalSink::default(),
        |item: &Item| item.0,
        move |item: Arc<Item>, _| {
            let (done, log, count) = (done.clone(), log.clone(), count.clone());
            async move {
                log.lock().unwrap().entry(item.0).or_default().push(item.1);
                if item.1.is_multiple_of(4) {
                    tokio::task::yield_now().await;
                }
                if count.fetch_add(1, Ordering::SeqCst).is_multiple_of(3) {
                    return Err("now and then");
                }
                done.lock().unwrap().entry(*item).or_default().push(Fate::Done);
                Ok(())
            }
        },
    );
    let runtime = tokio::runtime::Handle::current();
    let tending: Vec<_> =
        (0..3).map(|turn| runtime.spawn(tend(work.clone(), fates.clone(), turn * 3))).collect();
    for number in 0..ITEMS {
        for key in 0..KEYS {
            work.enqueue((key, number)).await.unwrap();
        }
    }
    let report = work.drain().await;
    // It waits for a change that does not come.
    tending.iter().for_each(JoinHandle::abort);
    for tending in tending {
        assert!(tending.await.unwrap_err().is_cancelled());
    }
    for lost in &report.given_up {
        fates.lock().unwrap().entry(*lost.item).or_default().push(Fate::GivenUp);
    }
    let fates = fates.lock().unwrap();
    assert_eq!(fates.len(), (ITEMS * KEYS) as usize, "none is lost");
    let doubled: Vec<_> = fates.iter().filter(|(_, fates)| fates.len() != 1).collect();
    assert!(doubled.is_empty() && report.forgotten == 0, "{doubled:?}");
    for numbers in order.lock().unwrap().values() {
        assert!(numbers.is_sorted(), "an item started before one that came before it had ended");
    }
    let figures = report.figures;
    assert_eq!(figures.completed + figures.failed + figures.cancelled, figures.accepted);
    assert!(figures.failed > 0 && figures.cancelled > 0 && figures.completed > 0);
    assert_eq!(work.parked_count(), 0);
    assert!(!work.signals().is_raised("key.parked"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_behind_a_failed_item_starts_while_its_line_is_discarded() {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(CoordinatorOptions::new(), &SignalSink::default(), &world);
    for _ in 0..200 {
        let mut watch = work.watch_parked();
        for number in 0..4 {
            work.enqueue((1, number)).await.unwrap();
        }
        while work.parked_count() == 0 {
            watch.changed().await.unwrap();
        }
        assert_eq!(work.discard(&1).len(), 4);
    }
    assert_eq!(work.drain().await.figures.completed, 0);
}
