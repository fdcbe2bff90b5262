//! Writers share a transaction and a sync, and are answered when that is done.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{Key, Precondition, Prefix, PutError, PutOptions, Scan, Store, WatchFrom};
use dayfly_kv_redb::{RedbOptions, RedbStore};
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::disk::Disk;
use crate::support::{bytes, key, orders};

const ANY: PutOptions = PutOptions::new();

async fn held(options: &RedbOptions) -> (Disk, Arc<RedbStore>) {
    let disk = Disk::default();
    let store = Arc::new(disk.open(options).await.unwrap().store(&orders()).await.unwrap());
    (disk, store)
}

/// Starts a write and waits until its sync waits.
async fn first_write_waits(disk: &Disk, store: &Arc<RedbStore>) -> tokio::task::JoinHandle<()> {
    disk.hold();
    let writer = Arc::clone(store);
    let handle = tokio::runtime::Handle::current();
    let first = handle.spawn(async move {
        writer.put(&key("first"), bytes("1"), ANY).await.unwrap();
    });
    let disk = disk.clone();
    handle.spawn_blocking(move || disk.wait_for_a_sync()).await.unwrap();
    first
}

#[tokio::test]
async fn whoever_comes_while_a_sync_is_under_way_shares_the_next_one() {
    let (disk, store) = held(&RedbOptions::new()).await;
    let before = disk.syncs();
    let first = first_write_waits(&disk, &store).await;
    let mut writers = JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(&store);
        writers
            .spawn(async move { store.put(&key(&format!("{number:02}")), bytes("1"), ANY).await.unwrap() });
    }
    // Each has to get into the queue before the first sync ends.
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    disk.release();
    first.await.unwrap();
    assert_eq!(writers.join_all().await.len(), 64);
    assert_eq!(disk.syncs() - before, 2, "65 writes");
    assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 65);
}

#[tokio::test]
async fn nobody_is_answered_and_nobody_is_told_before_the_sync() {
    let (disk, store) = held(&RedbOptions::new()).await;
    let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
    let mut first = first_write_waits(&disk, &store).await;
    // The sync cannot end; an answer or a change would come at once.
    let early = timeout(Duration::from_millis(50), &mut first).await;
    assert!(early.is_err(), "answered before the sync");
    let told = timeout(Duration::from_millis(50), watch.next()).await;
    assert!(told.is_err(), "told before the sync");
    assert_eq!(store.get(&key("first")).await.unwrap(), None, "read before the sync");
    disk.release();
    first.await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().key(), Some(&key("first")));
    assert!(store.contains(&key("first")).await.unwrap());
}

#[tokio::test]
async fn reads_and_scans_do_not_wait_for_a_sync() {
    let (disk, store) = held(&RedbOptions::new()).await;
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    let first = first_write_waits(&disk, &store).await;
    let reads = async {
        assert!(store.contains(&key("a")).await.unwrap());
        assert_eq!(store.get_many(&[key("b"), key("a")]).await.unwrap().iter().flatten().count(), 1);
        assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 1);
    };
    timeout(Duration::from_secs(20), reads).await.unwrap();
    assert!(!first.is_finished());
    disk.release();
    first.await.unwrap();
}

#[tokio::test]
async fn preconditions_of_a_group_are_checked_in_the_order_of_arrival() {
    let (disk, store) = held(&RedbOptions::new()).await;
    let first = first_write_waits(&disk, &store).await;
    let a = &key("a");
    let (one, two, three, four, five) = tokio::join!(
        biased;
        store.put(a, bytes("1"), ANY.absent()),
        store.put(a, bytes("2"), ANY.absent()),
        store.delete(a, Precondition::Present),
        store.put(a, bytes("4"), ANY.absent()),
        async {
            disk.release();
            store.put(&key("b"), bytes("5"), ANY).await
        },
    );
    first.await.unwrap();
    let etag = one.unwrap();
    assert!(matches!(two, Err(PutError::Conflict(conflict)) if conflict.current == Some(etag)), "the second");
    assert!(three.unwrap(), "the third");
    let four = four.unwrap();
    five.unwrap();
    let found = store.get(a).await.unwrap().unwrap();
    assert_eq!((found.value, found.etag), (bytes("4"), four));
}

#[tokio::test]
async fn a_precondition_that_does_not_hold_fails_its_own_write_and_no_other() {
    let (disk, store) = held(&RedbOptions::new()).await;
    store.put(&key("taken"), bytes("1"), ANY).await.unwrap();
    let before = disk.syncs();
    let first = first_write_waits(&disk, &store).await;
    let mut writers = JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            if number % 2 == 0 {
                store.put(&key(&format!("{number:02}")), bytes("1"), ANY.absent()).await.is_ok()
            } else {
                store.put(&key("taken"), bytes("2"), ANY.absent()).await.is_ok()
            }
        });
    }
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    disk.release();
    first.await.unwrap();
    let succeeded = writers.join_all().await.into_iter().filter(|succeeded| *succeeded).count();
    assert_eq!(succeeded, 32);
    assert_eq!(disk.syncs() - before, 2, "they shared one transaction");
    assert_eq!(store.get(&key("taken")).await.unwrap().unwrap().value, bytes("1"));
    assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 34);
}

