//! The store in a redb file keeps the whole contract, and beneath it what the suite cannot see.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::ManualClock;
use dayfly_kv_conformance::{Subject, conformance};
use dayfly_kv_redb::{RedbBackend, RedbOptions, RedbStore};
use dayfly_testing::times;

async fn opened(options: RedbOptions) -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let path = folder.path().join("relay.db");
    let backend = RedbBackend::open_file_with(path, &options, Arc::new(clock.clone())).await.unwrap();
    Subject::new(Arc::new(backend)).clock(clock).keep(folder)
}

mod synced {
    use super::*;

    async fn redb() -> Subject {
        opened(RedbOptions::new()).await
    }

    conformance!(redb);
}

mod synced_later {
    use super::*;

    async fn redb() -> Subject {
        opened(RedbOptions::new().sync_within(Duration::from_millis(5))).await
    }

    conformance!(redb);
}

mod beneath {
    use std::collections::BTreeSet;
    use std::process::{Command, Stdio};

    use dayfly_kv::{Bytes, Etag, Key, Namespace, Precondition, PutOptions, Scan, Store};
    use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};

    use super::*;
    use crate::disk::Disk;
    use crate::support::{bytes, key, orders};

    const ENTRIES: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");
    const DEADLINES: TableDefinition<'_, &[u8], ()> = TableDefinition::new("deadlines");

    /// The rows of the index of deadlines, and those that there have to be.
    fn index(disk: &Disk) -> (BTreeSet<Vec<u8>>, BTreeSet<Vec<u8>>) {
        let database = Database::builder().create_with_backend(disk.clone()).unwrap();
        let transaction = database.begin_read().unwrap();
        let deadlines = transaction.open_table(DEADLINES).unwrap();
        let found = deadlines.iter().unwrap().map(|row| row.unwrap().0.value().to_vec()).collect();
        let entries = transaction.open_table(ENTRIES).unwrap();
        let wanted = entries.iter().unwrap().filter_map(|entry| {
            let (row, record) = entry.unwrap();
            // The namespace's number and the key; flags, the write's number, and the deadline if there is one.
            let (space, key) = row.value().split_at(4);
            let record = record.value();
            (record[0] & 1 != 0).then(|| [space, &record[17..25], key].concat())
        });
        let wanted = wanted.collect();
        (found, wanted)
    }

    async fn random_step(store: &RedbStore, clock: &ManualClock, random: &mut fastrand::Rng) {
        let key = key(["a", "b", "ab", "\u{e9}", "c"][random.usize(..5)]);
        match random.u8(..20) {
            0..=11 => {
                let current = store.get(&key).await.unwrap().map(|entry| entry.etag);
                let mut options = PutOptions::new().precondition(match random.u8(..6) {
                    0 => Precondition::Absent,
                    1 => Precondition::Present,
                    2 => current.map_or(Precondition::Absent, Precondition::Matches),
                    _ => Precondition::Any,
                });
                options.time_to_live = random.bool().then(|| Duration::from_secs(random.u64(..5)));
                let _ = store.put(&key, bytes("1"), options).await;
            }
            12..=15 => drop(store.delete(&key, Precondition::Any).await),
            16..=17 => clock.advance(Duration::from_secs(random.u64(..4))),
            18 => drop(store.sweep().await.unwrap()),
            _ => drop(store.clear().await.unwrap()),
        }
    }

    #[tokio::test]
    async fn the_index_of_deadlines_has_a_row_for_each_entry_with_one_and_no_other() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rows = 0;
        for round in 0..times(60, 1_000) {
            let (disk, clock) = (Disk::default(), ManualClock::new());
            let backend = disk.open_with(&RedbOptions::new(), &clock).await.unwrap();
            let other = Namespace::new("acme", "shop", "other").unwrap();
            let stores = [backend.store(&orders()).await.unwrap(), backend.store(&other).await.unwrap()];
            for _ in 0..random.usize(..60) {
                random_step(&stores[random.usize(..2)], &clock, &mut random).await;
            }
            backend.close().await.unwrap();
            drop((backend, stores));
            let (found, wanted) = index(&disk);
            assert_eq!(found, wanted, "seed {seed}, round {round}");
            rows += found.len();
        }
        assert!(rows > 0, "no entry had a deadline");
    }

    /// Where a process that the test below starts finds the file.
    const PLACE: &str = "DAYFLY_KV_REDB_ETAGS_OF";

    /// Writes one key a hundred times, deletes it in between, and gives the etags.
    async fn etags_of(path: &std::path::Path) -> Vec<Etag> {
        let backend = RedbBackend::open_file(path, &RedbOptions::new()).await.unwrap();
        let store = backend.store(&orders()).await.unwrap();
        let mut etags = Vec::new();
        for number in 0..20 {
            etags.push(store.put(&key("a"), bytes("the same"), PutOptions::new()).await.unwrap());
            if number % 3 == 0 {
                store.delete(&key("a"), Precondition::Any).await.unwrap();
            }
        }
        backend.close().await.unwrap();
        etags
    }

    /// Started by the test below as a process of its own; otherwise there is nowhere to write to.
    #[tokio::test]
    async fn the_process_that_writes() {
        if let Some(path) = std::env::var_os(PLACE) {
            for etag in etags_of(path.as_ref()).await {
                println!("etag {etag}");
            }
        }
    }

    #[tokio::test]
    async fn no_process_gives_an_etag_that_another_one_gave() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.db");
        let mut etags: Vec<Etag> = Vec::new();
        for _ in 0..3 {
            etags.extend(etags_of(&path).await);
            let mut process = Command::new(std::env::current_exe().unwrap());
            process.args(["contract::beneath::the_process_that_writes", "--exact", "--nocapture"]);
            let ended = process.env(PLACE, &path).stderr(Stdio::inherit()).output().unwrap();
            let printed = String::from_utf8(ended.stdout).unwrap();
            let written: Vec<Etag> = printed
                .lines()
                .filter_map(|line| line.split_once("etag "))
                .map(|(_, etag)| Etag::new(etag))
                .collect();
            assert_eq!(written.len(), 20, "{printed}");
            etags.extend(written);
        }
        let unique: std::collections::HashSet<&Etag> = etags.iter().collect();
        assert_eq!((unique.len(), etags.len()), (120, 120));
        // An etag of another process is as good as one of this.
        let backend = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
        let store = backend.store(&orders()).await.unwrap();
        let swap = PutOptions::new().matches(etags.last().unwrap().clone());
        store.put(&key("a"), bytes("2"), swap.clone()).await.unwrap();
        assert!(store.put(&key("a"), bytes("3"), swap).await.is_err());
    }

    #[tokio::test]
    async fn a_namespace_that_is_cleared_leaves_its_neighbours_and_their_deadlines() {
        let disk = Disk::default();
        let clock = ManualClock::new();
        let backend = disk.open_with(&RedbOptions::new(), &clock).await.unwrap();
        let mut stores = Vec::new();
        for entity in ["first", "second", "third"] {
            let store = backend.store(&Namespace::new("acme", "shop", entity).unwrap()).await.unwrap();
            // More than one transaction clears at once.
            let puts = (0..1_500_u32).map(|number| {
                let (store, key) = (store.clone(), Key::new(format!("{number:04}")).unwrap());
                async move {
                    let lives = PutOptions::new().time_to_live(Duration::from_secs(u64::from(number % 2)));
                    store.put(&key, Bytes::new(), lives).await.unwrap();
                }
            });
            puts.collect::<tokio::task::JoinSet<()>>().join_all().await;
            stores.push(store);
        }
        clock.advance(Duration::from_millis(500));
        assert_eq!(stores[1].clear().await.unwrap(), 750, "half of them had expired");
        for (at, left) in [(0, 750), (1, 0), (2, 750)] {
            let page = stores[at].scan(&Scan::all().limit(2_000)).await.unwrap();
            assert_eq!(page.entries.len(), left, "{at}");
            assert_eq!(stores[at].sweep().await.unwrap(), left as u64, "{at}");
        }
        backend.close().await.unwrap();
        drop((backend, stores));
        let (found, wanted) = index(&disk);
        assert_eq!((found.len(), found), (1_500, wanted));
    }
}
