//! A store whose entries are remembered for a while.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use tokio::time::Instant;

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

mod options;
mod remembered;

pub use options::CacheOptions;

use remembered::{Filling, Remembered};

/// What was read of some stores, remembered for a while. A clone is another handle to the same memory.
///
/// It is bounded over all of them; entries are known by their whole namespace, so no tenant is ever shown what another
/// one has.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use std::sync::Arc;
/// use dayfly_kv::{Cache, CacheOptions, MemoryBackend, Place, Provider};
///
/// let cache = Cache::new(&CacheOptions::new().max_entries(10_000));
/// let defaults = Place::new().container("shop").entity("order");
/// let provider = Provider::new(Arc::new(MemoryBackend::new()), defaults).layer(move |store| cache.over(store));
/// let orders = provider.open(&Place::new().database("acme")).await?;
/// # assert_eq!(orders.namespace().database(), "acme");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct Cache(Arc<Mutex<Remembered>>);

/// A store whose entries are remembered for a while, by [`Cache::over`].
///
/// - `get` and `get_many` remember what they find, except entries with a deadline; what is absent is not remembered.
/// - Whatever is written through a cache that remembers it is forgotten, whether the write succeeds or not, so that a
///   retry after a conflict finds what is there.
/// - What others write is seen when the memory of it has reached its maximum age, and not before. `contains`, `scan` and
///   `watch` are not remembered at all.
#[derive(Debug)]
pub struct CachedStore {
    inner: Arc<dyn Store>,
    cache: Cache,
}

impl Cache {
    /// Nothing is remembered yet.
    pub fn new(options: &CacheOptions) -> Self {
        Self(Arc::new(Mutex::new(Remembered::new(options))))
    }

    /// This store, with what is read of it remembered here.
    pub fn over(&self, inner: Arc<dyn Store>) -> Arc<dyn Store> {
        Arc::new(CachedStore { inner, cache: self.clone() })
    }

    /// How many entries are remembered.
    pub fn len(&self) -> usize {
        self.locked().len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let forgotten = self.locked().clear();
        drop(forgotten);
    }

    fn locked(&self) -> MutexGuard<'_, Remembered> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl CachedStore {
    fn remembered(&self, key: &Key) -> Result<Entry, Filling> {
        let now = Instant::now();
        let (found, _outdated) = self.cache.locked().get(self.inner.namespace(), key, now);
        found
    }

    /// Remembers what was read, unless something was written since the reading began.
    fn remember(&self, key: &Key, found: Option<&Entry>, filling: Filling) {
        if let Some(entry) = found.filter(|entry| entry.deadline.is_none()) {
            let now = Instant::now();
            let displaced = self.cache.locked().insert(self.inner.namespace(), key, entry, filling, now);
            drop(displaced);
        }
    }

    /// Forgets an entry when what it returns is dropped: after a write, be it that the write was dropped itself.
    fn forgetting<'a>(&'a self, key: &'a Key) -> Forgetting<'a> {
        Forgetting { store: self, key }
    }
}

struct Forgetting<'a> {
    store: &'a CachedStore,
    key: &'a Key,
}

impl Drop for Forgetting<'_> {
    fn drop(&mut self) {
        let forgotten = self.store.cache.locked().forget(self.store.inner.namespace(), self.key);
        drop(forgotten);
    }
}

/// Forgets a whole namespace when it is dropped.
struct ForgettingAll<'a>(&'a CachedStore);

impl Drop for ForgettingAll<'_> {
    fn drop(&mut self) {
        let forgotten = self.0.cache.locked().forget_all(self.0.inner.namespace());
        drop(forgotten);
    }
}

#[async_trait]
impl Store for CachedStore {
    fn namespace(&self) -> &Namespace {
        self.inner.namespace()
    }

    fn capabilities(&self) -> &Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        let filling = match self.remembered(key) {
            Ok(entry) => return Ok(Some(entry)),
            Err(filling) => filling,
        };
        let found = self.inner.get(key).await?;
        self.remember(key, found.as_ref(), filling);
        Ok(found)
    }

    async fn contains(&self, key: &Key) -> Result<bool, GetError> {
        self.inner.contains(key).await
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut missing = Vec::new();
        for (at, key) in keys.iter().enumerate() {
            match self.remembered(key) {
                Ok(entry) => found.push(Some(entry)),
                Err(filling) => {
                    missing.push((at, filling));
                    found.push(None);
                }
            }
        }
        if !missing.is_empty() {
            let asked: Vec<Key> = missing.iter().map(|(at, _)| keys[*at].clone()).collect();
            let answers = self.inner.get_many(&asked).await?;
            for ((at, filling), entry) in missing.into_iter().zip(answers) {
                self.remember(&keys[at], entry.as_ref(), filling);
                found[at] = entry;
            }
        }
        Ok(found)
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        let _forgetting = self.forgetting(key);
        self.inner.put(key, value, options).await
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        let _forgetting = self.forgetting(key);
        self.inner.delete(key, precondition).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        self.inner.scan(scan).await
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        self.inner.watch(prefix, from).await
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        self.inner.sweep().await
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        let _forgetting = ForgettingAll(self);
        self.inner.clear().await
    }
}