#[tokio::test]
async fn a_commit_that_fails_is_told_to_each_of_its_group() {
    let (disk, store) = held(&RedbOptions::new()).await;
    store.put(&key("taken"), bytes("1"), ANY).await.unwrap();
    let first = first_write_waits(&disk, &store).await;
    let mut writers = JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            if number == 7 {
                store.put(&key("taken"), bytes("2"), ANY.absent()).await
            } else {
                store.put(&key(&format!("{number:02}")), bytes("1"), ANY).await
            }
        });
    }
    for _ in 0..3 {
        tokio::task::yield_now().await;
    }
    // The one that is held has begun, so the next one fails, which is that of all others.
    disk.fail_next_sync();
    disk.release();
    first.await.unwrap();
    let ended = timeout(Duration::from_secs(20), writers.join_all()).await.expect("somebody is told nothing");
    let unknown = ended.iter().filter(|put| matches!(put, Err(PutError::Unknown(_)))).count();
    let undone = ended.iter().filter(|put| matches!(put, Err(PutError::Unavailable(_)))).count();
    assert_eq!((ended.len(), unknown, undone), (64, 63, 1), "{ended:?}");
}

#[tokio::test]
async fn a_full_queue_makes_writers_wait_and_loses_none() {
    let (disk, store) = held(&RedbOptions::new().queue_capacity(2)).await;
    let before = disk.syncs();
    let first = first_write_waits(&disk, &store).await;
    let mut writers = JoinSet::new();
    for number in 0..200 {
        let store = Arc::clone(&store);
        let key = Key::new(format!("{number}")).unwrap();
        writers.spawn(async move { store.put(&key, bytes("1"), ANY).await.unwrap() });
    }
    tokio::task::yield_now().await;
    disk.release();
    first.await.unwrap();
    let written = timeout(Duration::from_secs(20), writers.join_all()).await;
    assert_eq!(written.unwrap().len(), 200);
    // What has no room is in no transaction: if they had not waited, they would all have shared one.
    assert!(disk.syncs() - before > 200 / 2, "{} syncs", disk.syncs() - before);
    assert_eq!(store.clear().await.unwrap(), 201);
}

#[tokio::test]
async fn a_write_whose_future_is_dropped_in_the_queue_lands_or_not_and_holds_nobody_up() {
    let (disk, store) = held(&RedbOptions::new()).await;
    let first = first_write_waits(&disk, &store).await;
    let dropped = timeout(Duration::ZERO, store.put(&key("dropped"), bytes("1"), ANY)).await;
    assert!(dropped.is_err());
    disk.release();
    first.await.unwrap();
    store.put(&key("next"), bytes("1"), ANY).await.unwrap();
    // It was in the queue before the next one, which has been written.
    assert!(store.contains(&key("dropped")).await.unwrap());
}

#[tokio::test]
async fn a_write_whose_future_is_dropped_before_it_got_into_the_queue_never_happens() {
    let (disk, store) = held(&RedbOptions::new().queue_capacity(1)).await;
    let first = first_write_waits(&disk, &store).await;
    let (queued, dropped) = (key("queued"), key("dropped"));
    let mut in_the_queue = store.put(&queued, bytes("1"), ANY);
    assert!(futures_now(&mut in_the_queue).is_none());
    // There is no room for a second one.
    assert!(timeout(Duration::ZERO, store.put(&dropped, bytes("1"), ANY)).await.is_err());
    disk.release();
    first.await.unwrap();
    in_the_queue.await.unwrap();
    store.put(&key("next"), bytes("1"), ANY).await.unwrap();
    assert!(store.contains(&queued).await.unwrap());
    assert!(!store.contains(&dropped).await.unwrap());
}

/// What a future has when it is polled once.
fn futures_now<T>(future: &mut (impl Future<Output = T> + Unpin)) -> Option<T> {
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    match std::pin::Pin::new(future).poll(&mut context) {
        std::task::Poll::Ready(value) => Some(value),
        std::task::Poll::Pending => None,
    }
}

#[tokio::test]
async fn a_group_of_refusals_costs_no_sync() {
    let (disk, store) = held(&RedbOptions::new()).await;
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    let before = disk.syncs();
    assert!(store.put(&key("a"), bytes("2"), ANY.absent()).await.is_err());
    assert!(!store.delete(&key("b"), Precondition::Any).await.unwrap());
    assert_eq!(store.sweep().await.unwrap(), 0);
    assert_eq!(disk.syncs(), before);
}

#[tokio::test]
async fn with_sync_within_writes_are_answered_before_and_synced_on_demand_and_in_time() {
    let (disk, store) = held(&RedbOptions::new().sync_within(Duration::from_secs(3_600))).await;
    let backend = disk.clone();
    let before = backend.syncs();
    for number in 0..10 {
        store.put(&key(&format!("{number}")), bytes("1"), ANY).await.unwrap();
    }
    assert_eq!(disk.syncs(), before, "ten writes");

    let disk = Disk::default();
    let backend = disk.open(&RedbOptions::new().sync_within(Duration::from_millis(1))).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    backend.sync().await.unwrap();
    disk.hold();
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    // Nobody asks for it: the writer itself comes to sync.
    let waiting = disk.clone();
    tokio::task::spawn_blocking(move || waiting.wait_for_a_sync()).await.unwrap();
    disk.release();
}
