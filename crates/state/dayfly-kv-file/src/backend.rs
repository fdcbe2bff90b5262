//! Stores of files by their namespace, under one root.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use dayfly_kv::{Backend, Clock, Namespace, OpenError, Store, SystemClock, async_trait};

use crate::disk::{Disk, SystemDisk};
use crate::folder::Folder;
use crate::options::FileOptions;
use crate::store::FileStore;
use crate::threads::{Lost, Threads, run};

/// Opens stores of files under one root: `root/database/container/entity`, each name escaped where it has to be.
///
/// Stores of one backend share its threads. Other backends and other processes may use the same root at the same time.
#[derive(Debug)]
pub struct FileBackend {
    root: PathBuf,
    options: FileOptions,
    clock: Arc<dyn Clock>,
    disk: Arc<dyn Disk>,
    threads: Threads,
    /// Those that somebody has. Two of one namespace would exclude each other by the locks of files alone.
    stores: Mutex<HashMap<Namespace, Weak<FileStore>>>,
}

impl FileBackend {
    /// The stores of this folder, with the default options, on the system's clock. Nothing is touched until one is opened.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self::with(root, FileOptions::new(), Arc::new(SystemClock))
    }

    /// The stores of this folder, with these options, on this clock.
    pub fn with(root: impl Into<PathBuf>, options: FileOptions, clock: Arc<dyn Clock>) -> Self {
        let threads = Threads::new(options.max_threads);
        let disk = Arc::new(SystemDisk);
        Self { root: root.into(), options, clock, disk, threads, stores: Mutex::default() }
    }

    /// On this disk instead of the system's.
    #[must_use]
    pub fn disk(mut self, disk: Arc<dyn Disk>) -> Self {
        self.disk = disk;
        self
    }

    /// The folder under which everything lies.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The store of this namespace; its folder is made if there is none.
    ///
    /// # Errors
    /// When the folder cannot be made, synced or locked.
    ///
    /// # Cancel safety
    /// Nothing is lost: an empty folder may have been made.
    pub async fn open_store(&self, namespace: &Namespace) -> Result<Arc<FileStore>, OpenError> {
        if let Some(store) = self.stores().get(namespace).and_then(Weak::upgrade) {
            return Ok(store);
        }
        let (disk, clock) = (Arc::clone(&self.disk), Arc::clone(&self.clock));
        let (root, options, wanted) = (self.root.clone(), self.options.clone(), namespace.clone());
        let prepare = move || Folder::prepare(disk, clock, &root, &wanted, &options);
        let (folder, capabilities) = run(&self.threads.writes, prepare).await.map_err(Lost::why)??;
        let opened = FileStore::new(namespace.clone(), capabilities, folder, self.threads.clone());
        let mut stores = self.stores();
        // Somebody else may have been faster.
        if let Some(store) = stores.get(namespace).and_then(Weak::upgrade) {
            return Ok(store);
        }
        stores.retain(|_, store| store.strong_count() > 0);
        let store = Arc::new(opened);
        stores.insert(namespace.clone(), Arc::downgrade(&store));
        Ok(store)
    }

    fn stores(&self) -> MutexGuard<'_, HashMap<Namespace, Weak<FileStore>>> {
        self.stores.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Backend for FileBackend {
    async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError> {
        Ok(self.open_store(namespace).await?)
    }
}
