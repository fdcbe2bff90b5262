//! What does a durable put of 100 bytes cost in a file? (Section E)
//!
//! Each put replaces one of a thousand entries in a file of its own, all files in one folder on one disk. The peers do one
//! transaction each, on one thread, and come back when it is on the disk: that is what their users write. Ours does the
//! same through the async API, with one writer and with 64 at once. No value is written twice: `SQLite` leaves a page alone
//! that would not change.

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dayfly_benches::contest::{Contest, Runner};
use dayfly_kv::{Bytes, Key, Namespace, PutOptions, Store};
use dayfly_kv_redb::{RedbBackend, RedbOptions, RedbStore};
use redb::{Database, ReadableDatabase, TableDefinition};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

const KEYS: u64 = 1_000;
const PUTS: u64 = 256;
const WRITERS: u64 = 64;
const TABLE: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("entries");

fn main() -> ExitCode {
    let mut runner = Runner::from_command_line();
    let folder = tempfile::tempdir().expect("there is a folder for temporary files");
    puts(&mut runner, &folder);
    gets(&mut runner, &folder);
    runner.end()
}

fn keys() -> Vec<Key> {
    (0..KEYS).map(|key| Key::new(format!("order/{:04}", key * 619 % KEYS)).expect("these are keys")).collect()
}

