//! One etag contract for key-value stores: compare-and-swap, expiry, scan, watch, and a store in memory.
//!
//! What goes wrong with state by hand is always the same: a lost update, a write that was retried and done twice, an
//! entry that came back after it was deleted, a tenant who sees another one's. This crate owns the contract against that.
//! [`Store`] is what every backend keeps, in bytes; [`KeyValueStore`] puts your types on it; the decorators wrap any store.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use std::time::Duration;
//! use dayfly_kv::{KeyValueStore, MemoryStore, Namespace, PutOptions, SaveError};
//!
//! // database / container / entity: a tenant, what it is for, what the values are.
//! let store = Arc::new(MemoryStore::new(Namespace::new("acme", "shop", "stock")?));
//! let stock = KeyValueStore::<String, u32>::json(store);
//!
//! // Compare-and-swap: what was read is written back only if nobody has changed it since.
//! let first = stock.put("apples", &3, PutOptions::new().absent()).await?;
//! stock.put("apples", &4, PutOptions::new().matches(first.clone())).await?;
//! let late = stock.put("apples", &5, PutOptions::new().matches(first)).await;
//! assert!(matches!(late, Err(SaveError::Conflict(_))));
//!
//! // Or let an update read, change, and try again until it is done, once.
//! let sold = stock.update("apples", |apples| apples.unwrap_or(0) - 1).await?;
//! assert_eq!(sold.value, 3);
//!
//! // What nobody has takes whoever comes first, for a while.
//! let lease = PutOptions::new().absent().time_to_live(Duration::from_secs(30));
//! assert!(stock.put("till", &1, lease.clone()).await.is_ok());
//! assert!(stock.put("till", &2, lease).await.is_err());
//! # Ok(()) }
//! ```
//!
//! | | what it is |
//! |---|---|
//! | [`Store`], [`Backend`] | the contract of a store of bytes, and what opens stores |
//! | [`KeyValueStore`], [`Codec`], [`Json`], [`State`] | values of types: `update`, `try_update`, `get_required`, versions and upcasts |
//! | [`Provider`], [`Place`], [`Namespace`] | stores by database, container and entity, each with a default |
//! | [`MemoryStore`], [`MemoryBackend`] | the store in memory |
//! | [`RetryStore`], [`BreakerStore`], [`Cache`], [`FallbackStore`], [`InstrumentedStore`] | decorators over any store, in any order |
//! | [`ChangeFeed`], [`EtagSource`] | what a backend of yours tells of changes with, and makes etags with |
//! | [`Migration`] | from one container or version to another: resumable, with a dry run |
//! | [`ScriptedStore`], [`ManualClock`] | a store that fails as it is told, and a clock that stands still, for your tests |
//!
//! Other backends are crates of their own; `dayfly-kv-conformance` examines whether one keeps the contract.
//!
//! # Guarantees
//! - An etag is unique per write, also across delete and recreate, and never a hash of the content. A precondition that
//!   does not hold changes nothing and says what is there. What was deleted or has expired is not resurrected.
//! - A write whose answer was lost ends as `Unknown`, not as a failure. [`KeyValueStore::update`] settles it by the mark
//!   of its write and sends it again only where at most one of the two can be done; what cannot be told is for the caller.
//! - At its deadline an entry is there, after it it is gone, for every operation alike. Only entries with a deadline ask
//!   the [`Clock`].
//! - What is invalid (a key, a prefix, a namespace without a tenant, a value that is too large or would not come back) is
//!   refused before any input or output.
//! - A value of JSON comes back as it was: numbers that are not finite and values nested too deep are refused.
//! - Every future may be dropped at any await: a write happened as a whole, may yet, or never will. In memory no future
//!   ever waits.
//! - Watches, caches and reports are bounded. Code of yours (clocks, wakers, drops of values) never runs under a lock.
//!
//! # Features
//! - `serde` (off by default): [`UpdateOptions`], [`CacheOptions`], [`MemoryOptions`] and [`Place`] are read from
//!   configuration and written to it. Reading runs the checks of the setters, and nothing panics on input.
//! - `metrics` (off by default): an [`InstrumentedStore`] counts and times its calls through the `metrics` facade.
//!
//! # Limits
//! - There are no transactions over several keys; `get_many` and `scan` are no snapshots.
//! - A watch tells keys and etags, not values, so that a slow one holds little; read the entry for its value. In memory,
//!   each write looks through those who watch.
//! - An update that creates an entry and loses the answer, and finds nothing, is unknown: it may have been created and
//!   deleted since.
//! - The store in memory holds what is put until it is deleted, swept or cleared. The first scan sorts the keys, and from
//!   then on new keys are sorted in. A shard is cleared under its lock.
//! - A cache sees what others write when the memory of it is old enough. It remembers no entry with a deadline.
//!
//! # When to use something else
//! - `dashmap` or a `Mutex<HashMap>` for a map inside of one process, without etags, expiry and watching.
//! - `moka` or `quick_cache` for a cache whose loss nobody minds.
//! - `object_store` for blobs, and `sqlx` for what is queried by more than its key.

mod backend;
mod breaker_store;
mod cached;
mod capabilities;
mod changes;
mod clock;
mod codec;
mod deadline;
mod ending;
mod entry;
mod error;
mod etag;
mod fallback;
mod instrumented;
mod key;
mod key_text;
mod key_value_store;
mod memory;
mod migration;
mod namespace;
mod nonce;
mod precondition;
mod provider;
mod put;
mod random;
mod retry_store;
mod scan;
mod scripted;
mod state;
mod store;
mod update_options;
mod versioned;
mod watch;

pub use async_trait::async_trait;
pub use backend::Backend;
pub use breaker_store::BreakerStore;
pub use bytes::Bytes;
pub use cached::{Cache, CacheOptions, CachedStore};
pub use capabilities::{Capabilities, Capability, DEFAULT_MAX_VALUE_BYTES, MissingCapability};
pub use changes::{ChangeFeed, Woken};
pub use clock::{Clock, ManualClock, SystemClock};
pub use codec::{Codec, DecodeError, EncodeError, Json, UpcastError, Upcasts};
pub use deadline::Deadline;
pub use entry::Entry;
pub use error::{
    ClearError, Conflict, Corrupt, DeleteError, GetError, OpenError, PutError, ScanError, SweepError,
    Unavailable, WatchError,
};
pub use etag::{Etag, EtagSource};
pub use fallback::FallbackStore;
pub use instrumented::{InstrumentedStore, StoreStats};
pub use key::{Key, KeyError, Prefix};
pub use key_text::{FromKey, ToKey};
pub use key_value_store::{
    KeyValueStore, ListError, Listed, LoadError, RemoveError, RequireError, SaveError, Stored, UpdateError,
};
pub use memory::{MemoryBackend, MemoryOptions, MemoryStore};
pub use migration::{EntryError, MigrateError, Migration, MigrationOptions, MigrationReport, OnExisting};
pub use namespace::{Namespace, NamespaceError, NamespacePart};
pub use nonce::Nonce;
pub use precondition::Precondition;
pub use provider::{Place, Provider};
pub use put::PutOptions;
pub use retry_store::RetryStore;
pub use scan::{Page, Scan};
pub use scripted::{Call, Fault, ScriptedStore};
pub use state::State;
pub use store::Store;
pub use update_options::UpdateOptions;
pub use versioned::Versioned;
pub use watch::{Change, Cursor, Watch, WatchFrom, What};
