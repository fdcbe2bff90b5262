//! Opening, sharing, and what is given to a store.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use dayfly_kv::{Backend, Capability, Clock, GetError, OpenError, Precondition, PutError, PutOptions, Store};
use dayfly_kv_file::{Disk, Draft, FileBackend, FileOptions, FileStore, Held, SystemDisk};

use crate::support::{bytes, key, namespace, opened};

const ANY: PutOptions = PutOptions::new();

#[test]
fn everything_is_send_and_sync() {
    fn check<T: Send + Sync + std::fmt::Debug>() {}
    fn send<T: Send + ?Sized>() {}
    check::<FileStore>();
    check::<FileBackend>();
    check::<FileOptions>();
    check::<SystemDisk>();
    check::<Arc<dyn Disk>>();
    send::<dyn Draft>();
    send::<Held>();
}

#[tokio::test]
async fn a_store_says_what_it_cannot_do() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    let missing: Vec<_> = store.capabilities().missing().map(|(capability, _)| capability).collect();
    let deaf: &[Capability] = if cfg!(feature = "watch") { &[] } else { &[Capability::WatchAcrossProcesses] };
    assert_eq!(missing, deaf);
}

#[tokio::test]
async fn one_namespace_of_one_backend_is_one_store_as_long_as_somebody_has_it() {
    let folder = tempfile::tempdir().unwrap();
    let backend = FileBackend::new(folder.path());
    let (one, other) =
        (backend.open_store(&namespace()).await.unwrap(), backend.open(&namespace()).await.unwrap());
    let etag = one.put(&key("a"), bytes("1"), ANY).await.unwrap();
    assert_eq!(other.get(&key("a")).await.unwrap().unwrap().etag, etag);
    assert_eq!(Arc::strong_count(&one), 2);
    drop((one, other));
    assert_eq!(
        backend.open_store(&namespace()).await.unwrap().get(&key("a")).await.unwrap().unwrap().etag,
        etag
    );
}

#[tokio::test]
async fn what_was_written_is_there_when_it_is_opened_again_with_its_deadline() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    let hour = ANY.time_to_live(Duration::from_secs(3_600));
    store.put(&key("a"), bytes("1"), hour).await.unwrap();
    let before = store.get(&key("a")).await.unwrap();
    drop(store);
    let store = opened(folder.path()).await;
    assert_eq!(store.get(&key("a")).await.unwrap(), before);
    assert!(before.unwrap().deadline.is_some());
    // An etag that an earlier process gave is as good as one of this one.
    let etag = store.get(&key("a")).await.unwrap().unwrap().etag;
    assert!(store.delete(&key("a"), Precondition::Matches(etag)).await.unwrap());
}

#[tokio::test]
async fn a_root_that_is_a_file_cannot_be_opened() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = FileStore::open(&file, &namespace()).await.unwrap_err();
    assert!(matches!(&error, OpenError::Unavailable(why) if why.io_kind().is_some()), "{error:?}");
}

#[test]
fn without_a_runtime_a_store_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let store = runtime.block_on(opened(folder.path()));
    drop(runtime);
    let a = key("a");
    let mut get = std::pin::pin!(store.get(&a));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(got) = get.as_mut().poll(&mut context) else { panic!("it waits for nothing") };
    assert!(matches!(got, Err(GetError::Unavailable(why)) if why.to_string().contains("runtime")));
}

/// A clock that panics while it is told to.
#[derive(Debug, Default)]
struct Panics(std::sync::atomic::AtomicBool);

impl Clock for Panics {
    fn now(&self) -> SystemTime {
        assert!(!self.0.load(std::sync::atomic::Ordering::SeqCst), "the clock panics");
        SystemTime::now()
    }
}

#[tokio::test]
async fn a_clock_that_panics_costs_its_call_only() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Panics::default()));
    let backend =
        FileBackend::with(folder.path(), FileOptions::new().max_threads(1), Arc::clone(&clock) as _);
    let store = backend.open_store(&namespace()).await.unwrap();
    let hour = ANY.time_to_live(Duration::from_secs(3_600));
    store.put(&key("a"), bytes("1"), hour.clone()).await.unwrap();
    clock.0.store(true, std::sync::atomic::Ordering::SeqCst);
    for _ in 0..3 {
        assert!(matches!(store.get(&key("a")).await, Err(GetError::Unavailable(_))));
        assert!(matches!(store.put(&key("a"), bytes("2"), hour.clone()).await, Err(PutError::Unknown(_))));
    }
    clock.0.store(false, std::sync::atomic::Ordering::SeqCst);
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, "1");
    store.put(&key("a"), bytes("3"), hour).await.unwrap();
}

/// One namespace whose lock somebody holds for ever does not keep readers and other keys waiting.
#[tokio::test]
async fn who_reads_and_who_writes_other_keys_does_not_wait_for_a_lock_that_somebody_holds() {
    let folder = tempfile::tempdir().unwrap();
    let options = FileOptions::new().max_threads(2);
    let backend = FileBackend::with(folder.path(), options, Arc::new(dayfly_kv::SystemClock));
    let store = backend.open_store(&namespace()).await.unwrap();
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    let own = store.folder().join(".dayfly");
    let is_lock = |path: &Path| path.file_name().unwrap().to_string_lossy().starts_with("lock-");
    let locks = std::fs::read_dir(own).unwrap().map(|entry| entry.unwrap().path());
    let lock = locks.into_iter().find(|path| is_lock(path)).unwrap();
    let held = std::fs::File::open(lock).unwrap();
    held.lock().unwrap();
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let store = Arc::clone(&store);
            tokio::runtime::Handle::current()
                .spawn(async move { store.put(&key("a"), bytes("2"), ANY).await.unwrap() })
        })
        .collect();
    tokio::task::yield_now().await;
    let others = tokio::time::timeout(Duration::from_secs(20), async {
        // Often enough that those who write have come as far as they can.
        for _ in 0..100 {
            assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, "1");
        }
        store.put(&key("b"), bytes("1"), ANY).await.unwrap();
    });
    let others = others.await;
    drop(held);
    assert!(others.is_ok(), "others wait for a lock that is none of theirs");
    for put in waiting {
        put.await.unwrap();
    }
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, "2");
}
