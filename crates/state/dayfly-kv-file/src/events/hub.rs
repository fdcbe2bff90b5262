//! One watcher for all folders of a process: it takes one of the system's instances, of which a user has few, and one
//! thread.

use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use dayfly::contain::contain;
use notify::{Error, Event, RecommendedWatcher, RecursiveMode, Watcher};

use super::Heard;
use super::heard::route;

/// Who is told of a folder, on the thread of events.
pub(super) type Hear = Arc<dyn Fn(Heard<'_>) + Send + Sync>;

/// The one that is in use, as long as anybody listens.
static HUB: Mutex<Weak<Hub>> = Mutex::new(Weak::new());

thread_local! {
    /// Whether this is the thread of events, and somebody is being told. A watcher waits for that thread.
    static IS_HEARING: Cell<bool> = const { Cell::new(false) };
}

/// A watcher, and who listens to it.
struct Hub {
    /// Whoever begins or ends to listen holds it, so that the two do not cross. Who is told never takes it.
    watcher: Mutex<RecommendedWatcher>,
    listeners: Arc<Mutex<Listeners>>,
}

/// Who listens, by folder.
#[derive(Default)]
pub(super) struct Listeners {
    folders: HashMap<PathBuf, Watched>,
    next: u64,
}

/// A folder that is watched.
struct Watched {
    identity: Option<Identity>,
    /// By the number under which each is forgotten.
    hears: BTreeMap<u64, Hear>,
}

/// What a folder is whatever its path: the system watches it once, and tells of one path only.
type Identity = (u64, u64);

/// Listens until it is dropped.
pub(super) struct Listener {
    hub: Arc<Hub>,
    folder: PathBuf,
    number: u64,
}

/// Tells of a folder from now on.
pub(super) fn listen(folder: &Path, hear: Hear) -> notify::Result<Listener> {
    let hub = Hub::shared()?;
    let mut watcher = locked(&hub.watcher);
    let path = fs::canonicalize(folder)?;
    let (folder, number, is_first) = locked(&hub.listeners).add(path, identity(folder), hear);
    let begun = if is_first {
        contain(|| {
            // A folder that was moved away is still watched under the name that it had.
            drop(watcher.unwatch(&folder));
            watcher.watch(&folder, RecursiveMode::NonRecursive)
        })
    } else {
        Some(Ok(()))
    };
    drop(watcher);
    let listener = Listener { hub, folder, number };
    begun.unwrap_or_else(|| {
        // Its thread has ended. Whoever comes next gets another one.
        *locked(&HUB) = Weak::new();
        Err(Error::generic("nobody tells of events any more"))
    })?;
    Ok(listener)
}

impl Hub {
    fn shared() -> notify::Result<Arc<Self>> {
        let mut shared = locked(&HUB);
        if let Some(hub) = shared.upgrade() {
            return Ok(hub);
        }
        let listeners: Arc<Mutex<Listeners>> = Arc::default();
        let told = Arc::clone(&listeners);
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            IS_HEARING.set(true);
            route(&told, event);
            IS_HEARING.set(false);
        })?;
        let hub = Arc::new(Self { watcher: Mutex::new(watcher), listeners });
        *shared = Arc::downgrade(&hub);
        Ok(hub)
    }
}

impl Listeners {
    /// Gives under which path the folder is told of, the number of who listens, and whether nobody has listened to it.
    fn add(&mut self, path: PathBuf, identity: Option<Identity>, hear: Hear) -> (PathBuf, u64, bool) {
        let is_same = |watched: &Watched| identity.is_some() && watched.identity == identity;
        let known = self.folders.iter().find(|(_, watched)| is_same(watched)).map(|(path, _)| path.clone());
        let path = known.unwrap_or(path);
        let number = self.next;
        self.next += 1;
        let watched = self.folders.entry(path.clone());
        let watched = watched.or_insert_with(|| Watched { identity, hears: BTreeMap::new() });
        watched.hears.insert(number, hear);
        let is_first = watched.hears.len() == 1;
        (path, number, is_first)
    }

    /// Gives who has listened, to be dropped without the lock, and whether he was the last one.
    fn remove(&mut self, folder: &Path, number: u64) -> Option<(Hear, bool)> {
        let watched = self.folders.get_mut(folder)?;
        let hear = watched.hears.remove(&number)?;
        let is_last = watched.hears.is_empty();
        if is_last {
            self.folders.remove(folder);
        }
        Some((hear, is_last))
    }

    #[cfg(test)]
    pub(super) fn add_for_test(&mut self, folder: &str, hear: Hear) {
        self.add(folder.into(), None, hear);
    }

    /// Who listens to this folder.
    pub(super) fn of(&self, folder: &Path) -> Vec<Hear> {
        self.folders.get(folder).into_iter().flat_map(|watched| watched.hears.values().cloned()).collect()
    }

    /// Who listens to any folder.
    pub(super) fn all(&self) -> Vec<Hear> {
        self.folders.values().flat_map(|watched| watched.hears.values().cloned()).collect()
    }

    /// Who has listened to this folder, of which nothing will be told any more.
    pub(super) fn end(&mut self, folder: &Path) -> Vec<Hear> {
        self.folders.remove(folder).into_iter().flat_map(|watched| watched.hears.into_values()).collect()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let Self { hub, folder, number } = self;
        // Where events are told of nobody can wait for that: the folder stays watched, and nobody is told of it.
        let mut watcher = (!IS_HEARING.get()).then(|| locked(&hub.watcher));
        let removed = locked(&hub.listeners).remove(folder, *number);
        if let (Some(watcher), Some((_, true))) = (&mut watcher, &removed) {
            // It panics when its thread has ended.
            contain(|| drop(watcher.unwatch(folder)));
        }
        drop(watcher);
        drop(removed);
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        // Nobody is told any more, and what they have is foreign: none of it is dropped by the thread of events.
        let left = std::mem::take(&mut *locked(&self.listeners));
        drop(left);
    }
}

#[cfg(unix)]
fn identity(folder: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(folder).ok().map(|found| (found.dev(), found.ino()))
}

#[cfg(not(unix))]
fn identity(_: &Path) -> Option<Identity> {
    None
}

/// Nothing foreign runs under these locks but the watcher itself, whose panics are contained.
pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nobody() -> Hear {
        Arc::new(|_| {})
    }

    #[test]
    fn a_folder_is_watched_once_under_whatever_path_it_is_known() {
        let mut all = Listeners::default();
        let (one, first, is_first) = all.add("/data/a".into(), Some((1, 7)), nobody());
        assert!(is_first);
        let (other, second, is_first) = all.add("/mnt/a".into(), Some((1, 7)), nobody());
        assert_eq!((&other, is_first), (&one, false));
        let (apart, _, is_first) = all.add("/data/b".into(), Some((1, 8)), nobody());
        assert!(is_first && apart.ends_with("b"));
        assert_eq!((all.of(&one).len(), all.all().len()), (2, 3));
        assert!(!all.remove(&one, first).unwrap().1);
        assert!(all.remove(&one, first).is_none(), "only once");
        assert!(all.remove(&one, second).unwrap().1);
        assert!(all.of(&one).is_empty());
    }

    #[test]
    fn who_is_forgotten_late_takes_nothing_from_who_came_after_the_end() {
        let mut all = Listeners::default();
        let (path, old, _) = all.add("/data/a".into(), None, nobody());
        assert_eq!(all.end(&path).len(), 1);
        let (_, new, is_first) = all.add("/data/a".into(), None, nobody());
        assert!(is_first);
        assert!(all.remove(&path, old).is_none());
        assert!(all.remove(&path, new).unwrap().1);
    }
}
