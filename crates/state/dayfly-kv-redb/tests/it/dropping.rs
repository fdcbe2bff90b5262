//! Every public future of the crate, dropped at every moment of its life: a write happens as a whole or not at all, and
//! nobody is kept out.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::task::Poll;
use std::time::Duration;

use dayfly_kv::{Backend, Precondition, Prefix, PutOptions, Scan, Store, WatchFrom};
use dayfly_kv_redb::{RedbBackend, RedbOptions, RedbStore};
use dayfly_testing::drop_at_every_poll;
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::disk::Disk;
use crate::support::{bytes, key, orders};

const ANY: PutOptions = PutOptions::new();

/// It bounds a hang, and is not waited for otherwise.
const PATIENCE: Duration = Duration::from_secs(20);

/// The paused clock runs ahead while a runtime has nothing to do, and the writer's thread is none of its business: as
/// long as this lives, the runtime has something to do.
struct Busy(Option<SyncSender<()>>);

impl Busy {
    fn new() -> Self {
        let (sender, receiver) = sync_channel::<()>(0);
        Handle::current().spawn_blocking(move || receiver.recv());
        Self(Some(sender))
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0 = None;
    }
}

/// Runs an operation with the disk held until it was polled once, and lets it be polled again when it is done: so it needs
/// the same number of polls in every run.
async fn one_by_one<T>(disk: &Disk, operation: impl Future<Output = T>) -> T {
    let mut operation = pin!(operation);
    let mut is_first = true;
    poll_fn(|context| {
        if !std::mem::take(&mut is_first) {
            return operation.as_mut().poll(context);
        }
        disk.hold();
        let first = operation.as_mut().poll(context);
        disk.release();
        first
    })
    .await
}

/// A store whose disk is held again whenever a drop has let go of it.
fn opened(options: &RedbOptions) -> (Disk, RedbBackend, RedbStore) {
    let disk = Disk::default();
    let options = options.clone();
    let opening = disk.clone();
    // Opened on a thread and a runtime of its own: the clock of this one may run ahead.
    let opened = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let backend = opening.open(&options).await.unwrap();
            let store = backend.store(&orders()).await.unwrap();
            (backend, store)
        })
    });
    let (backend, store) = opened.join().unwrap();
    (disk, backend, store)
}

#[test]
fn every_call_happens_as_a_whole_or_not_at_all() {
    let report = drop_at_every_poll(
        || opened(&RedbOptions::new().queue_capacity(1)),
        |(disk, backend, store)| async move {
            let _busy = Busy::new();
            let (a, b) = (key("a"), key("b"));
            let etag = one_by_one(&disk, store.put(&a, bytes("1"), ANY.absent())).await.unwrap();
            one_by_one(&disk, store.put(&a, bytes("2"), ANY.matches(etag))).await.unwrap();
            assert!(store.get(&a).await.unwrap().is_some());
            assert!(store.contains(&a).await.unwrap());
            assert_eq!(store.get_many(&[b.clone(), a.clone()]).await.unwrap().len(), 2);
            let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
            assert!(one_by_one(&disk, store.delete(&a, Precondition::Any)).await.unwrap());
            assert_eq!(watch.next().await.unwrap().unwrap().key(), Some(&a));
            one_by_one(&disk, store.put(&b, bytes("1"), ANY)).await.unwrap();
            assert_eq!(one_by_one(&disk, store.clear()).await.unwrap(), 1);
            one_by_one(&disk, backend.open(&dayfly_kv::Namespace::new("a", "b", "c").unwrap()))
                .await
                .unwrap();
            one_by_one(&disk, backend.sync()).await.unwrap();
        },
        |(disk, _backend, store), _| async move {
            let _busy = Busy::new();
            disk.release();
            let found = store.get(&key("a")).await.unwrap();
            assert!(found.is_none_or(|entry| [bytes("1"), bytes("2")].contains(&entry.value)));
            // Nobody is kept out, whatever was dropped: there is room in the queue, and the writer writes.
            store.put(&key("a"), bytes("3"), ANY).await.unwrap();
            assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("3"));
            assert!(store.scan(&Scan::all()).await.unwrap().entries.len() <= 2);
            assert_eq!(store.sweep().await.unwrap(), 0);
        },
    );
    assert!(report.polls > 7, "{report:?}");
}

#[tokio::test]
async fn a_place_in_the_full_queue_is_not_lost_with_the_wait_for_it() {
    let disk = Disk::default();
    let backend = disk.open(&RedbOptions::new().queue_capacity(1)).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    let keys: Vec<_> = (0..50).map(|number| key(&number.to_string())).collect();
    disk.hold();
    let mut waiting: Vec<_> = keys.iter().map(|key| store.put(key, bytes("1"), ANY)).collect();
    for write in &mut waiting {
        assert!(poll_fn(|context| Poll::Ready(write.as_mut().poll(context).is_pending())).await);
    }
    // Half of them go while they wait. The others are given a place and go without having seen it.
    waiting.drain(..25);
    disk.release();
    let first = timeout(PATIENCE, waiting.remove(24)).await;
    first.unwrap().unwrap();
    drop(waiting);
    let next = timeout(PATIENCE, store.put(&key("next"), bytes("1"), ANY)).await;
    next.unwrap().unwrap();
}

#[test]
fn closing_lets_go_of_the_file_whenever_it_is_dropped() {
    let report = drop_at_every_poll(
        || (opened(&RedbOptions::new()), Arc::new(AtomicBool::new(false))),
        |((disk, backend, store), is_asked)| async move {
            let _busy = Busy::new();
            one_by_one(&disk, store.put(&key("a"), bytes("1"), ANY)).await.unwrap();
            // It is polled with this, and not before.
            is_asked.store(true, Ordering::SeqCst);
            // Letting go of the file syncs it, which waits until closing was polled.
            one_by_one(&disk, backend.close()).await.unwrap();
        },
        |((disk, backend, store), is_asked), _| async move {
            let _busy = Busy::new();
            disk.release();
            let is_asked = is_asked.load(Ordering::SeqCst);
            if is_asked {
                // Nobody asks again, and the store is still there.
                let disk = disk.clone();
                Handle::current().spawn_blocking(move || disk.wait_until_let_go()).await.unwrap();
            }
            assert_eq!(backend.close().await.is_err(), is_asked, "closing it a second time is an error");
            disk.wait_until_let_go();
            assert!(store.get(&key("a")).await.is_err());
        },
    );
    assert!(report.polls > 2, "{report:?}");
}

/// Polls a future so often, each time when it was woken, and drops it.
async fn polled(polls: usize, future: impl Future) {
    let (mut future, mut left) = (pin!(future), polls);
    poll_fn(|context| {
        left -= 1;
        if future.as_mut().poll(context).is_ready() || left == 0 { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// How many polls it takes is up to the thread that opens it; more than four it never does.
#[tokio::test(start_paused = true)]
async fn the_file_is_free_when_opening_it_was_dropped() {
    for polls in 1..=4 {
        let _busy = Busy::new();
        let folder = tempfile::tempdir().unwrap();
        let open = async || {
            let path = folder.path().join("relay.db");
            let backend = RedbBackend::open_file(path, &RedbOptions::new()).await.unwrap();
            backend.store(&orders()).await.unwrap();
        };
        polled(polls, open()).await;
        timeout(PATIENCE, open()).await.unwrap();
    }
}
