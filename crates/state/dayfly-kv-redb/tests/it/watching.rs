//! Being told of changes, by this process and from the moment on at which watching began.

use std::sync::{Arc, Mutex, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use dayfly_kv::{Cursor, Prefix, PutOptions, Store, WatchFrom, What};
use dayfly_kv_redb::{RedbBackend, RedbOptions, RedbStore};
use tokio::task::JoinSet;

use crate::disk::Disk;
use crate::support::{bytes, key, orders};

const ANY: PutOptions = PutOptions::new();

/// What takes longer never comes.
const PATIENCE: Duration = Duration::from_secs(20);

async fn store(options: &RedbOptions) -> RedbStore {
    Disk::default().open(options).await.unwrap().store(&orders()).await.unwrap()
}

#[tokio::test]
async fn who_falls_behind_is_told_of_a_gap_and_goes_on_from_there() {
    let store = store(&RedbOptions::new().watch_history(2)).await;
    let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
    for name in ["a", "b", "c"] {
        store.put(&key(name), bytes("1"), ANY).await.unwrap();
    }
    let gap = watch.next().await.unwrap().unwrap();
    assert_eq!(gap.what, What::Gap);
    store.put(&key("d"), bytes("1"), ANY).await.unwrap();
    assert_eq!(watch.next().await.unwrap().unwrap().key(), Some(&key("d")));
    // The cursor of the gap leads to what followed it.
    let mut again = store.watch(&Prefix::all(), WatchFrom::After(gap.cursor.unwrap())).await.unwrap();
    assert_eq!(again.next().await.unwrap().unwrap().key(), Some(&key("d")));
}

#[tokio::test]
async fn a_cursor_that_is_none_is_a_gap_and_what_follows_is_told() {
    let store = store(&RedbOptions::new()).await;
    for cursor in ["", "-", "x-1", "18446744073709551616", "-18446744073709551615"] {
        let mut watch = store.watch(&Prefix::all(), WatchFrom::After(Cursor::new(cursor))).await.unwrap();
        store.put(&key("a"), bytes("1"), ANY).await.unwrap();
        assert_eq!(watch.next().await.unwrap().unwrap().what, What::Gap, "{cursor}");
        assert_eq!(watch.next().await.unwrap().unwrap().key(), Some(&key("a")), "{cursor}");
    }
}

#[tokio::test]
async fn a_thousand_who_watch_are_each_told() {
    let store = store(&RedbOptions::new()).await;
    let mut watching = JoinSet::new();
    for _ in 0..1_000 {
        let mut watch = store.watch(&Prefix::new("a").unwrap(), WatchFrom::Now).await.unwrap();
        watching.spawn(async move { watch.next().await.unwrap().unwrap().key().cloned() });
    }
    store.put(&key("b"), bytes("1"), ANY).await.unwrap();
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    assert!(watching.join_all().await.iter().all(|told| *told == Some(key("a"))));
}

struct Panics;

impl Wake for Panics {
    fn wake(self: Arc<Self>) {
        panic!("a waker of somebody who does not know better");
    }
}

#[tokio::test]
async fn a_waker_that_panics_costs_nobody_else_an_answer() {
    let store = store(&RedbOptions::new()).await;
    let waker = Waker::from(Arc::new(Panics));
    let mut context = Context::from_waker(&waker);
    let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
    let mut next = Box::pin(watch.next());
    assert!(matches!(next.as_mut().poll(&mut context), Poll::Pending));
    let (a, b) = (key("a"), key("b"));
    let mut put = store.put(&a, bytes("1"), ANY);
    let _ = put.as_mut().poll(&mut context);
    for _ in 0..3 {
        store.put(&b, bytes("1"), ANY).await.unwrap();
    }
    assert!(store.contains(&a).await.unwrap());
}

/// Owns a store, and drops it where it is woken, on the writer's thread, once it is the last.
struct Owner {
    store: Mutex<Option<RedbStore>>,
    is_last: Mutex<mpsc::Receiver<()>>,
    dropped: mpsc::SyncSender<()>,
}

impl Wake for Owner {
    fn wake(self: Arc<Self>) {
        let store = self.store.lock().unwrap().take();
        let _ = self.is_last.lock().unwrap().recv_timeout(PATIENCE);
        drop(store);
        let _ = self.dropped.try_send(());
    }
}

#[tokio::test]
async fn the_last_store_may_be_dropped_by_the_writer_itself() {
    let store = store(&RedbOptions::new()).await;
    let ((last, is_last), (dropped, is_dropped)) = (mpsc::sync_channel(1), mpsc::sync_channel(1));
    let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
    let (second, is_last) = (Mutex::new(Some(store.clone())), Mutex::new(is_last));
    let owner = Arc::new(Owner { store: second, is_last, dropped });
    let waker = Waker::from(Arc::clone(&owner));
    let mut next = Box::pin(watch.next());
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let a = key("a");
    let mut put = store.put(&a, bytes("1"), ANY);
    // The writer has it from here on, and may be done before this looks.
    let _ = put.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    drop(put);
    drop(store);
    last.send(()).unwrap();
    tokio::task::spawn_blocking(move || is_dropped.recv_timeout(PATIENCE)).await.unwrap().unwrap();
}

/// Asks for a namespace when it is woken.
struct Asks(RedbBackend, mpsc::SyncSender<()>);

impl Wake for Asks {
    fn wake(self: Arc<Self>) {
        let namespace = orders();
        let mut store = Box::pin(self.0.store(&namespace));
        let _ = store.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        let _ = self.1.try_send(());
    }
}

#[tokio::test]
async fn who_is_woken_by_the_end_may_ask_for_a_namespace() {
    let backend = Disk::default().open(&RedbOptions::new()).await.unwrap();
    let mut watch =
        backend.store(&orders()).await.unwrap().watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
    let (told, is_told) = mpsc::sync_channel(1);
    let waker = Waker::from(Arc::new(Asks(backend.clone(), told)));
    let mut next = Box::pin(watch.next());
    assert!(next.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let closing = tokio::time::timeout(PATIENCE, backend.close());
    closing.await.expect("the writer hangs").unwrap();
    is_told.try_recv().unwrap();
}
