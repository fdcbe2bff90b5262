//! A second store to read from.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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
use crate::store::Store;
use crate::watch::{Watch, WatchFrom};

/// Reads from a second store while the first one is unavailable. Writes go to the first one only, so that nothing that
/// was acknowledged stands where nobody looks later.
///
/// What the second one tells may be old, such as what a replica has, and its etags may be others: a write that is
/// conditional on one of them is then a conflict, never a wrong write. A scan stays with the store that it finds at each
/// page. Only [`Unavailable`](crate::Unavailable) makes it look elsewhere: what is corrupt is told.
#[derive(Debug)]
pub struct FallbackStore {
    first: Arc<dyn Store>,
    second: Arc<dyn Store>,
    fallbacks: AtomicU64,
}

impl FallbackStore {
    /// Reads from the second store while the first one is unavailable.
    pub fn new(first: Arc<dyn Store>, second: Arc<dyn Store>) -> Self {
        Self { first, second, fallbacks: AtomicU64::new(0) }
    }

    /// How many calls the second store was asked for the first one.
    pub fn fallbacks(&self) -> u64 {
        self.fallbacks.load(Ordering::Relaxed)
    }

    fn second(&self) -> &dyn Store {
        self.fallbacks.fetch_add(1, Ordering::Relaxed);
        &*self.second
    }
}

#[async_trait]
impl Store for FallbackStore {
    fn namespace(&self) -> &Namespace {
        self.first.namespace()
    }

    fn capabilities(&self) -> &Capabilities {
        self.first.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        match self.first.get(key).await {
            Err(GetError::Unavailable(_)) => self.second().get(key).await,
            found => found,
        }
    }

    async fn contains(&self, key: &Key) -> Result<bool, GetError> {
        match self.first.contains(key).await {
            Err(GetError::Unavailable(_)) => self.second().contains(key).await,
            found => found,
        }
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        match self.first.get_many(keys).await {
            Err(GetError::Unavailable(_)) => self.second().get_many(keys).await,
            found => found,
        }
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        self.first.put(key, value, options).await
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        self.first.delete(key, precondition).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        match self.first.scan(scan).await {
            Err(ScanError::Unavailable(_)) => self.second().scan(scan).await,
            page => page,
        }
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        self.first.watch(prefix, from).await
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        self.first.sweep().await
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        self.first.clear().await
    }
}
