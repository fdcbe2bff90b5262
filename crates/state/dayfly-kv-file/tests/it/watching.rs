//! Being told of changes: by this store at once, and by others through events of the file system.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{
    Capability, Change, Cursor, Key, Precondition, Prefix, PutOptions, Store, SystemClock, Watch, WatchFrom,
    What,
};
use dayfly_kv_file::{FileBackend, FileOptions};
use tokio::time::timeout;

use crate::simulated::{EIO, Fault, Simulated};
use crate::support::{backend_on, bytes, key, namespace, opened};

const ANY: PutOptions = PutOptions::new();

/// The next change. It comes at once, or by an event; the time bounds a hang.
async fn next(watch: &mut Watch) -> Change {
    timeout(Duration::from_secs(20), watch.next()).await.expect("nothing is told").unwrap().unwrap()
}

async fn everything(store: &dyn Store) -> Watch {
    store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap()
}

fn deleted(name: &str) -> What {
    What::Deleted { key: key(name) }
}

#[tokio::test]
async fn each_write_of_this_store_is_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    let mut watch = everything(&*store).await;
    let etag = store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    assert!(store.put(&key("a"), bytes("2"), ANY.absent()).await.is_err());
    assert!(store.delete(&key("a"), Precondition::Any).await.unwrap());
    assert!(!store.delete(&key("a"), Precondition::Any).await.unwrap());
    let long = Key::new("K".repeat(512)).unwrap();
    let last = store.put(&long, bytes("1"), ANY).await.unwrap();
    assert_eq!(store.clear().await.unwrap(), 1);
    let end = store.put(&key("end"), bytes("1"), ANY).await.unwrap();
    for what in [
        What::Put { key: key("a"), etag },
        deleted("a"),
        What::Put { key: long.clone(), etag: last },
        What::Deleted { key: long },
        What::Put { key: key("end"), etag: end },
    ] {
        assert_eq!(next(&mut watch).await.what, what);
    }
}

#[tokio::test]
async fn what_a_sweep_removes_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let clock = dayfly_kv::ManualClock::new();
    let backend = FileBackend::with(folder.path(), FileOptions::new(), Arc::new(clock.clone()));
    let store = backend.open_store(&namespace()).await.unwrap();
    let mut watch = everything(&*store).await;
    store.put(&key("a"), bytes("1"), ANY.time_to_live(Duration::ZERO)).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert_eq!(store.sweep().await.unwrap(), 1);
    assert_eq!(next(&mut watch).await.key(), Some(&key("a")));
    assert_eq!(next(&mut watch).await.what, deleted("a"));
}

#[tokio::test]
async fn who_falls_behind_is_told_of_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let options = FileOptions::new().watch_history(2);
    let backend = FileBackend::with(folder.path(), options, Arc::new(SystemClock));
    let store = backend.open_store(&namespace()).await.unwrap();
    let mut watch = everything(&*store).await;
    for name in ["a", "b", "c"] {
        store.put(&key(name), bytes("1"), ANY).await.unwrap();
    }
    assert_eq!(next(&mut watch).await.what, What::Gap);
    store.put(&key("d"), bytes("1"), ANY).await.unwrap();
    assert_eq!(next(&mut watch).await.key(), Some(&key("d")));
}

#[tokio::test]
async fn a_cursor_leads_on_while_somebody_watches_and_is_a_gap_after_that() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    let (mut watch, kept) = (everything(&*store).await, everything(&*store).await);
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    let cursor = Cursor::new(next(&mut watch).await.cursor.unwrap().as_str());
    drop(watch);
    store.put(&key("b"), bytes("1"), ANY).await.unwrap();
    let mut again = store.watch(&Prefix::all(), WatchFrom::After(cursor.clone())).await.unwrap();
    assert_eq!(next(&mut again).await.key(), Some(&key("b")));
    drop((again, kept));
    let mut late = store.watch(&Prefix::all(), WatchFrom::After(cursor)).await.unwrap();
    store.put(&key("c"), bytes("1"), ANY).await.unwrap();
    assert_eq!(next(&mut late).await.what, What::Gap);
    assert_eq!(next(&mut late).await.key(), Some(&key("c")));
}

