//! Processes that share a folder.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{Capability, KeyValueStore, Store, UpdateOptions};
use dayfly_kv_file::{Disk, FileStore, Held, SystemDisk};
use dayfly_testing::times;

use crate::support::{as_process, backend_on, namespace, opened, process};

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
