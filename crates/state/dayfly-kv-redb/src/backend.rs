//! A database file, and the stores in it.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;

use dayfly_kv::{Backend, Clock, Namespace, OpenError, Store, SystemClock, Unavailable, async_trait};
use redb::StorageBackend;

use crate::core::Core;
use crate::file::{self, Source};
use crate::operation::Operation;
use crate::options::RedbOptions;
use crate::store::RedbStore;

/// A database file, and the stores of the namespaces in it. Clones are the same one.
///
/// The file stays open until the backend, its clones and its stores are gone, or until [`close`](Self::close). Dropping
/// the last of them finishes the writes that are under way and blocks its thread for as long as that takes, so that
/// whoever opens the file next finds it free; `close` does the same without blocking.
#[derive(Clone)]
pub struct RedbBackend {
    core: Arc<Core>,
}

impl RedbBackend {
    /// Opens the database file at this path, or makes it; its folder has to exist. On the system's clock.
    ///
    /// After a crash this repairs the file first, which reads all of it.
    ///
    /// # Errors
    /// When somebody has it open already, be it another process or this one; when what is there is no database, or a
    /// later version's; when it cannot be opened or written.
    ///
    /// # Cancel safety
    /// Nothing is lost: an empty file may have been made, and is let go of when opening has ended.
    pub async fn open_file(path: impl AsRef<Path>, options: &RedbOptions) -> Result<Self, OpenError> {
        Self::open_file_with(path, options, Arc::new(SystemClock)).await
    }

    /// Opens the database file at this path, or makes it, with deadlines by this clock.
    ///
    /// # Errors
    /// As for [`open_file`](Self::open_file).
    ///
    /// # Cancel safety
    /// As for [`open_file`](Self::open_file).
    pub async fn open_file_with(
        path: impl AsRef<Path>,
        options: &RedbOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        let path = path.as_ref();
        let location = path.display().to_string();
        Self::of(file::at_path(path.to_owned()), location, options, clock).await
    }

    /// Opens a database in a storage of your own: one that fails on purpose, or that encrypts. `storage` is asked for it
    /// once, and again whenever the database has to be opened again after a failure; each time it has to give what was
    /// written to the one before. `location` is what errors call it.
    ///
    /// # Errors
    /// As for [`open_file`](Self::open_file), and those of `storage`.
    ///
    /// # Cancel safety
    /// As for [`open_file`](Self::open_file).
    pub async fn open_storage(
        location: impl Into<String>,
        mut storage: impl FnMut() -> io::Result<Box<dyn StorageBackend>> + Send + 'static,
        options: &RedbOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        Self::of(Box::new(move |_| storage()), location.into(), options, clock).await
    }

    async fn of(
        source: Source,
        location: String,
        options: &RedbOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, OpenError> {
        Ok(Self { core: Arc::new(Core::open(source, location, options, clock).await?) })
    }

    /// The store of this namespace, made if there is none.
    ///
    /// # Errors
    /// When there are 65,536 namespaces in the file already, or when it cannot be written.
    ///
    /// # Cancel safety
    /// Nothing is lost: an empty namespace may have been made.
    pub async fn store(&self, namespace: &Namespace) -> Result<RedbStore, OpenError> {
        let core = &self.core;
        let space = if let Some(space) = core.shared.space(namespace) {
            space
        } else {
            let asked = namespace.clone();
            let id = core.ask(|reply| Operation::Space { namespace: asked, reply }).await?;
            core.shared.space_of(namespace, id)
        };
        Ok(RedbStore::new(Arc::clone(core), space))
    }

    /// Brings everything to the disk that was acknowledged. There is something to do with
    /// [`sync_within`](RedbOptions::sync_within) only.
    ///
    /// # Errors
    /// When that failed: what was acknowledged and not synced before may be lost.
    ///
    /// # Cancel safety
    /// Nothing is lost: it is synced all the same, sooner or later.
    pub async fn sync(&self) -> Result<(), Unavailable> {
        self.core.ask(|reply| Operation::Sync { reply }).await
    }

    /// Finishes the writes that are under way, brings everything to the disk, and lets go of the file. Whoever reads or
    /// writes later is told that it was closed, and every watch ends. Closing twice is an error the second time.
    ///
    /// # Errors
    /// When it was closed before, or the last sync failed.
    ///
    /// # Cancel safety
    /// Once it was polled and had room in the queue, it closes the database all the same.
    pub async fn close(&self) -> Result<(), Unavailable> {
        self.core.ask(|reply| Operation::Close { reply }).await
    }
}

#[async_trait]
impl Backend for RedbBackend {
    async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError> {
        Ok(Arc::new(self.store(namespace).await?))
    }
}

impl fmt::Debug for RedbBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbBackend").field("location", &self.core.shared.location).finish_non_exhaustive()
    }
}
