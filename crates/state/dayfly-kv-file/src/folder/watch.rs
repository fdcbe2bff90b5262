//! Telling those who watch a folder.

use std::pin::Pin;
use std::sync::{Arc, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use dayfly_kv::{Change, Etag, Key, Prefix, Unavailable, Watch, WatchError, WatchFrom, Woken};
use futures_core::Stream;

use super::Folder;
use crate::events::{Events, Heard};
use crate::name::{self, Meaning};
use crate::watching::{Seen, Watching};

impl Folder {
    /// Tells of the changes of the keys that begin with this, from now on.
    pub(crate) fn watch(self: &Arc<Self>, prefix: Prefix, from: &WatchFrom) -> Result<Watch, Unavailable> {
        let mut slot = self.slot();
        let known = slot.upgrade().filter(|session| !session.watching.is_ended());
        let session = known.map_or_else(|| self.begin(), Ok)?;
        *slot = Arc::downgrade(&session);
        drop(slot);
        let changes = session.watching.watch(prefix, from);
        Ok(Watch::new(Told { changes, _session: session }))
    }

    /// Listens to the file system, if it tells of what other processes do.
    fn begin(self: &Arc<Self>) -> Result<Arc<Session>, Unavailable> {
        let watching = Arc::new(Watching::new(self.watch_history));
        let (folder, told) = (Arc::downgrade(self), Arc::clone(&watching));
        // Where nobody listens, nobody is kept: the thread of events never has the last of a session in its hands.
        let hear = move |heard: Heard<'_>| {
            if let Some(folder) = folder.upgrade() {
                folder.hear(&told, heard);
            }
        };
        let events = self.has_events.then(|| Events::of(&self.path, hear)).transpose()?;
        Ok(Arc::new(Session { watching, _events: events }))
    }

    /// Ends every watch: nobody has the store any more.
    pub(crate) fn end_watches(&self) {
        let mut woken = Woken::default();
        if let Some(session) = self.session() {
            session.watching.end(&mut woken);
        }
        woken.wake();
    }

    /// A writer has left this in the file of this name, and still has its lock.
    pub(super) fn tell(&self, name: &str, key: &Key, etag: Option<&Etag>, woken: &mut Woken) {
        if let Some(session) = self.session() {
            session.watching.done(name, key, etag, woken);
        }
    }

    /// A writer may have left something, or not.
    pub(super) fn tell_of_a_gap(&self, woken: &mut Woken) {
        if let Some(session) = self.session() {
            session.watching.gap(woken);
        }
    }

    fn hear(&self, watching: &Watching, heard: Heard<'_>) {
        let mut woken = Woken::default();
        match heard {
            Heard::Name(name) => {
                if let Some(name) = name.strip_suffix(super::list::SUFFIX) {
                    self.look(watching, name, &mut woken);
                }
            }
            Heard::Missed => watching.gap(&mut woken),
            Heard::Last(why) => {
                let what = format!("cannot watch {} any longer", self.path.display());
                watching.fail(Unavailable::because(what, why), &mut woken);
            }
        }
        woken.wake();
    }

    /// An event is a hint: what is in the file decides.
    fn look(&self, watching: &Watching, name: &str, woken: &mut Woken) {
        let meaning = name::meaning(name);
        let key = match meaning {
            Meaning::Key(key) => Some(key),
            Meaning::Inside => None,
            // It is none of ours, and was never told of.
            Meaning::Foreign => return,
        };
        loop {
            let mark = watching.mark(name);
            let seen = match self.open(&self.file(name), None) {
                Ok(Some(Ok((key, entry)))) if name::of(key.as_str()) == name => Seen::Entry(key, entry.etag),
                Ok(None) => Seen::Nothing(key.clone()),
                Ok(Some(_)) | Err(_) => Seen::Unreadable,
            };
            if watching.seen(name, &mark, seen, woken) {
                return;
            }
        }
    }

    fn slot(&self) -> MutexGuard<'_, Weak<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self) -> Option<Arc<Session>> {
        self.slot().upgrade()
    }
}

/// What those who watch are told by, from the first one that comes until the last one has left.
#[derive(Debug)]
pub(super) struct Session {
    watching: Arc<Watching>,
    _events: Option<Events>,
}

/// The changes that one who watches is told of; events are listened to for as long as there is one.
#[derive(Debug)]
struct Told {
    changes: Watch,
    _session: Arc<Session>,
}

impl Stream for Told {
    type Item = Result<Change, WatchError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut self.changes).poll_next(context)
    }
}
