//! The contract of every store.

use std::fmt;

use async_trait::async_trait;
use bytes::Bytes;

use crate::capabilities::Capabilities;
use crate::entry::Entry;
use crate::error::{ClearError, DeleteError, GetError, PutError, ScanError, SweepError, WatchError};
use crate::etag::Etag;
use crate::key::{Key, Prefix};
use crate::namespace::Namespace;
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::scan::{Page, Scan};
use crate::watch::{Watch, WatchFrom};

/// A key-value store of bytes, bound to one namespace. This is what a backend implements, and what decorators wrap.
///
/// - Every write gives the entry an etag that no other write ever had.
/// - A precondition is checked and the write done in one step, as seen by everybody. When it does not hold, nothing is
///   changed.
/// - A deadline counts from the write. At its deadline an entry is there, after it it is absent, for every operation
///   alike; every put replaces the deadline, and no read moves it.
/// - What a call was acknowledged to have done, every later call sees.
///
/// `dayfly-kv-conformance` checks all of this for any backend.
///
/// # Cancel safety
/// Every future may be dropped at any await. A read leaves nothing behind. A write that was dropped ends as if its answer
/// had been lost: it happened as a whole, may yet happen as a whole, or never will; nothing is half written.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync {
    /// Where its entries live.
    fn namespace(&self) -> &Namespace;

    /// What it was found to do when it was opened.
    fn capabilities(&self) -> &Capabilities;

    /// The entry of this key, if there is one.
    ///
    /// # Errors
    /// When what is there cannot be read, or the store cannot look.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError>;

    /// Whether there is an entry of this key.
    ///
    /// # Errors
    /// As for [`get`](Self::get).
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    async fn contains(&self, key: &Key) -> Result<bool, GetError> {
        Ok(self.get(key).await?.is_some())
    }

    /// The entries of these keys, each at its key's place, with empty places where there is none. It is no snapshot:
    /// each entry is read by itself.
    ///
    /// # Errors
    /// As for [`get`](Self::get), with the first that failed.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        let mut found = Vec::with_capacity(keys.len());
        for key in keys {
            found.push(self.get(key).await?);
        }
        Ok(found)
    }

    /// Writes an entry, and gives its etag.
    ///
    /// # Errors
    /// When the precondition does not hold, the value is too large, the store has no such option or cannot write: then
    /// nothing was changed. When the answer was lost: then it may have been, or may yet be.
    ///
    /// # Cancel safety
    /// Dropped, the write happened as a whole, may yet happen, or never will.
    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError>;

    /// Deletes an entry; says whether there was one. [`Precondition::Any`] also removes what is corrupt.
    ///
    /// # Errors
    /// As for [`put`](Self::put).
    ///
    /// # Cancel safety
    /// Dropped, the deletion happened as a whole, may yet happen, or never will.
    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError>;

    /// A page of entries in the order of their keys, or in reverse. Over all pages each key is listed at most once;
    /// entries that were there all the while are listed, those that come and go meanwhile may be.
    ///
    /// # Errors
    /// When the store cannot list, or cannot look.
    ///
    /// # Cancel safety
    /// Nothing is lost: it changes nothing.
    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError>;

    /// Tells of changes of the keys that begin with this. What has happened when this returns is seen by whoever reads from
    /// then on; what happens later is told.
    ///
    /// # Errors
    /// When the store cannot watch, or cannot from there on.
    ///
    /// # Cancel safety
    /// Nothing is lost: a watch that nobody got tells nobody.
    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError>;

    /// Removes what has expired, and says how many entries that were. Reading needs no sweep: it frees room.
    ///
    /// # Errors
    /// When the store cannot remove; some entries may have been removed.
    ///
    /// # Cancel safety
    /// Dropped, some expired entries are removed and others are not; the next sweep finds them.
    async fn sweep(&self) -> Result<u64, SweepError>;

    /// Removes every entry of this namespace and of no other; says how many could be read until then. What is written
    /// meanwhile may stay.
    ///
    /// # Errors
    /// When the store cannot remove; some entries may have been removed.
    ///
    /// # Cancel safety
    /// Dropped, some entries are removed and others are not.
    async fn clear(&self) -> Result<u64, ClearError>;
}
