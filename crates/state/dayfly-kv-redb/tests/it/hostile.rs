//! What a hostile caller tries, and what a hostile file has.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use dayfly_kv::{
    Clock, DeleteError, GetError, Key, ManualClock, Namespace, OpenError, Precondition, PutError, PutOptions,
    Scan, Store,
};
use dayfly_kv_redb::{RedbBackend, RedbOptions, RedbStore};
use redb::{Database, ReadableDatabase, TableDefinition};

use crate::disk::Disk;
use crate::support::{bytes, key, orders};

const ANY: PutOptions = PutOptions::new();
const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");
const ABOUT: TableDefinition<'_, &str, u64> = TableDefinition::new("about");

async fn open(path: &Path, options: &RedbOptions) -> (RedbBackend, RedbStore) {
    let backend = RedbBackend::open_file(path, options).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    (backend, store)
}

#[tokio::test]
async fn hostile_keys_come_back_as_they_were_and_leave_nothing_beside_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let keys = [
        "../../x",
        "/etc/passwd",
        "a//b",
        "C:\\x",
        "CON",
        "nul.txt",
        "a",
        "A",
        " ",
        ".",
        "..",
        "*",
        "%2e%2e",
        "\u{202e}abc",
        "\u{e9}",
        "e\u{301}",
        "\u{feff}",
        "\u{10ffff}",
        "💥",
        &"k".repeat(512),
        &"💥".repeat(128),
    ];
    {
        let (_backend, store) = open(&path, &RedbOptions::new()).await;
        for text in keys {
            store
                .put(&key(text), bytes(text), ANY.absent())
                .await
                .unwrap_or_else(|error| panic!("{text:?}: {error}"));
        }
    }
    let (_backend, store) = open(&path, &RedbOptions::new()).await;
    for text in keys {
        assert_eq!(store.get(&key(text)).await.unwrap().unwrap().value, bytes(text), "{text:?}");
    }
    let listed = store.scan(&Scan::all()).await.unwrap().entries;
    let mut sorted = keys.to_vec();
    sorted.sort_unstable();
    assert_eq!(listed.iter().map(|(key, _)| key.as_str()).collect::<Vec<_>>(), sorted);
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|file| file.unwrap().file_name()).collect();
    assert_eq!(files, ["relay.db"]);
    for (text, _) in [("", 0), ("a\0b", 1), ("two\nlines", 2), (&"k".repeat(513), 3), (&"k".repeat(5_000), 4)]
    {
        assert!(Key::new(text).is_err(), "{text:?}");
    }
}

#[tokio::test]
async fn values_are_taken_up_to_the_limit_and_refused_above_before_the_disk_is_touched() {
    for limit in [0, 1, 512 * 1_024] {
        let disk = Disk::default();
        let store = disk
            .open(&RedbOptions::new().max_value_bytes(limit))
            .await
            .unwrap()
            .store(&orders())
            .await
            .unwrap();
        for length in [0, limit] {
            store.put(&key("a"), vec![0xFF; length].into(), ANY).await.unwrap();
            assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, vec![0xFF; length]);
        }
        let before = disk.calls();
        match store.put(&key("a"), vec![0; limit + 1].into(), ANY).await {
            Err(PutError::TooLarge { bytes, limit: told }) => assert_eq!((bytes, told), (limit + 1, limit)),
            other => panic!("{other:?}"),
        }
        assert_eq!(disk.calls(), before);
    }
}

#[tokio::test]
async fn a_page_of_large_values_ends_early_and_the_next_goes_on() {
    let store = Disk::default().open(&RedbOptions::new()).await.unwrap().store(&orders()).await.unwrap();
    for number in 10..30 {
        store.put(&key(&format!("{number}")), vec![7; 512 * 1_024].into(), ANY).await.unwrap();
    }
    let (mut scan, mut sizes) = (Scan::all().limit(usize::MAX), Vec::new());
    loop {
        let page = store.scan(&scan).await.unwrap();
        sizes.push(page.entries.len());
        let Some(next) = page.next else { break };
        scan = scan.after(next);
    }
    assert_eq!(sizes, [8, 8, 4]);
}

