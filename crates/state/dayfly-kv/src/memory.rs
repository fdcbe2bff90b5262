//! A store in memory.

use std::fmt;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use hashbrown::DefaultHashBuilder;

use crate::capabilities::{Capabilities, Capability};
use crate::changes::{ChangeFeed, Woken};
use crate::clock::{Clock, SystemClock};
use crate::entry::Entry;
use crate::error::{ClearError, DeleteError, GetError, PutError, ScanError, SweepError, WatchError};
use crate::etag::Etag;
use crate::key::{Key, Prefix};
use crate::namespace::Namespace;
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::random::random;
use crate::scan::{Page, Scan};
use crate::store::Store;
use crate::watch::{Watch, WatchFrom, What};

mod backend;
mod merge;
mod options;
mod shard;

pub use backend::MemoryBackend;
pub use options::MemoryOptions;

use shard::{Deleted, Shard, Wrote};

/// Enough that threads seldom meet, few enough to merge a page from.
const SHARDS: usize = 64;

/// How many expired entries a sweep removes before it lets others to the shard.
const SWEPT_AT_ONCE: usize = 128;

/// A store in memory: for tests, for caches, and for what need not outlive the process.
///
/// Its entries are spread over 64 locks by the hash of their keys. The methods that end in `_now` are those of [`Store`]
/// without a future: they never wait for anything but a lock that is held for a moment. The clock is read only for
/// entries that have a deadline.
pub struct MemoryStore {
    namespace: Namespace,
    capabilities: Capabilities,
    clock: Arc<dyn Clock>,
    hasher: DefaultHashBuilder,
    shards: Box<[Locked]>,
    changes: ChangeFeed,
}

impl MemoryStore {
    /// An empty store, with the default options, on the system's clock.
    pub fn new(namespace: Namespace) -> Self {
        Self::with(namespace, &MemoryOptions::new(), Arc::new(SystemClock))
    }

    /// An empty store with these options on this clock.
    pub fn with(namespace: Namespace, options: &MemoryOptions, clock: Arc<dyn Clock>) -> Self {
        let origin = random();
        Self {
            namespace,
            capabilities: Capabilities::new(options.max_value_bytes)
                .without(Capability::AcrossProcesses, "memory is this process's own")
                .without(Capability::WatchAcrossProcesses, "memory is this process's own")
                .without(Capability::Durability, "memory ends with the process"),
            clock,
            hasher: DefaultHashBuilder::default(),
            shards: (0..SHARDS).map(|shard| Locked(Mutex::new(Shard::new(origin, shard)))).collect(),
            changes: ChangeFeed::new(options.watch_history),
        }
    }

    /// The entry of this key, if there is one.
    pub fn get_now(&self, key: &Key) -> Option<Entry> {
        let hash = self.hasher.hash_one(key);
        let found = self.shard(hash).get(hash, key);
        // The clock is read only here: after the lock, and for an entry with a deadline.
        match &found {
            Some(Entry { deadline: Some(deadline), .. }) if deadline.is_past(self.clock.now()) => None,
            _ => found,
        }
    }

    /// Writes an entry, and gives its etag.
    ///
    /// # Errors
    /// When the precondition does not hold, or the value is too large. Nothing else goes wrong here.
    pub fn put_now(&self, key: &Key, mut value: Bytes, options: &PutOptions) -> Result<Etag, PutError> {
        let limit = self.capabilities.max_value_bytes;
        if value.len() > limit {
            return Err(PutError::TooLarge { bytes: value.len(), limit });
        }
        let hash = self.hasher.hash_one(key);
        let mut now = options.time_to_live.map(|_| self.clock.now());
        loop {
            let mut woken = Woken::default();
            let mut shard = self.shard(hash);
            let wrote = shard.put(hash, key, &mut value, options, now, &self.hasher);
            if let Wrote::Done(etag) = &wrote {
                self.tell_of_put(key, etag, &mut woken);
            }
            // What was replaced, and who is woken, is foreign code: it runs without the lock.
            drop(shard);
            woken.wake();
            match wrote {
                Wrote::Done(etag) => return Ok(etag),
                Wrote::Refused(conflict) => return Err(conflict.into()),
                Wrote::NeedsTime => now = Some(self.clock.now()),
            }
        }
    }