/// A value that nobody else has.
fn value() -> [u8; 100] {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut value = [7; 100];
    value[..8].copy_from_slice(&NEXT.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    value
}

fn runtime() -> Runtime {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.worker_threads(2).enable_all().build().expect("there is a runtime")
}

/// A store that has every key.
fn ours(runtime: &Runtime, folder: &TempDir, name: &str, options: &RedbOptions) -> (RedbBackend, RedbStore) {
    let namespace = Namespace::new("acme", "shop", "order").expect("this is a namespace");
    runtime.block_on(async {
        let backend = RedbBackend::open_file(folder.path().join(name), options).await.expect("it opens");
        let store = backend.store(&namespace).await.expect("there is room");
        let mut writers = JoinSet::new();
        for key in keys() {
            let store = store.clone();
            writers.spawn(async move { store.put(&key, Bytes::from(vec![7; 100]), PutOptions::new()).await });
        }
        writers.join_all().await;
        (backend, store)
    })
}

fn put_by_one(runtime: &Runtime, store: &RedbStore, keys: &[Key], puts: u64) {
    runtime.block_on(async {
        for key in keys.iter().cycle().take(puts as usize) {
            let value = Bytes::copy_from_slice(&value());
            store.put(key, value, PutOptions::new()).await.expect("it is written");
        }
    });
}

fn put_by_many(runtime: &Runtime, store: &RedbStore, keys: &Arc<[Key]>, puts: u64) {
    runtime.block_on(async {
        let mut writers = JoinSet::new();
        for writer in 0..WRITERS {
            let (store, keys) = (store.clone(), Arc::clone(keys));
            writers.spawn(async move {
                for number in 0..puts / WRITERS {
                    let key = &keys[((writer + number * WRITERS) % KEYS) as usize];
                    let value = Bytes::copy_from_slice(&value());
                    store.put(key, value, PutOptions::new()).await.expect("it is written");
                }
            });
        }
        writers.join_all().await;
    });
}

/// One table, one transaction each.
fn redb_alone(folder: &TempDir) -> Database {
    let database = Database::create(folder.path().join("redb.db")).expect("it opens");
    let transaction = database.begin_write().expect("it begins");
    {
        let mut table = transaction.open_table(TABLE).expect("there is a table");
        for key in keys() {
            table.insert(key.as_str().as_bytes(), &[7; 100][..]).expect("it is written");
        }
    }
    transaction.commit().expect("it is committed");
    database
}

fn sqlite(folder: &TempDir, name: &str, mode: &str) -> Connection {
    let connection = Connection::open(folder.path().join(name)).expect("it opens");
    connection.pragma_update(None, "journal_mode", mode).expect("there is such a mode");
    connection.pragma_update(None, "synchronous", "FULL").expect("it syncs");
    connection
        .execute_batch("CREATE TABLE entries (key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID; BEGIN")
        .expect("there is a table");
    for key in keys() {
        let row = (key.as_str(), &[7_u8; 100][..]);
        connection.execute("INSERT INTO entries VALUES (?1, ?2)", row).expect("it is written");
    }
    connection.execute_batch("COMMIT").expect("it is committed");
    connection
}

fn put_into_sqlite(connection: &Connection, keys: &[Key], puts: u64) {
    let mut statement =
        connection.prepare_cached("REPLACE INTO entries VALUES (?1, ?2)").expect("this is a statement");
    for key in keys.iter().cycle().take(puts as usize) {
        statement.execute((key.as_str(), &value()[..])).expect("it is written");
    }
}

fn puts(runner: &mut Runner, folder: &TempDir) {
    let (runtime, keys) = (runtime(), keys());
    let shared: Arc<[Key]> = keys.clone().into();
    let alone = redb_alone(folder);
    let (rollback, wal) = (sqlite(folder, "rollback.db", "DELETE"), sqlite(folder, "wal.db", "WAL"));
    let synced = ours(&runtime, folder, "ours.db", &RedbOptions::new());
    let later = RedbOptions::new().sync_within(Duration::from_millis(100));
    let later = ours(&runtime, folder, "later.db", &later);
    runner.ask(
        Contest::new("durable put of 100 B", PUTS)
            .with("redb, one transaction each", |puts| {
                for key in keys.iter().cycle().take(puts as usize) {
                    let transaction = alone.begin_write().expect("it begins");
                    let mut table = transaction.open_table(TABLE).expect("there is a table");
                    table.insert(key.as_str().as_bytes(), &value()[..]).expect("it is written");
                    drop(table);
                    transaction.commit().expect("it is committed");
                }
            })
            .with("SQLite with a rollback journal, one transaction each", |puts| {
                put_into_sqlite(&rollback, &keys, puts);
            })
            .with("SQLite with a write-ahead log, one transaction each", |puts| {
                put_into_sqlite(&wal, &keys, puts);
            })
            .with("ours, one writer", |puts| put_by_one(&runtime, &synced.1, &keys, puts))
            .with("ours, 64 writers", |puts| put_by_many(&runtime, &synced.1, &shared, puts))
            .with("ours, one writer, synced within 100 ms", |puts| {
                put_by_one(&runtime, &later.1, &keys, puts);
            })
            .with("ours, 64 writers, synced within 100 ms", |puts| {
                put_by_many(&runtime, &later.1, &shared, puts);
            }),
    );
}

/// What does reading cost on the thread that asks, and what would it cost on another one?
fn gets(runner: &mut Runner, folder: &TempDir) {
    let (runtime, keys) = (runtime(), keys());
    let alone = Database::open(folder.path().join("redb.db")).expect("it opens");
    let ours = ours(&runtime, folder, "read.db", &RedbOptions::new());
    let store = ours.1.clone();
    runner.ask(
        Contest::new("get of 100 B", 20_000)
            .with("redb, one transaction each", |gets| {
                for key in keys.iter().cycle().take(gets as usize) {
                    let transaction = alone.begin_read().expect("it begins");
                    let table = transaction.open_table(TABLE).expect("there is a table");
                    let found = table.get_owned(key.as_str().as_bytes()).expect("it is read");
                    std::hint::black_box(found.expect("it is there").value().to_vec());
                }
            })
            .with("ours", |gets| {
                runtime.block_on(async {
                    for key in keys.iter().cycle().take(gets as usize) {
                        std::hint::black_box(store.get(key).await.expect("it is read"));
                    }
                });
            })
            .with("ours, each on a thread for blocking work", |gets| {
                runtime.block_on(async {
                    for key in keys.iter().cycle().take(gets as usize) {
                        let (store, key) = (store.clone(), key.clone());
                        let runtime = tokio::runtime::Handle::current();
                        let read =
                            move || runtime.block_on(async { store.get(&key).await.expect("it is read") });
                        std::hint::black_box(tokio::task::spawn_blocking(read).await.expect("it ends"));
                    }
                });
            }),
    );
}
