//! The store of a namespace.

use std::fmt;
use std::sync::Arc;

use dayfly_kv::{
    Bytes, Capabilities, ClearError, DeleteError, Entry, Etag, GetError, Key, Namespace, Page, Precondition,
    Prefix, PutError, PutOptions, Scan, ScanError, Store, SweepError, Unavailable, Watch, WatchError,
    WatchFrom, async_trait,
};
use tokio::runtime::Handle;

use crate::core::Core;
use crate::operation::Operation;
use crate::reading;
use crate::space::Space;

/// The store of a namespace in a database file.
///
/// A write waits for room in the queue, then for its transaction, which it shares with whatever else waits, and then for
/// the sync of that. Reads see what was committed last, and wait for no write.
#[derive(Clone)]
pub struct RedbStore {
    core: Arc<Core>,
    space: Arc<Space>,
}

impl RedbStore {
    pub(crate) const fn new(core: Arc<Core>, space: Arc<Space>) -> Self {
        Self { core, space }
    }

    /// What these keys have, all from one snapshot.
    async fn read_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        let location = &self.core.shared.location;
        let found =
            self.core.read(|entries| reading::entries(entries, &self.space, location, keys)).await??;
        // Only what has a deadline asks for the time.
        let mut now = None;
        let mut is_there = |entry: &Entry| {
            entry.deadline.is_none() || !entry.is_expired(*now.get_or_insert_with(|| self.core.clock.now()))
        };
        Ok(found.into_iter().map(|entry| entry.filter(&mut is_there)).collect())
    }
}

#[async_trait]
impl Store for RedbStore {
    fn namespace(&self) -> &Namespace {
        &self.space.namespace
    }

    fn capabilities(&self) -> &Capabilities {
        &self.core.capabilities
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        let found = self.read_many(std::slice::from_ref(key)).await?;
        Ok(found.into_iter().next().flatten())
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        self.read_many(keys).await
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        let (bytes, limit) = (value.len(), self.core.capabilities.max_value_bytes);
        if bytes > limit {
            return Err(PutError::TooLarge { bytes, limit });
        }
        let (space, key) = (Arc::clone(&self.space), key.clone());
        self.core.ask(|reply| Operation::Put { space, key, value, options, reply }).await
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        let (space, key) = (Arc::clone(&self.space), key.clone());
        self.core.ask(|reply| Operation::Delete { space, key, precondition, reply }).await
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        let (core, space, scan) = (Arc::clone(&self.core), Arc::clone(&self.space), scan.clone());
        let now = core.clock.now();
        let page = async move {
            core.read(|entries| reading::page(entries, &space, &core.shared.location, &scan, now)).await
        };
        match Handle::try_current() {
            // A page may be megabytes from the disk, which is nothing for a thread that runs tasks.
            Ok(runtime) => {
                let blocking = runtime.clone();
                let page = runtime.spawn_blocking(move || blocking.block_on(page)).await;
                let gone = |error| Unavailable::because("the runtime is shutting down", error);
                Ok(page.map_err(gone)??)
            }
            Err(_) => Ok(page.await?),
        }
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        Ok(self.space.changes.watch(prefix.clone(), &from))
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        let mut swept = 0;
        loop {
            let space = Arc::clone(&self.space);
            let chunk = self.core.ask(|reply| Operation::Sweep { space, reply }).await?;
            swept += chunk.count;
            if chunk.is_last {
                return Ok(swept);
            }
        }
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        let (mut cleared, mut after) = (0, None);
        loop {
            let space = Arc::clone(&self.space);
            let chunk = self.core.ask(|reply| Operation::Clear { space, after, reply }).await?;
            cleared += chunk.count;
            after = chunk.after;
            if chunk.is_last {
                return Ok(cleared);
            }
        }
    }
}

impl fmt::Debug for RedbStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &mut f.debug_struct("RedbStore");
        store.field("namespace", &self.space.namespace).field("location", &self.core.shared.location);
        store.finish_non_exhaustive()
    }
}
