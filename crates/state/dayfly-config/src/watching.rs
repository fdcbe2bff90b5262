//! Watches on folders. They only say that something may have changed, so what they miss costs time and nothing else.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{EventKind, RemoveKind};
use notify::{Event, RecommendedWatcher, RecursiveMode, Watcher};

use crate::contain::contain;
use crate::contents::{Contents, Files, read_all};
use crate::folders::on_the_way_to;
use crate::hints::Hints;
use crate::sources::FileSource;

/// Reads the files of the sources, and keeps watching what can change them.
pub(crate) struct Watching {
    files: Box<dyn Files>,
    sources: Vec<FileSource>,
    max_size: u64,
    watch: Option<FolderWatch>,
}

struct FolderWatch {
    watcher: RecommendedWatcher,
    /// The folders that are watched, each with what tells it from another one of the same name.
    folders: BTreeMap<PathBuf, Option<Identity>>,
    hints: Arc<Hints>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Identity(u64, u64);

impl Watching {
    pub(crate) fn new(files: Box<dyn Files>, sources: Vec<FileSource>, max_size: u64) -> Self {
        Self { files, sources, max_size, watch: None }
    }

    /// Listens to events from now on. Where the system has no watch left to give, the poll remains.
    pub(crate) fn listen(&mut self, hints: &Arc<Hints>) {
        let told = Arc::clone(hints);
        let watcher = notify::recommended_watcher(move |event| tell(&told, event));
        self.watch = watcher.ok().map(|watcher| FolderWatch {
            watcher,
            folders: BTreeMap::new(),
            hints: Arc::clone(hints),
        });
    }

    /// Watches first and reads then, so that no change falls between.
    pub(crate) fn read(&mut self) -> Contents {
        if let Some(watch) = &mut self.watch {
            let sources = &self.sources;
            // A watcher whose thread has ended panics; the poll remains.
            if contain(|| watch.follow(sources)).is_err() {
                self.end_watch();
            }
        }
        read_all(&mut *self.files, &self.sources, self.max_size)
    }

    fn end_watch(&mut self) {
        let watch = self.watch.take();
        drop(contain(|| drop(watch)));
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.end_watch();
    }
}

impl fmt::Debug for Watching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let folders: Option<Vec<_>> = self.watch.as_ref().map(|watch| watch.folders.keys().collect());
        f.debug_struct("Watching").field("folders", &folders).finish_non_exhaustive()
    }
}

impl FolderWatch {
    /// Watches the folders that matter now, anew where a folder is another one than before.
    fn follow(&mut self, sources: &[FileSource]) {
        let anew = self.hints.take_lost();
        let wanted: BTreeMap<PathBuf, Option<Identity>> = sources
            .iter()
            .flat_map(|source| on_the_way_to(&source.path))
            .map(|folder| {
                let identity = Identity::of(&folder);
                (folder, identity)
            })
            .collect();
        let is_wanted = |folder: &PathBuf, identity| !anew && wanted.get(folder) == Some(identity);
        let stale: Vec<PathBuf> = self
            .folders
            .iter()
            .filter(|(folder, identity)| !is_wanted(folder, identity))
            .map(|(folder, _)| folder.clone())
            .collect();
        for folder in stale {
            // A watch whose folder is gone has ended by itself.
            drop(self.watcher.unwatch(&folder));
            self.folders.remove(&folder);
        }
        for (folder, identity) in wanted {
            let is_new = !self.folders.contains_key(&folder);
            if is_new && self.watcher.watch(&folder, RecursiveMode::NonRecursive).is_ok() {
                self.folders.insert(folder, identity);
            }
        }
    }
}

impl Identity {
    #[cfg(unix)]
    fn of(folder: &Path) -> Option<Self> {
        use std::os::unix::fs::MetadataExt;
        fs::metadata(folder).ok().map(|found| Self(found.dev(), found.ino()))
    }

    #[cfg(not(unix))]
    fn of(folder: &Path) -> Option<Self> {
        let created = fs::metadata(folder).ok()?.created().ok()?;
        let since = created.duration_since(std::time::UNIX_EPOCH).ok()?;
        Some(Self(since.as_secs(), since.subsec_nanos().into()))
    }
}

fn tell(hints: &Hints, event: notify::Result<Event>) {
    match event {
        // Our own reading opens and closes the files: whoever takes that for a change reads for ever.
        Ok(event) if is_reading(event.kind) => {}
        Ok(event) if event.need_rescan() || ends_a_watch(event.kind) => hints.give_lost(),
        Ok(_) => hints.give(),
        Err(_) => hints.give_lost(),
    }
}

fn is_reading(kind: EventKind) -> bool {
    use notify::event::{AccessKind, AccessMode};
    let is_written =
        matches!(kind, EventKind::Access(AccessKind::Close(AccessMode::Write | AccessMode::Any)));
    kind.is_access() && !is_written
}

/// A removed folder may be one that is watched; the next one of its name may even have its number.
fn ends_a_watch(kind: EventKind) -> bool {
    matches!(kind, EventKind::Remove(RemoveKind::Folder | RemoveKind::Other | RemoveKind::Any))
}

#[cfg(test)]
mod tests {
    use notify::event::{AccessKind, AccessMode, CreateKind, Flag, ModifyKind};

    use super::*;

    /// Whether the event is a hint, and whether it is one that watches may be lost.
    fn told(event: notify::Result<Event>) -> (bool, bool) {
        let hints = Hints::default();
        tell(&hints, event);
        let mut heard = std::pin::pin!(hints.heard());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        (heard.as_mut().poll(&mut context).is_ready(), hints.take_lost())
    }

    #[test]
    fn a_lost_event_is_a_hint_and_our_own_reading_is_none() {
        let event = |kind| Ok(Event::new(kind));
        assert_eq!(told(event(EventKind::Access(AccessKind::Open(AccessMode::Any)))), (false, false));
        assert_eq!(told(event(EventKind::Access(AccessKind::Close(AccessMode::Read)))), (false, false));
        assert_eq!(told(event(EventKind::Access(AccessKind::Close(AccessMode::Write)))), (true, false));
        assert_eq!(told(event(EventKind::Create(CreateKind::File))), (true, false));
        assert_eq!(told(event(EventKind::Modify(ModifyKind::Any))), (true, false));
        assert_eq!(told(event(EventKind::Remove(RemoveKind::Folder))), (true, true));
        assert_eq!(told(Ok(Event::new(EventKind::Other).set_flag(Flag::Rescan))), (true, true));
        assert_eq!(told(Err(notify::Error::generic("lost"))), (true, true));
    }
}
