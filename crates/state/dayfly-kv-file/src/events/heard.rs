//! What the file system tells, through `notify`.
//!
//! A folder is watched, not a file: a file is lost with the first rename over it. There is no waiting for more events here:
//! whoever hears of a name looks into its file, and what was told of it already is not told again.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use dayfly::contain::contain;
use dayfly_kv::Unavailable;
use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{Event, EventKind};

use super::Heard;
use super::hub::{Hear, Listener, Listeners, listen, locked};

/// What the file system tells of a folder, until this is dropped.
pub(crate) struct Events {
    _listener: Listener,
}

impl Events {
    /// Whether events of this folder are to be had; why not, if not.
    pub(crate) fn probe(folder: &Path) -> Result<(), String> {
        let listened = listen(folder, Arc::new(|_| {}));
        listened.map(drop).map_err(|error| format!("no events are to be had: {error}"))
    }

    /// Calls back with each event, on a thread that all folders share.
    pub(crate) fn of(
        folder: &Path,
        hear: impl Fn(Heard<'_>) + Send + Sync + 'static,
    ) -> Result<Self, Unavailable> {
        let failed = |error| Unavailable::because(format!("cannot watch {}", folder.display()), error);
        listen(folder, Arc::new(hear)).map(|listener| Self { _listener: listener }).map_err(failed)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}

/// Tells those whom an event concerns.
pub(super) fn route(listeners: &Mutex<Listeners>, event: notify::Result<Event>) {
    let missed = || {
        for hear in locked(listeners).all() {
            tell(&hear, Heard::Missed);
        }
    };
    let event = match event {
        Ok(event) if event.need_rescan() || event.paths.is_empty() => return missed(),
        Ok(event) if is_reading(event.kind) => return,
        Ok(event) => event,
        Err(_) => return missed(),
    };
    for path in &event.paths {
        if ends_the_watch(event.kind) {
            let ended = locked(listeners).end(path);
            for hear in ended {
                let gone = io::Error::new(io::ErrorKind::NotFound, "the folder was removed or renamed");
                tell(&hear, Heard::Last(gone.into()));
            }
        }
        let named = path.parent().zip(path.file_name().and_then(|name| name.to_str()));
        if let Some((folder, name)) = named {
            let concerned = locked(listeners).of(folder);
            for hear in concerned {
                tell(&hear, Heard::Name(name));
            }
        }
    }
}

/// What panics here would end the thread, and nobody would be told of anything any more.
fn tell(hear: &Hear, heard: Heard<'_>) {
    if contain(|| hear(heard)).is_none() {
        contain(|| hear(Heard::Last("looking into an event panicked".into())));
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
    use std::path::PathBuf;

    use notify::event::{CreateKind, Flag, MetadataKind, RemoveKind, RenameMode};

    use super::*;

    /// What those who listen to `/here` and to `/there` hear of this event.
    fn all_heard(event: notify::Result<Event>) -> Vec<String> {
        let all: Arc<Mutex<Vec<String>>> = Arc::default();
        let listeners = Mutex::new(Listeners::default());
        for folder in ["/here", "/there"] {
            let all = Arc::clone(&all);
            let hear = move |heard: Heard<'_>| locked(&all).push(format!("{folder}: {heard:?}"));
            locked(&listeners).add_for_test(folder, Arc::new(hear));
        }
        route(&listeners, event);
        std::mem::take(&mut *locked(&all))
    }

    /// What is heard of an event of these paths, as far as it concerns `/here`. The others hear nothing of it.
    fn heard(kind: EventKind, paths: &[&str]) -> Vec<String> {
        let mut event = Event::new(kind);
        event.paths = paths.iter().map(PathBuf::from).collect();
        let here = |heard: String| heard.strip_prefix("/here: ").map(str::to_owned);
        all_heard(Ok(event))
            .into_iter()
            .map(|heard| here(heard).expect("the others are not concerned"))
            .collect()
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
        let lost = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        for event in [Ok(lost), Err(notify::Error::generic("lost")), Ok(Event::new(EventKind::Any))] {
            let mut all = all_heard(event);
            all.sort_unstable();
            assert_eq!(all, ["/here: Missed", "/there: Missed"]);
        }
        assert!(heard(EventKind::Remove(RemoveKind::Folder), &["/here"])[0].starts_with("Last"));
        assert!(
            heard(EventKind::Modify(ModifyKind::Name(RenameMode::From)), &["/here"])[0].starts_with("Last")
        );
        let chmod = EventKind::Modify(ModifyKind::Metadata(MetadataKind::Any));
        assert_eq!(heard(chmod, &["/here"]), [""; 0]);
        assert_eq!(heard(EventKind::Remove(RemoveKind::Folder), &["/here/.dayfly"]), [r#"Name(".dayfly")"#]);
    }

    #[test]
    fn who_panics_hears_no_more_than_that_and_the_others_hear_everything() {
        let (all, listeners) = (Arc::new(Mutex::new(Vec::new())), Mutex::new(Listeners::default()));
        for name in ["one", "two"] {
            let all = Arc::clone(&all);
            let hear = move |heard: Heard<'_>| {
                let is_name = matches!(heard, Heard::Name(_));
                locked(&all).push((name, is_name));
                assert!(name == "two" || !is_name, "one cannot bear it");
            };
            locked(&listeners).add_for_test("/here", Arc::new(hear));
        }
        let event = || Ok(Event::new(EventKind::Any).add_path("/here/a.json".into()));
        route(&listeners, event());
        assert_eq!(*locked(&all), [("one", true), ("one", false), ("two", true)]);
    }
}
