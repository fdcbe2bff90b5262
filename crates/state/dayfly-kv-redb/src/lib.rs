//! The embedded store of `dayfly-kv`: one redb file, with group commit, expiry and watching.
//!
//! Bringing a write to the disk costs a sync, and a sync costs the same for one write as for a thousand. So one thread
//! writes: it takes all writes that wait, does them in one transaction in the order in which they came, syncs once, and
//! answers each. A lone writer is committed at once; nobody waits for company.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("relay.db");
//! use dayfly_kv::{Bytes, Key, Namespace, PutError, PutOptions, Store};
//! use dayfly_kv_redb::{RedbBackend, RedbOptions};
//!
//! let backend = RedbBackend::open_file(&path, &RedbOptions::new()).await?;
//! let orders = backend.store(&Namespace::new("acme", "shop", "order")?).await?;
//!
//! let key = Key::new("17")?;
//! let etag = orders.put(&key, Bytes::from("paid"), PutOptions::new().absent()).await?;
//! // From here on it survives the end of the process, and that of the machine.
//! let again = orders.put(&key, Bytes::from("sent"), PutOptions::new().absent()).await.unwrap_err();
//! assert!(matches!(again, PutError::Conflict(conflict) if conflict.current == Some(etag)));
//! backend.close().await?;
//! # Ok(()) }
//! ```
//!
//! [`RedbBackend`] is a [`Backend`](dayfly_kv::Backend), so a [`Provider`](dayfly_kv::Provider) opens its stores by
//! settings and types.
//!
//! # Guarantees
//! - A write is answered after it was synced, unless [`sync_within`](RedbOptions::sync_within) says otherwise. After a
//!   `kill -9` or a power loss the file opens, and has every write that was answered, none of them torn.
//! - Writes happen in the order in which they got into the queue. A precondition sees all that come before it; one that
//!   does not hold fails its own write only.
//! - Reads see one snapshot each, and wait for no write and no sync.
//! - When a commit fails, each of its writes says so: [`Unknown`](dayfly_kv::PutError::Unknown) if it may have landed,
//!   [`Unavailable`](dayfly_kv::PutError::Unavailable) if it did not. Then the file is opened again, so that a disk that has
//!   room again is written to again. After a failed *sync* nobody can know what is on the disk: then everything is refused
//!   until the database is dropped and opened anew.
//! - The queue has a bound, and so has a transaction (8 MiB and one write), a page of a scan (4 MiB and one entry), and what
//!   is kept for those who watch.
//! - A sweep goes through what has expired and through nothing else.
//!
//! # Limits
//! - One process at a time has the file open; a second one is told that it is in use. So is a second opening by the same
//!   process: share the backend, or clone it.
//! - A write whose future is dropped while it waits for room does not happen. After that it may happen, and the caller is
//!   not told.
//! - A get reads from the cache of pages, and what is not there from the file, on the thread that asks: a disk's read at
//!   worst. A scan goes to a thread for blocking work where there is a Tokio runtime.
//! - After a crash the file is checked as a whole when it is opened, which takes as long as reading it.
//! - The file does not shrink. Room that becomes free is used again.
//! - A watch ends with the process; a cursor of an earlier one is answered with a gap.
//! - redb 4.4 needs Rust 1.90.
//!
//! # When to use something else
//! - redb itself, or `SQLite`: for transactions over several keys, for queries, for several processes.
//! - `dayfly-kv-file`: for a few entries that a person wants to read and edit.
//! - [`MemoryStore`](dayfly_kv::MemoryStore): for what need not outlive the process.

mod backend;
mod committer;
mod core;
mod file;
mod group;
mod operation;
mod options;
mod queue;
mod reading;
mod record;
mod rows;
mod shared;
mod space;
mod storage;
mod store;
mod tables;

pub use backend::RedbBackend;
pub use options::RedbOptions;
pub use store::RedbStore;
