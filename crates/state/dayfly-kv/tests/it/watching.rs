//! Being told of changes by the store in memory.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{
    Change, Cursor, MemoryOptions, MemoryStore, Precondition, Prefix, PutOptions, SystemClock, Watch,
    WatchFrom, What,
};
use dayfly_testing::settle;
use tokio::time::timeout;

use crate::support::{bytes, key, memory, namespace, on_a_manual_clock};

const ANY: PutOptions = PutOptions::new();

/// The next change, which comes without the clock being moved.
async fn next(watch: &mut Watch) -> Change {
    timeout(Duration::from_secs(60), watch.next()).await.expect("nothing is told").unwrap().unwrap()
}

fn everything(store: &MemoryStore) -> Watch {
    store.watch_now(&Prefix::all(), &WatchFrom::Now)
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_woken_by_each_kind_of_change() {
    let (store, clock) = on_a_manual_clock();
    let mut watch = everything(&store);
    let writer = store.clone();
    let write = async move {
        settle().await;
        let etag = writer.put_now(&key("a"), bytes("1"), &ANY.time_to_live(Duration::ZERO)).unwrap();
        settle().await;
        clock.advance(Duration::from_secs(1));
        writer.sweep_now();
        settle().await;
        writer.put_now(&key("b"), bytes("1"), &ANY).unwrap();
        writer.delete_now(&key("b"), &Precondition::Any).unwrap();
        writer.put_now(&key("c"), bytes("1"), &ANY).unwrap();
        writer.clear_now();
        etag
    };
    let watched = async {
        let mut told = Vec::new();
        for _ in 0..6 {
            told.push(next(&mut watch).await.what);
        }
        told
    };
    let (etag, told) = tokio::join!(write, watched);
    assert_eq!(told[0], What::Put { key: key("a"), etag });
    assert_eq!(told[1], What::Deleted { key: key("a") });
    assert!(matches!(&told[2], What::Put { key, .. } if key.as_str() == "b"));
    assert_eq!(told[3], What::Deleted { key: key("b") });
    assert_eq!(told[5], What::Deleted { key: key("c") });
}

#[tokio::test(start_paused = true)]
async fn who_falls_behind_is_told_of_a_gap_and_then_of_what_is_new() {
    let options = MemoryOptions::new().watch_history(3);
    let store = MemoryStore::with(namespace(), &options, Arc::new(SystemClock));
    let mut watch = everything(&store);
    for number in 0..10 {
        store.put_now(&key(&number.to_string()), bytes("1"), &ANY).unwrap();
    }
    assert_eq!(next(&mut watch).await.what, What::Gap);
    store.put_now(&key("new"), bytes("1"), &ANY).unwrap();
    assert_eq!(next(&mut watch).await.key(), Some(&key("new")));
}

#[tokio::test(start_paused = true)]
async fn a_cursor_goes_on_where_it_was_and_one_of_another_store_is_a_gap() {
    let (store, other) = (memory(), memory());
    let (mut watch, _kept) = (everything(&store), everything(&other));
    store.put_now(&key("a"), bytes("1"), &ANY).unwrap();
    let cursor = next(&mut watch).await.cursor.unwrap();
    drop(watch);
    store.put_now(&key("b"), bytes("1"), &ANY).unwrap();
    let kept = Cursor::new(cursor.as_str());
    let mut watch = store.watch_now(&Prefix::all(), &WatchFrom::After(kept.clone()));
    assert_eq!(next(&mut watch).await.key(), Some(&key("b")));
    let mut watch = other.watch_now(&Prefix::all(), &WatchFrom::After(kept));
    assert_eq!(next(&mut watch).await.what, What::Gap);
}

#[tokio::test(start_paused = true)]
async fn a_watch_ends_with_its_store_after_what_was_still_to_be_told() {
    let store = memory();
    let mut watch = everything(&store);
    store.put_now(&key("a"), bytes("1"), &ANY).unwrap();
    let close = async {
        settle().await;
        drop(store);
    };
    let watched = async {
        assert_eq!(next(&mut watch).await.key(), Some(&key("a")));
        assert!(watch.next().await.is_none());
        assert!(watch.next().await.is_none());
    };
    tokio::join!(watched, close);
}

#[tokio::test(start_paused = true)]
async fn thousands_who_watch_are_told_each_and_forgotten_when_dropped() {
    let store = memory();
    let mut watches: Vec<Watch> = (0..2_000)
        .map(|number| store.watch_now(&Prefix::new(format!("{}/", number % 2)).unwrap(), &WatchFrom::Now))
        .collect();
    store.put_now(&key("1/a"), bytes("1"), &ANY).unwrap();
    for (number, watch) in watches.iter_mut().enumerate() {
        if number % 2 == 1 {
            assert_eq!(next(watch).await.key(), Some(&key("1/a")));
        }
    }
    drop(watches);
    store.put_now(&key("0/a"), bytes("1"), &ANY).unwrap();
}
