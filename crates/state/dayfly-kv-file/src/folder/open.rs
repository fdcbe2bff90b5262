//! Making a folder, finding out what its file system can do, and putting away what dead writers have left.

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use dayfly_kv::{Capabilities, Capability, Clock, EtagSource, Namespace, Unavailable};

use super::{Folder, LEAST_READ, OWN, SHARDS, failed};
use crate::disk::Disk;
use crate::events::Events;
use crate::name;
use crate::options::FileOptions;

impl Folder {
    /// The folder of this namespace under a root, made if there is none, and what can be done there.
    pub(crate) fn prepare(
        disk: Arc<dyn Disk>,
        clock: Arc<dyn Clock>,
        root: &Path,
        namespace: &Namespace,
        options: &FileOptions,
    ) -> Result<(Self, Capabilities), Unavailable> {
        let mut unsynced = make_root(&*disk, root)?;
        let mut path = root.to_path_buf();
        for part in [namespace.database(), namespace.container(), namespace.entity(), OWN] {
            // The name of a part has no dot, and the one of our own begins with one.
            let name = if part == OWN { OWN.to_owned() } else { name::of(part) };
            make(&*disk, &path.join(&name))?;
            // Also when it was there: who made it may not have got so far.
            unsynced = sync(&*disk, &path)?.or(unsynced);
            path.push(name);
        }
        let unlocked = probe_locks(&*disk, &path.join("probe"))?;
        path.pop();
        let unheard = Events::probe(&path);
        let mut capabilities = Capabilities::new(options.max_value_bytes);
        if let Err(reason) = &unheard {
            capabilities = capabilities.without(Capability::WatchAcrossProcesses, reason);
        }
        if let Some(reason) = &unsynced {
            capabilities = capabilities.without(Capability::Durability, reason);
        }
        if let Some(reason) = &unlocked {
            capabilities = capabilities.without(Capability::AcrossProcesses, reason);
        }
        let folder = Self {
            disk,
            clock,
            path,
            most_read: LEAST_READ
                .max((options.max_value_bytes as u64).saturating_mul(2).saturating_add(65_536)),
            etags: EtagSource::new(),
            locks: unlocked.is_none(),
            syncs: unsynced.is_none(),
            owes_sync: AtomicBool::new(false),
            shards: (0..SHARDS).map(|_| Mutex::new(())).collect(),
            session: Mutex::default(),
            watch_history: options.watch_history,
            has_events: unheard.is_ok(),
        };
        folder.tidy();
        Ok((folder, capabilities))
    }

    /// Removes the drafts of writers that are dead. What cannot be removed is overwritten by the next writer.
    pub(super) fn tidy(&self) {
        let mut drafts = Vec::new();
        let listed = self.disk.list(&self.path.join(OWN), &mut |name| {
            let number = name.to_str().and_then(|name| name.strip_prefix("draft-"));
            let shard = number.and_then(|number| number.parse::<usize>().ok());
            drafts.extend(shard.filter(|shard| *shard < SHARDS));
        });
        if listed.is_err() {
            return;
        }
        for shard in drafts {
            if let Some(locked) = self.try_lock(shard) {
                // It has no meaning, so it does not matter whether it went.
                let _ = self.disk.remove(&self.draft(locked.shard));
            }
        }
    }
}

/// Makes the root and every folder above it that is missing. Gives why folders are not synced here, if they are not.
fn make_root(disk: &dyn Disk, root: &Path) -> Result<Option<String>, Unavailable> {
    let mut missing = Vec::new();
    let mut above = Some(root);
    while let Some(folder) = above.filter(|folder| !folder.as_os_str().is_empty()) {
        if disk.exists(folder).map_err(|error| failed("find", folder, error))? {
            break;
        }
        missing.push(folder);
        above = folder.parent();
    }
    let mut unsynced = None;
    for folder in missing.iter().rev() {
        make(disk, folder)?;
        unsynced = sync(disk, &parent(folder))?.or(unsynced);
    }
    if missing.is_empty() {
        // Who made it may not have got so far. Where we may not look, it was not we who made it.
        match disk.sync_folder(&parent(root)) {
            Err(error) if error.kind() != ErrorKind::PermissionDenied => {
                unsynced = unsupported("sync", &parent(root), error)?;
            }
            _ => {}
        }
    }
    Ok(unsynced)
}

fn parent(folder: &Path) -> PathBuf {
    match folder.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        Some(_) => PathBuf::from("."),
        None => folder.to_path_buf(),
    }
}

fn make(disk: &dyn Disk, folder: &Path) -> Result<(), Unavailable> {
    match disk.create_folder(folder) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(failed("make", folder, error)),
        _ => Ok(()),
    }
}

fn sync(disk: &dyn Disk, folder: &Path) -> Result<Option<String>, Unavailable> {
    match disk.sync_folder(folder) {
        Ok(()) => Ok(None),
        Err(error) => unsupported("sync", folder, error),
    }
}

/// Why something is not to be had here; an error when it is, and failed.
fn unsupported(what: &str, path: &Path, error: io::Error) -> Result<Option<String>, Unavailable> {
    match error.kind() {
        // Network file systems say so by an argument that they do not take.
        ErrorKind::Unsupported | ErrorKind::InvalidInput => {
            Ok(Some(format!("cannot {what} {}: {error}", path.display())))
        }
        _ => Err(failed(what, path, error)),
    }
}

/// Takes a lock twice: the second time it must not be given. Gives why locks do not exclude here, if they do not.
fn probe_locks(disk: &dyn Disk, path: &Path) -> Result<Option<String>, Unavailable> {
    let first = match disk.try_lock(path) {
        Ok(Some(first)) => first,
        // Somebody else is at the same, and does exclude.
        Ok(None) => return Ok(None),
        Err(error) => return unsupported("lock", path, error),
    };
    let second = match disk.try_lock(path) {
        Ok(second) => second,
        Err(error) => return unsupported("lock", path, error),
    };
    drop(first);
    Ok(second.map(|_| format!("two hold the lock {} at once", path.display())))
}