    /// Deletes an entry; says whether there was one.
    ///
    /// # Errors
    /// When the precondition does not hold. Nothing else goes wrong here.
    pub fn delete_now(&self, key: &Key, precondition: &Precondition) -> Result<bool, DeleteError> {
        let hash = self.hasher.hash_one(key);
        let mut now = None;
        loop {
            let mut woken = Woken::default();
            let mut shard = self.shard(hash);
            let deleted = shard.delete(hash, key, precondition, now);
            if let Deleted::Done(Some(_), _) = &deleted {
                self.tell_of_deletion(key, &mut woken);
            }
            drop(shard);
            woken.wake();
            match deleted {
                Deleted::Done(_removed, was_there) => return Ok(was_there),
                Deleted::Refused(conflict) => return Err(conflict.into()),
                Deleted::NeedsTime => now = Some(self.clock.now()),
            }
        }
    }

    /// A page of entries in the order of their keys.
    pub fn scan_now(&self, scan: &Scan) -> Page {
        merge::page(&self.shards, scan, self.clock.now(), &self.hasher)
    }

    /// Removes what has expired, and says how many entries that were.
    pub fn sweep_now(&self) -> u64 {
        let now = self.clock.now();
        let mut swept = 0;
        for shard in &self.shards {
            loop {
                let mut woken = Woken::default();
                let mut shard = shard.lock();
                let removed = shard.sweep(now, SWEPT_AT_ONCE, &self.hasher);
                for slot in &removed {
                    self.tell_of_deletion(&slot.key, &mut woken);
                }
                drop(shard);
                woken.wake();
                swept += removed.len() as u64;
                if removed.len() < SWEPT_AT_ONCE {
                    break;
                }
            }
        }
        swept
    }

    /// Removes every entry, and says how many could be read until then.
    pub fn clear_now(&self) -> u64 {
        let now = self.clock.now();
        let mut cleared = 0;
        for shard in &self.shards {
            let mut woken = Woken::default();
            let mut shard = shard.lock();
            let removed = shard.clear();
            for slot in &removed {
                self.tell_of_deletion(&slot.key, &mut woken);
            }
            drop(shard);
            woken.wake();
            cleared += removed.iter().filter(|slot| !slot.is_expired(now)).count() as u64;
        }
        cleared
    }

    /// Tells of changes of the keys that begin with this, from the call on.
    pub fn watch_now(&self, prefix: &Prefix, from: &WatchFrom) -> Watch {
        self.changes.watch(prefix.clone(), from)
    }

    /// Called under the shard's lock, so that changes of one key stand in their order.
    fn tell_of_put(&self, key: &Key, etag: &Etag, woken: &mut Woken) {
        if self.changes.is_watched() {
            self.changes.tell(What::Put { key: key.clone(), etag: etag.clone() }, woken);
        }
    }

    /// Called under the shard's lock, too.
    fn tell_of_deletion(&self, key: &Key, woken: &mut Woken) {
        if self.changes.is_watched() {
            self.changes.tell(What::Deleted { key: key.clone() }, woken);
        }
    }

    fn shard(&self, hash: u64) -> MutexGuard<'_, Shard> {
        // The table takes its places from the hash's low bits and its tags from the topmost ones.
        let shard = (hash >> 48) as usize % SHARDS;
        self.shards[shard].lock()
    }
}

/// A shard with its lock, in a cache line of their own: threads at neighbouring shards do not slow each other down.
#[derive(Debug)]
#[repr(align(64))]
struct Locked(Mutex<Shard>);

impl Locked {
    fn lock(&self) -> MutexGuard<'_, Shard> {
        locked(&self.0)
    }
}

/// Nothing panics under a lock here, so what a poisoned one guards is whole.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Store for MemoryStore {
    fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        Ok(self.get_now(key))
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        self.put_now(key, value, &options)
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        self.delete_now(key, &precondition)
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        Ok(self.scan_now(scan))
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        Ok(self.watch_now(prefix, &from))
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        Ok(self.sweep_now())
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        Ok(self.clear_now())
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        let mut woken = Woken::default();
        self.changes.end(&mut woken);
        woken.wake();
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &mut f.debug_struct("MemoryStore");
        store.field("namespace", &self.namespace).field("clock", &self.clock).finish_non_exhaustive()
    }
}
