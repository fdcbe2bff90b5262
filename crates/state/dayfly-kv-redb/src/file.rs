//! Opening the file, and noticing what happens to it.

use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use dayfly::contain::contain;
use dayfly_kv::{Corrupt, OpenError, Unavailable};
use redb::backends::FileBackend;
use redb::{CommitError, Database, DatabaseError, StorageBackend, StorageError, TransactionError};

use crate::storage::Storage;
use crate::tables;

/// Makes the storage, once for every opening. It is told whether this is the first one.
pub(crate) type Source = Box<dyn FnMut(bool) -> io::Result<Box<dyn StorageBackend>> + Send>;

/// A database file that can be opened, and opened again.
pub(crate) struct File {
    source: Source,
    location: String,
    cache_bytes: usize,
    has_failed_sync: Arc<AtomicBool>,
}

impl File {
    pub(crate) fn new(source: Source, location: String, cache_bytes: usize) -> Self {
        Self { source, location, cache_bytes, has_failed_sync: Arc::default() }
    }

    /// Opens it, repairs what a crash has left, and writes something to see that it can be written.
    pub(crate) fn open(&mut self, is_first: bool) -> Result<Database, OpenError> {
        // What redb makes of a file that is none of its own is not to end the process.
        contain(|| self.try_open(is_first))
            .unwrap_or_else(|| Err(self.corrupt("redb panicked over it").into()))
    }

    fn try_open(&mut self, is_first: bool) -> Result<Database, OpenError> {
        let inner =
            (self.source)(is_first).map_err(|error| unavailable("cannot open the database", error.into()))?;
        let storage = Storage::new(inner, &self.has_failed_sync);
        let mut builder = Database::builder();
        builder.set_cache_size(self.cache_bytes);
        let database = builder.create_with_backend(storage).map_err(|error| self.open_error(error))?;
        let prepared = prepare(&database).map_err(|error| self.open_error(error.into()))?;
        match prepared {
            Err(reason) => Err(self.corrupt(reason).into()),
            // A file that was emptied or exchanged under us is not to be taken for ours.
            Ok(false) if !is_first => Err(self.corrupt("the file was emptied while it was open").into()),
            Ok(_) => Ok(database),
        }
    }

    /// Whether a sync has failed. What was written before it may be on the disk, or may not, whatever a read says.
    pub(crate) fn has_failed_sync(&self) -> bool {
        self.has_failed_sync.load(Ordering::SeqCst)
    }

    fn corrupt(&self, reason: impl Into<String>) -> Corrupt {
        Corrupt { location: self.location.clone(), reason: reason.into(), key: None }
    }

    fn open_error(&self, error: DatabaseError) -> OpenError {
        match error {
            DatabaseError::DatabaseAlreadyOpen => OpenError::InUse { location: self.location.clone() },
            DatabaseError::Storage(StorageError::Corrupted(reason)) => self.corrupt(reason).into(),
            DatabaseError::Storage(StorageError::Io(error))
                if matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData) =>
            {
                self.corrupt(error.to_string()).into()
            }
            DatabaseError::Storage(error) => unavailable("cannot open the database", error).into(),
            other => self.corrupt(other.to_string()).into(),
        }
    }
}

fn prepare(database: &Database) -> Result<Result<bool, String>, StorageError> {
    let transaction = database.begin_write().map_err(begin)?;
    let prepared = tables::prepare(&transaction)?;
    if prepared.is_ok() {
        transaction.commit().map_err(commit)?;
    }
    Ok(prepared)
}

/// A file at this path, made if there is none.
pub(crate) fn at_path(path: PathBuf) -> Source {
    Box::new(move |is_first| {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(is_first).truncate(false);
        let file = options.open(&path)?;
        if is_first {
            sync_folder(&path)?;
        }
        let backend = FileBackend::new(file).map_err(io::Error::other)?;
        Ok(Box::new(backend))
    })
}

/// A new file is there after a power loss only when its folder was synced.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// What could not be done, and why.
pub(crate) fn unavailable(what: &str, error: StorageError) -> Unavailable {
    match error {
        // The error of the system is what tells a full disk from a broken one.
        StorageError::Io(error) => Unavailable::because(what, error),
        other => Unavailable::because(what, other),
    }
}

pub(crate) fn begin(error: TransactionError) -> StorageError {
    match error {
        TransactionError::Storage(error) => error,
        other => StorageError::Corrupted(other.to_string()),
    }
}

pub(crate) fn commit(error: CommitError) -> StorageError {
    match error {
        CommitError::Storage(error) => error,
        other => StorageError::Corrupted(other.to_string()),
    }
}

/// Whether opening the file again may help.
pub(crate) const fn calls_for_reopening(error: &StorageError) -> bool {
    !matches!(error, StorageError::Corrupted(_) | StorageError::ValueTooLarge(_) | StorageError::Unsupported)
}
