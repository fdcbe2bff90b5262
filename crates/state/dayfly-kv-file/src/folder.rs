//! The folder of one namespace: what is done in it, on a thread that may block.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use dayfly_kv::{Clock, Corrupt, Entry, EtagSource, GetError, Key, Unavailable};

use crate::disk::{Disk, Held};
use crate::name;
use crate::record;

mod list;
mod open;
mod watch;
mod write;

use watch::Session;

/// What entries are written under: lock files that are never removed, and drafts that are never many.
const OWN: &str = ".dayfly";

/// How many locks there are. Who writes two keys of one lock waits for the other.
pub(crate) const SHARDS: usize = 64;

/// The least that is read of any file, however small values are now.
const LEAST_READ: u64 = 16 * 1024 * 1024;

/// The folder of one namespace. Everything in here may block.
///
/// What is written is written to a draft of its lock, synced, and renamed: a reader sees one entry or the other, and needs
/// no lock. A draft is written only by who holds its lock, so what a dead writer has left is overwritten by the next.
pub(crate) struct Folder {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    path: PathBuf,
    most_read: u64,
    etags: EtagSource,
    /// Whether the file system's locks exclude. Without, only this process is kept out.
    locks: bool,
    /// Whether the file system syncs folders.
    syncs: bool,
    /// Whether a change was made, and then could not be synced: nobody is told of it before it is.
    owes_sync: AtomicBool,
    shards: Box<[Mutex<()>]>,
    /// What those who watch are told by, as long as there are any.
    session: Mutex<Weak<Session>>,
    watch_history: usize,
    /// Whether the file system tells of what other processes do.
    has_events: bool,
}

/// What is in the file of a key.
enum Found {
    Nothing,
    Entry(Entry),
    Corrupt(Corrupt),
}

/// An entry, or what is wrong with it.
type Opened = Result<(Key, Entry), Corrupt>;

/// The right to write what belongs to one lock, until it is dropped.
struct Locked<'a> {
    shard: usize,
    _process: Option<Held>,
    _thread: MutexGuard<'a, ()>,
}

/// Which lock the file of this name belongs to, in every process.
pub(crate) fn shard_of(name: &str) -> usize {
    crc32fast::hash(name.as_bytes()) as usize % SHARDS
}

impl Folder {
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file of an entry whose name is this.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(format!("{name}{}", list::SUFFIX))
    }

    /// The entry of this key, if there is one.
    pub(crate) fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
        self.settle()?;
        match self.read(key)? {
            Found::Nothing => Ok(None),
            Found::Entry(entry) => Ok((!self.is_expired(&entry)).then_some(entry)),
            Found::Corrupt(corrupt) => Err(corrupt.into()),
        }
    }

    /// What is in the file of this key.
    fn read(&self, key: &Key) -> Result<Found, Unavailable> {
        Ok(match self.open(&self.file(&name::of(key.as_str())), Some(key))? {
            Some(Ok((_, entry))) => Found::Entry(entry),
            Some(Err(corrupt)) => Found::Corrupt(corrupt),
            None => Found::Nothing,
        })
    }

    /// What stands in a file, if it is there. It has to be the entry of this key, if one is said.
    fn open(&self, file: &Path, wanted: Option<&Key>) -> Result<Option<Opened>, Unavailable> {
        let corrupt = |reason: String| {
            Ok(Some(Err(Corrupt { location: file.display().to_string(), reason, key: wanted.cloned() })))
        };
        let bytes = match self.disk.read(file, self.most_read) {
            Ok(bytes) => bytes,
            Err(error) => {
                return match error.kind() {
                    ErrorKind::NotFound => Ok(None),
                    ErrorKind::InvalidData => corrupt(error.to_string()),
                    _ => Err(failed("read", file, error)),
                };
            }
        };
        match record::read(&bytes) {
            Ok((key, _)) if wanted.is_some_and(|wanted| *wanted != key) => {
                corrupt(format!("it is the entry of {key:?}"))
            }
            Ok(found) => Ok(Some(Ok(found))),
            Err(reason) => corrupt(reason),
        }
    }

    /// The clock is asked only for entries that have a deadline.
    fn is_expired(&self, entry: &Entry) -> bool {
        entry.deadline.is_some_and(|deadline| deadline.is_past(self.clock.now()))
    }

    /// Waits for the right to write the file of this name.
    fn lock(&self, shard: usize) -> Result<Locked<'_>, Unavailable> {
        // Nothing is guarded but what is on the disk, and that is whole at every moment.
        let thread = self.shards[shard].lock().unwrap_or_else(PoisonError::into_inner);
        let path = self.own(&format!("lock-{shard:02}"));
        let process = self.locks.then(|| self.disk.lock(&path)).transpose();
        let process = process.map_err(|error| failed("lock", &path, error))?;
        Ok(Locked { shard, _process: process, _thread: thread })
    }

    /// The same, if nobody has it.
    fn try_lock(&self, shard: usize) -> Option<Locked<'_>> {
        let thread = self.shards[shard].try_lock().ok()?;
        let process = if self.locks {
            Some(self.disk.try_lock(&self.own(&format!("lock-{shard:02}"))).ok()??)
        } else {
            None
        };
        Some(Locked { shard, _process: process, _thread: thread })
    }

    fn draft(&self, shard: usize) -> PathBuf {
        self.own(&format!("draft-{shard:02}"))
    }

    fn own(&self, name: &str) -> PathBuf {
        self.path.join(OWN).join(name)
    }

    /// Makes what was done in the folder last. When that fails, it is done before anything is read.
    fn sync(&self) -> Result<(), Unavailable> {
        if !self.syncs {
            return Ok(());
        }
        // Who fails says so after who succeeds has begun, so that no failure is forgotten.
        self.owes_sync.store(false, Ordering::SeqCst);
        self.disk.sync_folder(&self.path).map_err(|error| {
            self.owes_sync.store(true, Ordering::SeqCst);
            failed("sync", &self.path, error)
        })
    }

    /// A write that could not be synced ended as unknown. Who looks whether it was done may rely on what is found.
    fn settle(&self) -> Result<(), Unavailable> {
        if self.owes_sync.load(Ordering::SeqCst) { self.sync() } else { Ok(()) }
    }
}

/// What could not be done, with the path, and why.
fn failed(what: &str, path: &Path, error: io::Error) -> Unavailable {
    Unavailable::because(format!("cannot {what} {}", path.display()), error)
}

impl fmt::Debug for Folder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folder = &mut f.debug_struct("Folder");
        folder.field("path", &self.path).field("disk", &self.disk).field("clock", &self.clock);
        folder.finish_non_exhaustive()
    }
}
