//! What does an entry cost that is a file? (Section E)
//!
//! The peers write a file aside, sync it and give it its name, as `tempfile` does it, with and without the sync of the
//! folder that makes the name survive the power too. They have no etags, no locks and no checksums. Everything happens on
//! the runtime's threads for blocking work.

use std::fs;
use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use dayfly_benches::contest::{Contest, Runner};
use dayfly_kv::{Bytes, Key, Namespace, PutOptions, Store};
use dayfly_kv_file::FileStore;
use tokio::runtime::{Builder, Runtime};

const PUTS: u64 = 128;
const GETS: u64 = 2_000;
const KEYS: u64 = 64;

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let runtime = Builder::new_multi_thread().worker_threads(2).build().expect("a runtime is built");
    for writers in [1, 16] {
        put(&mut runner, &runtime, writers);
    }
    get(&mut runner, &runtime);
    runner.end()
}

fn name(key: u64) -> String {
    format!("order-{key}")
}

fn value() -> Bytes {
    Bytes::from(format!("{{\"filling\":\"{}\"}}", "x".repeat(86)))
}

/// What people write who know that a rename is not enough, and what those write who do not.
fn write_aside(folder: &Path, name: &str, bytes: &[u8], syncs_folder: bool) {
    let mut file = tempfile::NamedTempFile::new_in(folder).expect("a file is made");
    file.write_all(bytes).expect("it is written");
    file.as_file().sync_all().expect("it is synced");
    file.persist(folder.join(format!("{name}.json"))).expect("it is renamed");
    if syncs_folder {
        fs::File::open(folder).and_then(|folder| folder.sync_all()).expect("the folder is synced");
    }
}

/// Runs so many writes, shared by so many tasks.
fn by_tasks<F: Future<Output = ()> + Send + 'static>(
    runtime: &Runtime,
    tasks: u64,
    writes: u64,
    write: impl Fn(u64) -> F + Clone + Send + Sync + 'static,
) {
    runtime.block_on(async {
        let mut running = tokio::task::JoinSet::new();
        for task in 0..tasks {
            let write = write.clone();
            running.spawn(async move {
                for number in (task..writes).step_by(tasks as usize) {
                    write(number % KEYS).await;
                }
            });
        }
        running.join_all().await;
    });
}

fn put(runner: &mut Runner, runtime: &Runtime, writers: u64) {
    let folders = [(); 3].map(|()| tempfile::tempdir().expect("a folder is made"));
    let store = opened(runtime, folders[0].path());
    let by_hand = |at: usize, syncs_folder| {
        let folder: Arc<Path> = Arc::from(folders[at].path());
        move |writes| {
            let folder = Arc::clone(&folder);
            by_tasks(runtime, writers, writes, move |key| {
                let (folder, value) = (Arc::clone(&folder), value());
                let write = move || write_aside(&folder, &name(key), &value, syncs_folder);
                let written = tokio::task::spawn_blocking(write);
                async move { written.await.expect("it is written") }
            });
        }
    };
    runner.ask(
        Contest::new(format!("put, {writers} writers"), PUTS)
            .with("tempfile, synced, renamed, folder synced", by_hand(1, true))
            .with("tempfile, synced, renamed", by_hand(2, false))
            .with("dayfly", |writes| {
                let store = Arc::clone(&store);
                by_tasks(runtime, writers, writes, move |key| {
                    let (store, key) = (Arc::clone(&store), Key::new(name(key)).expect("a key"));
                    async move {
                        store.put(&key, value(), PutOptions::new()).await.expect("it is put");
                    }
                });
            }),
    );
}

fn get(runner: &mut Runner, runtime: &Runtime) {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a folder is made"));
    let store = opened(runtime, folders[0].path());
    runtime.block_on(async {
        for key in 0..KEYS {
            let (key, name) = (Key::new(name(key)).expect("a key"), name(key));
            store.put(&key, value(), PutOptions::new()).await.expect("it is put");
            fs::write(folders[1].path().join(format!("{name}.json")), value()).expect("it is written");
        }
    });
    runner.ask(
        Contest::new("get, 1 reader", GETS)
            .with("tokio::task::spawn_blocking of std::fs::read", |reads| {
                runtime.block_on(async {
                    for number in 0..reads {
                        let file = folders[1].path().join(format!("{}.json", name(number % KEYS)));
                        let read = tokio::task::spawn_blocking(move || fs::read(file));
                        black_box(read.await.expect("it is run").expect("it is read"));
                    }
                });
            })
            .with("dayfly", |reads| {
                runtime.block_on(async {
                    for number in 0..reads {
                        let key = Key::new(name(number % KEYS)).expect("a key");
                        black_box(store.get(&key).await.expect("it is read"));
                    }
                });
            }),
    );
}

fn opened(runtime: &Runtime, root: &Path) -> Arc<FileStore> {
    let namespace = Namespace::new("acme", "shop", "order").expect("a namespace");
    runtime.block_on(FileStore::open(root, &namespace)).expect("it opens")
}
