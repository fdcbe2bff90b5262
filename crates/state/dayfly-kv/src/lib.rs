//! What it does, in one line.
//!
//! The decision that this crate owns, and one example that runs.
//!
//! # Guarantees
//! - What always holds.
//!
//! # Limits
//! - What it does not do.
//!
//! # When to use something else
//! - What serves better, and when.

mod backend;
mod cached;
mod capabilities;
mod clock;
mod codec;
mod deadline;
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
mod scan;
mod scripted;
mod state;
mod store;
mod update_options;
mod versioned;
mod watch;

pub use async_trait::async_trait;
pub use backend::Backend;
pub use bytes::Bytes;
pub use cached::{Cache, CacheOptions, CachedStore};
pub use capabilities::{Capabilities, Capability, DEFAULT_MAX_VALUE_BYTES, MissingCapability};
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
pub use scan::{Page, Scan};
pub use scripted::{Call, Fault, ScriptedStore};
pub use state::State;
pub use store::Store;
pub use update_options::UpdateOptions;
pub use versioned::Versioned;
pub use watch::{Change, Cursor, Watch, WatchFrom, What};
