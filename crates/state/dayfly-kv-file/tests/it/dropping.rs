//! Every public future of the crate, dropped at every moment of its life: a write happens as a whole or not at all, and
//! nobody is kept out.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{Precondition, Prefix, PutOptions, Scan, Store, SystemClock, WatchFrom, What};
use dayfly_kv_file::{FileBackend, FileOptions};
use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::time::timeout;

use crate::simulated::Simulated;
use crate::support::{bytes, key, namespace};

const ANY: PutOptions = PutOptions::new();

/// A backend with one thread, on a disk that takes its time: whoever kept that thread would be missed.
fn slow() -> Arc<FileBackend> {
    let options = FileOptions::new().max_threads(1);
    let backend = FileBackend::with(Path::new("/data"), options, Arc::new(SystemClock));
    Arc::new(backend.disk(Arc::new(Simulated::slow())))
}

#[test]
fn every_call_happens_as_a_whole_or_not_at_all_and_keeps_nobody_out() {
    let report = drop_at_every_poll(
        slow,
        |backend| async move {
            let store = backend.open_store(&namespace()).await.unwrap();
            let etag = store.put(&key("a"), bytes("1"), ANY.absent()).await.unwrap();
            store.put(&key("a"), bytes("2"), ANY.matches(etag)).await.unwrap();
            assert!(store.get(&key("a")).await.unwrap().is_some());
            assert!(store.contains(&key("a")).await.unwrap());
            assert_eq!(store.get_many(&[key("b"), key("a")]).await.unwrap().len(), 2);
            assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 1);
            assert_eq!(store.sweep().await.unwrap(), 0);
            assert!(store.delete(&key("a"), Precondition::Present).await.unwrap());
            store.put(&key("a"), bytes("1"), ANY.absent()).await.unwrap();
            assert_eq!(store.clear().await.unwrap(), 1);
        },
        |backend, point| async move {
            let store = backend.open_store(&namespace()).await.unwrap();
            let found = store.get(&key("a")).await.unwrap();
            assert!(found.is_none_or(|entry| [bytes("1"), bytes("2")].contains(&entry.value)));
            assert_eq!(store.scan(&Scan::all()).await.unwrap().corrupt, []);
            // Whatever was under way has ended when the next write of this key has its turn.
            let etag = store.put(&key("a"), bytes("3"), ANY).await.unwrap();
            let found = store.get(&key("a")).await.unwrap();
            // Only a clear takes no turn: it may remove what was put meanwhile.
            assert!(found.is_none() || found.unwrap().etag == etag, "{point:?}");
            assert!(point != DropPoint::Completed || store.contains(&key("a")).await.unwrap());
        },
    );
    assert!(report.polls > 9, "{report:?}");
}

#[test]
fn waiting_for_a_turn_can_be_given_up() {
    drop_at_every_poll(
        || (slow(), Arc::new(tokio::sync::Mutex::new(Vec::new()))),
        |(backend, puts)| async move {
            let store = backend.open_store(&namespace()).await.unwrap();
            // Three who write one key at once, of whom two wait.
            let put = |value: &'static str| {
                let (store, puts) = (Arc::clone(&store), Arc::clone(&puts));
                async move {
                    let etag = store.put(&key("a"), bytes(value), ANY).await.unwrap();
                    puts.lock().await.push(etag);
                }
            };
            tokio::join!(put("1"), put("2"), put("3"));
        },
        |(backend, _), _| async move {
            let store = backend.open_store(&namespace()).await.unwrap();
            let etag = store.put(&key("a"), bytes("4"), ANY).await.unwrap();
            assert_eq!(store.get(&key("a")).await.unwrap().unwrap().etag, etag);
        },
    );
}

/// Whether watching has begun depends on a thread, so this takes the harness' place: each is polled once and dropped.
#[tokio::test]
async fn watching_can_be_given_up_before_it_has_begun_and_between_two_changes() {
    let folder = tempfile::tempdir().unwrap();
    let options = FileOptions::new().max_threads(1);
    let backend = FileBackend::with(folder.path(), options, Arc::new(SystemClock));
    let store = backend.open_store(&namespace()).await.unwrap();
    let all = Prefix::all();
    for _ in 0..100 {
        let begun = timeout(Duration::ZERO, store.watch(&all, WatchFrom::Now)).await;
        drop(begun);
    }
    let mut watch =
        timeout(Duration::from_secs(20), store.watch(&all, WatchFrom::Now)).await.unwrap().unwrap();
    assert!(timeout(Duration::ZERO, watch.next()).await.is_err());
    let etag = store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().what, What::Put { key: key("a"), etag });
}