#[tokio::test]
async fn a_watch_ends_with_its_store() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    let mut watch = everything(&*store).await;
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    drop(store);
    assert_eq!(next(&mut watch).await.key(), Some(&key("a")));
    assert!(timeout(Duration::from_secs(20), watch.next()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_write_whose_outcome_is_unknown_is_a_gap() {
    let disk = Simulated::default();
    let store = backend_on("/data".as_ref(), Arc::new(disk.clone())).open_store(&namespace()).await.unwrap();
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    let mut gaps = 0;
    for nth in 1.. {
        let mut watch = everything(&*store).await;
        disk.fail(nth, Fault::Error(EIO));
        let put = store.put(&key("a"), bytes("2"), ANY).await;
        if !disk.heal() {
            break;
        }
        let end = store.put(&key("end"), bytes("1"), ANY).await.unwrap();
        let told = next(&mut watch).await.what;
        match put {
            Err(dayfly_kv::PutError::Unknown(_)) => {
                assert_eq!(told, What::Gap, "call {nth}");
                gaps += 1;
            }
            Err(_) => assert_eq!(told, What::Put { key: key("end"), etag: end }, "call {nth}"),
            Ok(etag) => assert_eq!(told, What::Put { key: key("a"), etag }, "call {nth}"),
        }
    }
    assert!(gaps > 0, "no call was found whose failure leaves the outcome open");
}

#[cfg(not(feature = "watch"))]
#[tokio::test]
async fn without_the_feature_a_store_says_that_it_hears_of_no_other_process() {
    let folder = tempfile::tempdir().unwrap();
    let store = opened(folder.path()).await;
    assert!(store.capabilities().has(Capability::Watch));
    let missing = store.capabilities().require(&[Capability::WatchAcrossProcesses]).unwrap_err();
    assert!(missing.reason.contains("feature"), "{missing}");
}

#[cfg(feature = "watch")]
mod across {
    use std::fs;
    use std::path::Path;

    use dayfly_kv::{Bytes, WatchError};
    use dayfly_kv_file::FileStore;

    use super::*;
    use crate::support::{as_process, process};

    /// Two stores of one folder that share nothing else: each is to the other as another process.
    async fn two(root: &Path) -> (Arc<FileStore>, Arc<FileStore>) {
        let store = opened(root).await;
        assert!(store.capabilities().has(Capability::WatchAcrossProcesses), "{:?}", store.capabilities());
        (store, opened(root).await)
    }

    /// What is told until this key is written.
    async fn told_until(watch: &mut Watch, last: &Key) -> Vec<What> {
        let mut told = Vec::new();
        loop {
            let change = next(watch).await;
            if change.key() == Some(last) {
                return told;
            }
            told.push(change.what);
        }
    }

    #[tokio::test]
    async fn what_another_writes_and_deletes_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = two(folder.path()).await;
        let mut watch = everything(&*here).await;
        let etag = there.put(&key("a"), bytes("1"), ANY).await.unwrap();
        assert_eq!(next(&mut watch).await.what, What::Put { key: key("a"), etag });
        there.delete(&key("a"), Precondition::Any).await.unwrap();
        assert_eq!(next(&mut watch).await.what, deleted("a"));
        // The name of a long key does not tell which one it was, so it has to be remembered.
        let long = Key::new("K".repeat(512)).unwrap();
        let etag = there.put(&long, bytes("1"), ANY).await.unwrap();
        assert_eq!(next(&mut watch).await.what, What::Put { key: long.clone(), etag });
        there.clear().await.unwrap();
        assert_eq!(next(&mut watch).await.what, What::Deleted { key: long });
    }

    #[tokio::test]
    async fn a_long_key_that_nobody_knows_and_that_is_gone_is_a_gap() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = two(folder.path()).await;
        there.put(&Key::new("K".repeat(512)).unwrap(), bytes("1"), ANY).await.unwrap();
        let mut watch = everything(&*here).await;
        there.clear().await.unwrap();
        assert_eq!(next(&mut watch).await.what, What::Gap);
    }

    #[tokio::test]
    async fn an_own_write_is_not_told_again_by_its_event() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = two(folder.path()).await;
        let mut watch = everything(&*here).await;
        let mut happened = Vec::new();
        for _ in 0..20 {
            let etag = here.put(&key("a"), bytes("1"), ANY).await.unwrap();
            happened.push(What::Put { key: key("a"), etag });
        }
        // Events come in order, so that of another's write comes after all of our own.
        there.put(&key("end"), bytes("1"), ANY).await.unwrap();
        assert_eq!(told_until(&mut watch, &key("end")).await, happened);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn two_who_write_one_key_are_told_in_the_order_of_their_writes() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = two(folder.path()).await;
        let mut watch = everything(&*here).await;
        let mut happened = Vec::new();
        for round in 0..50 {
            let store = if round % 3 == 0 { &there } else { &here };
            happened.push(store.put(&key("a"), bytes("1"), ANY).await.unwrap());
        }
        there.put(&key("end"), bytes("1"), ANY).await.unwrap();
        let mut places = Vec::new();
        for what in told_until(&mut watch, &key("end")).await {
            let What::Put { etag, .. } = what else { panic!("{what:?} did not happen") };
            places.push(happened.iter().position(|happened| *happened == etag).unwrap());
        }
        assert!(places.is_sorted() && places.last() == Some(&49), "{places:?}");
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_a_gap_and_its_repair_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = two(folder.path()).await;
        let mut watch = everything(&*here).await;
        let etag = there.put(&key("a"), bytes("1"), ANY).await.unwrap();
        let put = What::Put { key: key("a"), etag };
        assert_eq!(next(&mut watch).await.what, put);
        let (file, aside) = (here.path_of(&key("a")), folder.path().join("aside"));
        let content = fs::read(&file).unwrap();
        fs::write(&aside, &content[1..]).unwrap();
        fs::rename(&aside, &file).unwrap();
        assert_eq!(next(&mut watch).await.what, What::Gap);
        // What somebody has kept returns with the etag that it had.
        fs::write(&aside, &content).unwrap();
        fs::rename(&aside, &file).unwrap();
        assert_eq!(next(&mut watch).await.what, put);
    }

    #[tokio::test]
    async fn foreign_files_are_nothing_to_tell() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = two(folder.path()).await;
        let mut watch = everything(&*here).await;
        for name in ["notes.txt", "A.json", "..json", "%.json"] {
            fs::write(here.folder().join(name), "x").unwrap();
        }
        there.put(&key("end"), bytes("1"), ANY).await.unwrap();
        assert_eq!(told_until(&mut watch, &key("end")).await, []);
    }

    #[tokio::test]
    async fn a_folder_that_is_removed_ends_the_watch_with_an_error_and_another_one_can_be_watched() {
        let folder = tempfile::tempdir().unwrap();
        let (here, _) = two(folder.path()).await;
        let mut watch = everything(&*here).await;
        fs::remove_dir_all(here.folder()).unwrap();
        let error = loop {
            match timeout(Duration::from_secs(20), watch.next()).await.expect("nothing is told").unwrap() {
                Ok(change) => assert_eq!(change.what, What::Gap),
                Err(error) => break error,
            }
        };
        assert!(matches!(&error, WatchError::Unavailable(_)), "{error}");
        assert!(watch.next().await.is_none());
        assert!(here.watch(&Prefix::all(), WatchFrom::Now).await.is_err());
        let there = opened(folder.path()).await;
        let mut watch = everything(&*here).await;
        let etag = there.put(&key("a"), bytes("1"), ANY).await.unwrap();
        assert_eq!(next(&mut watch).await.what, What::Put { key: key("a"), etag });
    }

    /// A user may have 128 instances by default, and each has a thread.
    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn hundreds_of_watched_stores_take_one_instance_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = (FileBackend::new(folder.path()), FileBackend::new(folder.path()));
        let instances = || {
            let open = fs::read_dir("/proc/self/fd").unwrap().filter_map(Result::ok);
            let links = open.filter_map(|open| fs::read_link(open.path()).ok());
            links.filter(|link| link.to_string_lossy().contains("inotify")).count()
        };
        let mut watched = Vec::new();
        for number in 0..150 {
            let namespace = dayfly_kv::Namespace::new("acme", "shop", format!("order-{number}")).unwrap();
            let store = here.open_store(&namespace).await.unwrap();
            let watch = everything(&*store).await;
            watched.push((namespace, store, watch));
        }
        // Other tests may just be giving up theirs.
        assert!(instances() <= 4, "{} instances", instances());
        for (at, (namespace, _, watch)) in watched.iter_mut().enumerate().step_by(29) {
            let etag =
                there.open_store(namespace).await.unwrap().put(&key("a"), bytes("1"), ANY).await.unwrap();
            assert_eq!(next(watch).await.what, What::Put { key: key("a"), etag }, "{at}");
        }
        // Who leaves takes nothing from the others.
        watched.truncate(2);
        let (namespace, _, watch) = &mut watched[1];
        let etag = there.open_store(namespace).await.unwrap().put(&key("b"), bytes("1"), ANY).await.unwrap();
        assert_eq!(next(watch).await.what, What::Put { key: key("b"), etag });
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_that_is_known_by_two_paths_is_told_of_to_both() {
        let folder = tempfile::tempdir().unwrap();
        let link = folder.path().join("link");
        let real = folder.path().join("real");
        fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        let (by_path, by_link, writer) = (opened(&real).await, opened(&link).await, opened(&real).await);
        let (mut one, mut other) = (everything(&*by_path).await, everything(&*by_link).await);
        for name in ["a", "b"] {
            let etag = writer.put(&key(name), bytes("1"), ANY).await.unwrap();
            let put = What::Put { key: key(name), etag };
            assert_eq!((next(&mut one).await.what, next(&mut other).await.what), (put.clone(), put));
        }
        drop((one, by_path));
        let etag = writer.put(&key("c"), bytes("1"), ANY).await.unwrap();
        assert_eq!(next(&mut other).await.what, What::Put { key: key("c"), etag });
    }

    #[tokio::test]
    async fn a_folder_that_is_moved_away_ends_its_watch_and_is_not_taken_for_the_next_of_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let here = opened(folder.path()).await;
        let mut watch = everything(&*here).await;
        let moved = folder.path().join("moved");
        fs::rename(here.folder(), &moved).unwrap();
        let ended = timeout(Duration::from_secs(20), async {
            while let Some(change) = watch.next().await {
                if change.is_err() {
                    return true;
                }
            }
            false
        });
        assert!(ended.await.expect("nothing is told"));
        let there = opened(folder.path()).await;
        let mut watch = everything(&*here).await;
        // What happens where the other one lies now is nothing to this one.
        fs::write(moved.join("x.json"), "x").unwrap();
        let etag = there.put(&key("a"), bytes("1"), ANY).await.unwrap();
        assert_eq!(next(&mut watch).await.what, What::Put { key: key("a"), etag });
    }

    /// Somebody's waker runs on the thread of events, and gives up listening there.
    #[tokio::test]
    async fn a_watch_may_be_dropped_by_who_is_woken_by_an_event() {
        struct Drops(std::sync::Mutex<Option<Watch>>, tokio::sync::Notify);
        impl std::task::Wake for Drops {
            fn wake(self: Arc<Self>) {
                let watch = self.0.lock().unwrap().take();
                drop(watch);
                self.1.notify_one();
            }
        }
        let folder = tempfile::tempdir().unwrap();
        let (here, there) = two(folder.path()).await;
        for round in 0..3 {
            let drops = Arc::new(Drops(std::sync::Mutex::default(), tokio::sync::Notify::new()));
            let mut watch = everything(&*here).await;
            let waker = std::task::Waker::from(Arc::clone(&drops));
            let mut context = std::task::Context::from_waker(&waker);
            assert!(std::pin::pin!(watch.next()).poll(&mut context).is_pending());
            *drops.0.lock().unwrap() = Some(watch);
            there.put(&key("a"), bytes(&round.to_string()), ANY).await.unwrap();
            timeout(Duration::from_secs(20), drops.1.notified()).await.expect("nobody was woken");
            let mut watch = everything(&*here).await;
            let etag = there.put(&key("b"), bytes("1"), ANY).await.unwrap();
            assert_eq!(next(&mut watch).await.what, What::Put { key: key("b"), etag });
        }
    }

    #[test]
    #[ignore = "it is a process that another test starts"]
    fn the_writer() {
        let Some((root, _)) = as_process() else { return };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = opened(&root).await;
            for number in 0..100 {
                let key = key(&format!("{}", number % 10));
                store.put(&key, Bytes::from(number.to_string()), ANY).await.unwrap();
            }
            store.put(&key("end"), bytes("1"), ANY).await.unwrap();
        });
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn what_another_process_writes_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let store = opened(folder.path()).await;
        let mut watch = everything(&*store).await;
        let mut writer = process("watching::across::the_writer", folder.path(), "").spawn().unwrap();
        let told = told_until(&mut watch, &key("end")).await;
        assert!(writer.wait().unwrap().success());
        // Of several writes of a key the last is told at least.
        for number in 0..10 {
            let key = key(&format!("{number}"));
            let etag = store.get(&key).await.unwrap().unwrap().etag;
            let last = told.iter().rfind(|what| matches!(what, What::Put { key: told, .. } if *told == key));
            assert_eq!(last, Some(&What::Put { key, etag }));
        }
    }
}