#[tokio::test]
async fn a_sweep_goes_through_what_has_expired_and_not_through_the_rest() {
    let (disk, clock) = (Disk::default(), ManualClock::new());
    // Without a cache every page that is looked at is read.
    let options = RedbOptions::new().cache_bytes(0);
    let store = disk.open_with(&options, &clock).await.unwrap().store(&orders()).await.unwrap();
    let minute = Duration::from_secs(60);
    let mut calls = Vec::new();
    for round in 0..2 {
        let puts = (0..1_500).map(|number| {
            let (store, key) = (store.clone(), key(&format!("live {round} {number}")));
            async move { store.put(&key, vec![7; 200].into(), ANY.time_to_live(100 * minute)).await.unwrap() }
        });
        puts.collect::<tokio::task::JoinSet<_>>().join_all().await;
        store.put(&key("gone"), bytes("1"), ANY.time_to_live(minute)).await.unwrap();
        clock.advance(2 * minute);
        let before = disk.calls();
        assert_eq!(store.sweep().await.unwrap(), 1);
        calls.push(disk.calls() - before);
    }
    assert!(calls[1] < 100, "with 1,500 and 3,000 entries that live: {calls:?} calls");
    clock.advance(200 * minute);
    assert_eq!(store.sweep().await.unwrap(), 3_000);
    assert_eq!(store.clear().await.unwrap(), 0);
}

#[tokio::test]
async fn clearing_thousands_leaves_the_neighbours() {
    let backend = Disk::default().open(&RedbOptions::new()).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    let next = backend.store(&Namespace::new("acme", "shop", "p").unwrap()).await.unwrap();
    let puts = (0..3_000).map(|number| {
        let (store, key) = (store.clone(), key(&format!("{number}")));
        async move { store.put(&key, bytes("1"), ANY).await.unwrap() }
    });
    puts.collect::<tokio::task::JoinSet<_>>().join_all().await;
    next.put(&key("a"), bytes("1"), ANY).await.unwrap();
    assert_eq!(store.clear().await.unwrap(), 3_000);
    assert_eq!(store.scan(&Scan::all()).await.unwrap().entries, []);
    assert!(next.contains(&key("a")).await.unwrap());
}

#[tokio::test]
async fn a_corrupt_entry_is_told_with_its_path_and_an_unconditional_put_repairs_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    {
        let (_backend, store) = open(&path, &RedbOptions::new()).await;
        store.put(&key("a"), bytes("1"), ANY).await.unwrap();
        store.put(&key("b"), bytes("1"), ANY).await.unwrap();
    }
    {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(ENTRIES).unwrap().insert(&b"\0\0\0\0a"[..], &b"\xFFgarbage"[..]).unwrap();
        transaction.open_table(ENTRIES).unwrap().insert(&b"\0\0\0\0\xFF"[..], &b""[..]).unwrap();
        transaction.commit().unwrap();
    }
    let (_backend, store) = open(&path, &RedbOptions::new()).await;
    match store.get(&key("a")).await {
        Err(GetError::Corrupt(corrupt)) => {
            assert!(corrupt.location.contains("relay.db"), "{corrupt}");
            assert_eq!(corrupt.key, Some(key("a")));
        }
        other => panic!("{other:?}"),
    }
    assert!(store.get(&key("b")).await.unwrap().is_some());
    let page = store.scan(&Scan::all()).await.unwrap();
    assert_eq!((page.entries.len(), page.corrupt.len()), (1, 2));
    let put = store.put(&key("a"), bytes("2"), ANY.present()).await;
    assert!(matches!(put, Err(PutError::Corrupt(_))), "{put:?}");
    let deleted = store.delete(&key("a"), Precondition::Present).await;
    assert!(matches!(deleted, Err(DeleteError::Corrupt(_))), "{deleted:?}");
    store.put(&key("a"), bytes("2"), ANY).await.unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("2"));
    assert_eq!(store.clear().await.unwrap(), 2);
    assert_eq!(store.scan(&Scan::all()).await.unwrap().corrupt, []);
}

