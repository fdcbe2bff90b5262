//! The store: the folder's work, off the async threads.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use dayfly_kv::{
    Bytes, Capabilities, ClearError, DeleteError, Entry, Etag, GetError, Key, Namespace, OpenError, Page,
    Precondition, Prefix, PutError, PutOptions, Scan, ScanError, Store, SweepError, Watch, WatchError,
    WatchFrom, async_trait,
};
use tokio::sync::Mutex;

use crate::backend::FileBackend;
use crate::folder::{Folder, SHARDS, shard_of};
use crate::name;
use crate::threads::{Lost, Threads, run};

/// A store of JSON files in one folder, one per entry.
///
/// It is made by a [`FileBackend`], or by [`open`](Self::open). Its calls need a Tokio runtime.
pub struct FileStore {
    namespace: Namespace,
    capabilities: Capabilities,
    folder: Arc<Folder>,
    threads: Threads,
    /// Who waits for a lock that somebody else has, waits here and takes no thread.
    turns: Box<[Arc<Mutex<()>>]>,
}

impl FileStore {
    /// Opens the store of a namespace under a folder, both made if there are none, with the default options.
    ///
    /// # Errors
    /// When the folder cannot be made, synced or locked.
    ///
    /// # Cancel safety
    /// Nothing is lost: an empty folder may have been made.
    pub async fn open(root: impl Into<PathBuf>, namespace: &Namespace) -> Result<Arc<Self>, OpenError> {
        FileBackend::new(root).open_store(namespace).await
    }

    pub(crate) fn new(
        namespace: Namespace,
        capabilities: Capabilities,
        folder: Folder,
        threads: Threads,
    ) -> Self {
        let turns = (0..SHARDS).map(|_| Arc::default()).collect();
        Self { namespace, capabilities, folder: Arc::new(folder), threads, turns }
    }

    /// The folder of its entries.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file of this entry, be it there or not.
    pub fn path_of(&self, key: &Key) -> PathBuf {
        self.folder.file(&name::of(key.as_str()))
    }

    /// Runs what only reads.
    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Folder) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let folder = Arc::clone(&self.folder);
        run(&self.threads.reads, move || job(&folder)).await
    }

    /// Runs what writes, when it is the turn of this key's lock.
    async fn write<T: Send + 'static>(
        &self,
        key: &Key,
        job: impl FnOnce(&Folder) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let turn = &self.turns[shard_of(&name::of(key.as_str()))];
        let turn = Arc::clone(turn).lock_owned().await;
        let folder = Arc::clone(&self.folder);
        let job = move || {
            let _turn = turn;
            job(&folder)
        };
        run(&self.threads.writes, job).await
    }

    /// Runs what goes through all files.
    async fn write_all<T: Send + 'static>(
        &self,
        job: impl FnOnce(&Folder) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let folder = Arc::clone(&self.folder);
        run(&self.threads.writes, move || job(&folder)).await
    }
}

#[async_trait]
impl Store for FileStore {
    fn namespace(&self) -> &Namespace {
        &self.namespace
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        let key = key.clone();
        self.read(move |folder| folder.get(&key)).await.map_err(Lost::why)?
    }

    async fn get_many(&self, keys: &[Key]) -> Result<Vec<Option<Entry>>, GetError> {
        let keys = keys.to_vec();
        let get_all = move |folder: &Folder| keys.iter().map(|key| folder.get(key)).collect();
        self.read(get_all).await.map_err(Lost::why)?
    }

    async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
        let (bytes, limit) = (value.len(), self.capabilities.max_value_bytes);
        if bytes > limit {
            return Err(PutError::TooLarge { bytes, limit });
        }
        let owned = key.clone();
        match self.write(key, move |folder| folder.put(&owned, value, &options)).await {
            Ok(put) => put,
            Err(Lost::Before(why)) => Err(why.into()),
            Err(Lost::Within(why)) => Err(PutError::Unknown(why)),
        }
    }

    async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
        let owned = key.clone();
        match self.write(key, move |folder| folder.delete(&owned, &precondition)).await {
            Ok(deleted) => deleted,
            Err(Lost::Before(why)) => Err(why.into()),
            Err(Lost::Within(why)) => Err(DeleteError::Unknown(why)),
        }
    }

    async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
        let scan = scan.clone();
        Ok(self.read(move |folder| folder.scan(&scan)).await.map_err(Lost::why)??)
    }

    async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
        let (folder, prefix) = (Arc::clone(&self.folder), prefix.clone());
        let watch = run(&self.threads.reads, move || folder.watch(prefix, &from)).await;
        Ok(watch.map_err(Lost::why)??)
    }

    async fn sweep(&self) -> Result<u64, SweepError> {
        Ok(self.write_all(Folder::sweep).await.map_err(Lost::why)??)
    }

    async fn clear(&self) -> Result<u64, ClearError> {
        Ok(self.write_all(Folder::clear).await.map_err(Lost::why)??)
    }
}

impl Drop for FileStore {
    fn drop(&mut self) {
        self.folder.end_watches();
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let store = &mut f.debug_struct("FileStore");
        store.field("namespace", &self.namespace).field("folder", &self.folder).finish_non_exhaustive()
    }
}
