//! What the file system tells, through `notify`.
//!
//! A folder is watched, not a file: a file is lost with the first rename over it. There is no waiting for more events here:
//! whoever hears of a name looks into its file, and what was told of it already is not told again.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use dayfly::contain::contain;
use dayfly_kv::Unavailable;
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use super::Heard;

/// What the file system tells of a folder, until this is dropped.
pub(crate) struct Events(Option<RecommendedWatcher>);

impl Events {
    /// Whether events of this folder are to be had; why not, if not.
    pub(crate) fn probe(folder: &Path) -> Result<(), String> {
        Self::begin(folder, |_| {}).map(drop).map_err(|error| format!("no events are to be had: {error}"))
    }

    /// Calls back with each event, in a thread of its own.
    pub(crate) fn of(
        folder: &Path,
        hear: impl FnMut(Heard<'_>) + Send + 'static,
    ) -> Result<Self, Unavailable> {
        let failed = |error| Unavailable::because(format!("cannot watch {}", folder.display()), error);
        Self::begin(folder, hear).map_err(failed)
    }

    fn begin(folder: &Path, mut hear: impl FnMut(Heard<'_>) + Send + 'static) -> notify::Result<Self> {
        let path = folder.to_path_buf();
        let watcher = notify::recommended_watcher(move |event| {
            // What panics here would end the thread, and nobody would be told of anything any more.
            if contain(|| tell(&path, event, &mut hear)).is_none() {
                contain(|| hear(Heard::Last("looking into an event panicked".into())));
            }
        })?;
        let mut events = Self(Some(watcher));
        if let Some(watcher) = &mut events.0 {
            watcher.watch(folder, RecursiveMode::NonRecursive)?;
        }
        Ok(events)
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let watcher = self.0.take();
        // It panics when its thread has ended.
        contain(|| drop(watcher));
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

fn tell(folder: &PathBuf, event: notify::Result<Event>, hear: &mut impl FnMut(Heard<'_>)) {
    let event = match event {
        Ok(event) if event.need_rescan() => return hear(Heard::Missed),
        Ok(event) if is_reading(event.kind) => return,
        Ok(event) => event,
        Err(_) => return hear(Heard::Missed),
    };
    for path in &event.paths {
        if path == folder {
            if ends_the_watch(event.kind) {
                let gone = io::Error::new(io::ErrorKind::NotFound, "the folder was removed or renamed");
                hear(Heard::Last(gone.into()));
            }
        } else if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
            hear(Heard::Name(name));
        }
    }
    if event.paths.is_empty() {
        hear(Heard::Missed);
    }
}

/// Our own reading opens and closes the files: whoever took that for a change would read for ever.
fn is_reading(kind: EventKind) -> bool {
    let is_written = matches!(kind, EventKind::Access(AccessKind::Close(AccessMode::Write)));
    kind.is_access() && !is_written
}

/// Events of the folder itself: of another one that takes its name nobody would hear.
fn ends_the_watch(kind: EventKind) -> bool {
    matches!(kind, EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)))
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag, MetadataKind, RemoveKind, RenameMode};

    use super::*;

    /// What is heard of an event of these paths.
    fn heard(kind: EventKind, paths: &[&str]) -> Vec<String> {
        let mut all = Vec::new();
        let mut event = Event::new(kind);
        event.paths = paths.iter().map(PathBuf::from).collect();
        tell(&PathBuf::from("/here"), Ok(event), &mut |heard| all.push(format!("{heard:?}")));
        all
    }

    #[test]
    fn a_name_that_was_touched_is_a_hint_and_our_own_reading_is_none() {
        let opened = EventKind::Access(AccessKind::Open(AccessMode::Any));
        assert_eq!(heard(opened, &["/here/a.json"]), [""; 0]);
        assert_eq!(heard(EventKind::Access(AccessKind::Close(AccessMode::Read)), &["/here/a.json"]), [""; 0]);
        for kind in [
            EventKind::Access(AccessKind::Close(AccessMode::Write)),
            EventKind::Create(CreateKind::File),
            EventKind::Modify(ModifyKind::Name(RenameMode::To)),
            EventKind::Remove(RemoveKind::File),
            EventKind::Any,
        ] {
            assert_eq!(heard(kind, &["/here/a.json"]), [r#"Name("a.json")"#], "{kind:?}");
        }
        let both = EventKind::Modify(ModifyKind::Name(RenameMode::Both));
        assert_eq!(heard(both, &["/here/a", "/here/b"]), [r#"Name("a")"#, r#"Name("b")"#]);
    }

    #[test]
    fn what_was_lost_is_said_and_the_end_of_the_folder_too() {
        let mut all = Vec::new();
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        for event in [Ok(lost), Err(notify::Error::generic("lost"))] {
            tell(&PathBuf::from("/here"), event, &mut |heard| all.push(matches!(heard, Heard::Missed)));
        }
        assert_eq!(all, [true, true]);
        assert!(heard(EventKind::Remove(RemoveKind::Folder), &["/here"])[0].starts_with("Last"));
        assert!(
            heard(EventKind::Modify(ModifyKind::Name(RenameMode::From)), &["/here"])[0].starts_with("Last")
        );
        let chmod = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        assert_eq!(heard(chmod, &["/here"]), [""; 0]);
        assert_eq!(heard(EventKind::Remove(RemoveKind::Folder), &["/here/.dayfly"]), [r#"Name(".dayfly")"#]);
    }
}