#[tokio::test]
async fn thousands_of_rows_without_a_key_hide_no_entry_behind_them() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    {
        let (_backend, store) = open(&path, &RedbOptions::new()).await;
        store.put(&key("z"), bytes("1"), ANY).await.unwrap();
    }
    {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        let mut entries = transaction.open_table(ENTRIES).unwrap();
        for number in 0..20_000_u32 {
            // A control character is in no key.
            let row = [&b"\0\0\0\0\x01"[..], &number.to_be_bytes()].concat();
            entries.insert(&*row, &b""[..]).unwrap();
        }
        drop(entries);
        transaction.commit().unwrap();
    }
    let (_backend, store) = open(&path, &RedbOptions::new()).await;
    for scan in [Scan::all(), Scan::all().reverse()] {
        let page = store.scan(&scan).await.unwrap();
        assert_eq!(page.entries.len(), 1, "{scan:?}");
        assert!((16_000..20_000).contains(&page.corrupt.len()), "{}", page.corrupt.len());
        // What may follow the last key is asked for, and ends.
        let rest = store.scan(&scan.after(key("z"))).await.unwrap();
        assert_eq!((rest.entries.len(), rest.next), (0, None));
    }
    assert_eq!(store.clear().await.unwrap(), 1);
    assert_eq!(store.scan(&Scan::all()).await.unwrap().corrupt.len(), 0);
}

#[tokio::test]
async fn what_replaced_a_corrupt_entry_does_not_expire_with_it() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), ManualClock::new());
    let path = folder.path().join("relay.db");
    let shared = Arc::new(clock.clone());
    let minute = Duration::from_secs(60);
    {
        let backend = RedbBackend::open_file_with(&path, &RedbOptions::new(), shared.clone()).await.unwrap();
        let store = backend.store(&orders()).await.unwrap();
        store.put(&key("a"), bytes("1"), ANY.time_to_live(minute)).await.unwrap();
    }
    {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(ENTRIES).unwrap().insert(&b"\0\0\0\0a"[..], &b"\xFF"[..]).unwrap();
        transaction.commit().unwrap();
    }
    let backend = RedbBackend::open_file_with(&path, &RedbOptions::new(), shared).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    store.put(&key("a"), bytes("2"), ANY).await.unwrap();
    clock.advance(2 * minute);
    assert_eq!(store.sweep().await.unwrap(), 0);
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("2"));
}

#[tokio::test]
async fn a_later_format_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    drop(open(&path, &RedbOptions::new()).await);
    {
        let database = Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(ABOUT).unwrap().insert("format", 2).unwrap();
        transaction.commit().unwrap();
    }
    let error = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap_err();
    assert!(
        matches!(&error, OpenError::Corrupt(corrupt) if corrupt.reason.contains("its format is 2")),
        "{error:?}"
    );
    let database = Database::open(&path).unwrap();
    let about = database.begin_read().unwrap().open_table(ABOUT).unwrap();
    assert_eq!(about.get("opens").unwrap().unwrap().value(), 1);
}

/// A clock that panics when told to.
#[derive(Debug, Default)]
struct Broken(AtomicBool);

impl Clock for Broken {
    fn now(&self) -> SystemTime {
        assert!(!self.0.load(Ordering::SeqCst), "the clock is broken");
        SystemTime::UNIX_EPOCH
    }
}

#[tokio::test]
async fn a_clock_that_panics_fails_the_writes_of_its_group_and_no_later_ones() {
    let (folder, clock) = (tempfile::tempdir().unwrap(), Arc::new(Broken::default()));
    let path = folder.path().join("relay.db");
    let shared = Arc::clone(&clock) as Arc<dyn Clock>;
    let backend = RedbBackend::open_file_with(&path, &RedbOptions::new(), shared).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    clock.0.store(true, Ordering::SeqCst);
    for _ in 0..3 {
        let put = store.put(&key("a"), bytes("2"), ANY).await;
        assert!(matches!(put, Err(PutError::Unavailable(_))), "{put:?}");
    }
    clock.0.store(false, Ordering::SeqCst);
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("1"));
    store.put(&key("a"), bytes("3"), ANY).await.unwrap();
}

#[test]
fn without_a_runtime_everything_works_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    waited(async {
        let (backend, store) = open(&path, &RedbOptions::new()).await;
        store.put(&key("a"), bytes("1"), ANY).await.unwrap();
        assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 1);
        backend.close().await.unwrap();
    });
}

/// Polls a future on this thread, which no runtime knows of.
fn waited<T>(future: impl Future<Output = T>) -> T {
    struct Unpark(std::thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let mut future = std::pin::pin!(future);
    let waker = Arc::new(Unpark(std::thread::current())).into();
    loop {
        match future.as_mut().poll(&mut std::task::Context::from_waker(&waker)) {
            std::task::Poll::Ready(value) => return value,
            std::task::Poll::Pending => std::thread::park(),
        }
    }
}
