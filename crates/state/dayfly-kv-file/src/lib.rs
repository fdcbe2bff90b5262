//! A dayfly-kv store of JSON files: readable by people, safe across processes, kill -9 and power loss.
//!
//! Everybody has written "save it as a JSON file" once, and lost data by it: the file was torn by a crash, renamed before
//! its bytes were on the disk, overwritten by a second process, or a key named `../../x` left the folder. This crate owns
//! that decision: each entry is one file under `root/database/container/entity`, written aside, synced, renamed, and the
//! folder synced, under a lock that holds across processes and ends with them.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let root = folder.path();
//! use dayfly_kv::{KeyValueStore, Namespace, PutOptions};
//! use dayfly_kv_file::FileStore;
//!
//! let store = FileStore::open(root, &Namespace::new("acme", "shop", "stock")?).await?;
//! let stock = KeyValueStore::<String, u32>::json(store.clone());
//! stock.put("apples", &3, PutOptions::new()).await?;
//! // Safe against every other process that has the same folder open.
//! assert_eq!(stock.update("apples", |apples| apples.unwrap_or(0) + 1).await?.value, 4);
//!
//! // acme/shop/stock/apples.json
//! let file = std::fs::read_to_string(store.folder().join("apples.json"))?;
//! assert!(file.contains(r#""key": "apples""#));
//! # Ok(()) }
//! ```
//!
//! A file looks like this; a value that is no JSON stands in it as `base64`:
//!
//! ```json
//! {
//!   "format": 1,
//!   "key": "apples",
//!   "etag": "5a1f0c93b7e2d481-0000000000000001",
//!   "expires": "2026-01-01T00:00:30.000000000Z",
//!   "value": {"version":1,"value":4},
//!   "crc32": "9c31b6e0"
//! }
//! ```
//!
//! # Guarantees
//! - What was acknowledged survives `kill -9`, and the loss of power on a disk that keeps what it has synced. A reader
//!   sees one entry or the other, never half of one, and never waits for a writer.
//! - A compare-and-swap holds across tasks, threads and processes. The lock of a process that was killed is free at once.
//! - Keys and namespaces are reversible names of `a-z 0-9 _ - %`, at most 133 bytes with their suffix: no key leaves the
//!   root, and no two meet on a file system that folds capitals or letters. What is too long ends with its digest
//!   (SHA-256) and has its key in the file. Windows' reserved names are escaped.
//! - Values come back byte by byte. Every flipped bit and every torn tail is found by the checksum over the whole file:
//!   it is `Corrupt`, with the path. The others stay readable, and an unconditional put or delete repairs it.
//! - When a call of the disk fails, nothing was changed, or the answer is `Unknown`; the next call works as soon as the
//!   disk does. What a dead writer leaves is at most one draft for each of 64 locks, and goes when the store is opened,
//!   swept, or written to.
//! - What this process writes is told to those who watch at once, in the order of the writes of each key, and once. What is
//!   in a file decides what is told of it, not the event.
//! - Every future may be dropped at any await: a write then happens as a whole, or never. Nothing blocks async threads.
//!   At most [`max_threads`](FileOptions::max_threads) read at once, and as many write.
//!
//! # Features
//! - `serde` (off by default): [`FileOptions`] are read from configuration and written to it.
//! - `watch` (off by default): those who watch are told of what other processes write, through events of the file system
//!   (`notify`).
//!
//! # Limits
//! - What other processes write is told to those who watch with the feature `watch` only, and where the file system has
//!   events: [`capabilities`](dayfly_kv::Store::capabilities) say so. All watched stores of a process then share one
//!   instance of the system's watches and one thread, which reads each file that anybody has written: a file system that
//!   hangs holds up what is told of the others. A network file system tells of this host only. What cannot
//!   be read, and what the system has dropped, is a gap. If the folder is removed, watches end with an error.
//! - A watch's cursor leads on as long as somebody watches, and is answered with a gap after that.
//! - A value that was written a moment ago can be read before it is synced: who reads it may see it lost with the power,
//!   until its writer was told. Each write costs two syncs.
//! - Every page of a scan reads the names of all entries, and the files of those whose key is too long for a name; `sweep`
//!   and `clear` read all files. A listing is as good as the file system's: one that moves a name while it is replaced
//!   may leave it out.
//! - A file that was changed by hand is corrupt: its checksum is wrong. Files that do not end in `.json` are left alone. A
//!   folder that stands where an entry should is corrupt, too, and has to be removed by hand.
//! - Keys share 64 locks. A process that is stopped (not killed) in the middle of a write holds up the others who write
//!   keys of that lock, and a runtime that shuts down waits for them: use `shutdown_timeout`.
//! - Locks are those of the operating system: on network file systems that have none for all hosts, only the processes of
//!   one host are kept apart. On Windows folders are not synced, and `capabilities` say so; the tests run on Linux.
//!
//! # When to use something else
//! - `dayfly-kv-redb` for many entries or many writes: it shares one sync among all who write at once.
//! - `dayfly_kv::MemoryStore` for what may be lost.
//! - `rusqlite` for what is queried by more than its key.

mod backend;
mod disk;
mod events;
mod folder;
mod name;
mod options;
mod record;
mod store;
mod threads;
mod watching;

pub use backend::FileBackend;
pub use disk::{Disk, Draft, Held, SystemDisk};
pub use options::FileOptions;
pub use store::FileStore;
