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
mod capabilities;
mod clock;
mod deadline;
mod entry;
mod error;
mod etag;
mod key;
mod memory;
mod namespace;
mod nonce;
mod precondition;

mod put;
mod random;
mod scan;
mod store;
mod watch;

pub use backend::Backend;
pub use bytes::Bytes;
pub use capabilities::{Capabilities, Capability, DEFAULT_MAX_VALUE_BYTES, MissingCapability};
pub use clock::{Clock, ManualClock, SystemClock};
pub use deadline::Deadline;
pub use entry::Entry;
pub use error::{
    ClearError, Conflict, Corrupt, DeleteError, GetError, OpenError, PutError, ScanError, SweepError,
    Unavailable, WatchError,
};
pub use etag::{Etag, EtagSource};
pub use key::{Key, KeyError, Prefix};
pub use memory::{MemoryBackend, MemoryOptions, MemoryStore};
pub use namespace::{Namespace, NamespaceError, NamespacePart};
pub use nonce::Nonce;
pub use precondition::Precondition;

pub use put::PutOptions;
pub use scan::{Page, Scan};
pub use store::Store;
pub use watch::{Change, Cursor, Watch, WatchFrom, What};
