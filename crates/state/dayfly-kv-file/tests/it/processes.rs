//! Processes that share a folder.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{Capability, KeyValueStore, Precondition, PutError, PutOptions, Store, UpdateOptions};
use dayfly_kv_file::{Disk, FileStore, Held, SystemDisk};
use dayfly_testing::times;

use crate::support::{as_process, backend_on, bytes, key, namespace, opened, process};

/// A disk without locks, for the planted fault.
#[derive(Debug)]
struct Lockless;

impl Disk for Lockless {
    fn read(&self, path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
        SystemDisk.read(path, most)
    }

    fn create(&self, path: &Path) -> std::io::Result<Box<dyn dayfly_kv_file::Draft>> {
        SystemDisk.create(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> std::io::Result<()> {
        SystemDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> std::io::Result<()> {
        SystemDisk.remove(path)
    }

    fn exists(&self, path: &Path) -> std::io::Result<bool> {
        SystemDisk.exists(path)
    }

    fn list(&self, folder: &Path, each: &mut dyn FnMut(&std::ffi::OsStr)) -> std::io::Result<()> {
        SystemDisk.list(folder, each)
    }

    fn create_folder(&self, path: &Path) -> std::io::Result<()> {
        SystemDisk.create_folder(path)
    }

    fn sync_folder(&self, path: &Path) -> std::io::Result<()> {
        SystemDisk.sync_folder(path)
    }

    fn lock(&self, _: &Path) -> std::io::Result<Held> {
        Ok(Box::new(()))
    }

    fn try_lock(&self, _: &Path) -> std::io::Result<Option<Held>> {
        Ok(Some(Box::new(())))
    }
}

/// What a process waits for, and what it says before.
const GATE: &str = "gate";
const READY: &str = "ready";

async fn store(root: &Path, plant: &str) -> Arc<FileStore> {
    match plant {
        "lockless" => backend_on(root, Arc::new(Lockless)).open_store(&namespace()).await.unwrap(),
        _ => opened(root).await,
    }
}

fn each() -> u64 {
    times(200, 1_000)
}

#[test]
#[ignore = "it is a process that the other tests start"]
fn the_counter() {
    let Some((root, plant)) = as_process() else { return };
    // The harness of tests has begun a line.
    println!("\n{READY}");
    File::open(root.join(GATE)).unwrap().lock_shared().unwrap();
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_time().build().unwrap();
    runtime.block_on(async {
        let patient = UpdateOptions::new().attempts(100_000).max_delay(Duration::from_millis(4));
        let counts = KeyValueStore::<String, u64>::json(store(&root, &plant).await).updates(patient);
        for _ in 0..each() {
            // Without locks the drafts of two meet as well, so a write may fail; then it counts for nothing anyway.
            let counted = counts.update("count", |count| count.unwrap_or(0) + 1).await;
            assert!(counted.is_ok() || plant == "lockless", "{counted:?}");
        }
    });
}

/// What two processes have counted to that began at the same moment.
async fn counted(plant: &str) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let gate = File::create(folder.path().join(GATE)).unwrap();
    gate.lock().unwrap();
    let counters = [(); 2].map(|()| {
        let mut counter = process("processes::the_counter", folder.path(), plant);
        let mut counter = counter.stdout(Stdio::piped()).spawn().unwrap();
        let mut output = BufReader::new(counter.stdout.take().unwrap()).lines();
        assert!(output.any(|line| line.unwrap() == READY), "a counter ended before it began");
        (counter, output)
    });
    drop(gate);
    for (mut counter, output) in counters {
        output.for_each(drop);
        assert!(counter.wait().unwrap().success());
    }
    let counts = KeyValueStore::<String, u64>::json(opened(folder.path()).await);
    counts.get_required("count").await.unwrap().value
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_that_count_lose_nothing() {
    let counted = counted("").await;
    println!("two processes: 2 x {} = {counted}", each());
    assert_eq!(counted, 2 * each());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_locks_two_processes_that_count_are_found_to_lose_some() {
    let counted = counted("lockless").await;
    println!("planted, no locks: 2 x {} = {counted}", each());
    assert!(counted < 2 * each(), "{counted}");
}

#[tokio::test]
async fn a_disk_whose_locks_do_not_exclude_is_said_to_have_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "lockless").await;
    assert!(!store.capabilities().has(Capability::AcrossProcesses));
    assert!(store.capabilities().has(Capability::CompareAndSwap));
}

/// The same values again and again, by overwriting and by deleting, and what was given for each write.
async fn given(root: &Path) -> Vec<String> {
    let (store, name, mut given) = (opened(root).await, key("a"), Vec::new());
    for _ in 0..3 {
        for value in ["A", "B", "A"] {
            given.push(store.put(&name, bytes(value), PutOptions::new()).await.unwrap().to_string());
        }
        store.delete(&name, Precondition::Any).await.unwrap();
    }
    given
}

#[test]
#[ignore = "it is a process that another test starts"]
fn the_giver() {
    let Some((root, _)) = as_process() else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for etag in runtime.block_on(given(&root)) {
        println!("\netag {etag}");
    }
}

#[tokio::test]
async fn no_etag_is_given_again_after_the_store_was_opened_again_by_this_process_or_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut all = Vec::new();
    for _ in 0..3 {
        all.extend(given(folder.path()).await);
        let giver = process("processes::the_giver", folder.path(), "").output().unwrap();
        assert!(giver.status.success());
        let told = String::from_utf8(giver.stdout).unwrap();
        all.extend(told.lines().filter_map(|line| line.strip_prefix("etag ")).map(str::to_owned));
    }
    assert_eq!(all.len(), 3 * 2 * 9);
    all.sort_unstable();
    all.dedup();
    assert_eq!(all.len(), 3 * 2 * 9, "one was given twice");
}

#[tokio::test]
async fn an_etag_of_before_a_deletion_is_refused_by_every_later_store() {
    let folder = tempfile::tempdir().unwrap();
    let name = key("a");
    let old = opened(folder.path()).await.put(&name, bytes("A"), PutOptions::new()).await.unwrap();
    let store = opened(folder.path()).await;
    assert!(store.delete(&name, Precondition::Matches(old.clone())).await.unwrap());
    let gone =
        opened(folder.path()).await.put(&name, bytes("A"), PutOptions::new().matches(old.clone())).await;
    assert!(matches!(&gone, Err(PutError::Conflict(conflict)) if conflict.current.is_none()), "{gone:?}");
    let new = store.put(&name, bytes("A"), PutOptions::new().absent()).await.unwrap();
    let late = opened(folder.path()).await.put(&name, bytes("B"), PutOptions::new().matches(old)).await;
    assert!(
        matches!(&late, Err(PutError::Conflict(conflict)) if conflict.current.as_ref() == Some(&new)),
        "{late:?}"
    );
}
