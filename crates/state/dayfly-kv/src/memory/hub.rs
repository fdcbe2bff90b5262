//! Who watches a store, and what they are told.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};

use futures_core::Stream;
use hashbrown::HashMap;

use super::locked;
use super::log::{Log, Next, concerns};
use super::shard::Told;
use crate::error::WatchError;
use crate::etag::Etag;
use crate::key::{Key, Prefix};
use crate::watch::{Change, Cursor, WatchFrom, What};

/// What a store tells of its changes to.
///
/// Its lock is taken under that of a shard, so changes of one key stand in their order; nothing is called under it.
#[derive(Debug)]
pub(super) struct Hub {
    origin: u64,
    /// Whether anybody has ever watched. Until then nothing is kept, and writing costs one read more. It is set before a
    /// watch is given away, and read under a shard's lock: whoever writes after that does see it.
    is_watched: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    log: Log,
    watchers: HashMap<u64, Watcher>,
    next_watcher: u64,
    is_closed: bool,
}

#[derive(Debug)]
struct Watcher {
    prefix: Prefix,
    waker: Option<Waker>,
}

impl Hub {
    pub(super) fn new(origin: u64, history: usize) -> Self {
        let state =
            State { log: Log::new(history), watchers: HashMap::new(), next_watcher: 0, is_closed: false };
        Self { origin, is_watched: AtomicBool::new(false), state: Mutex::new(state) }
    }

    pub(super) fn put(&self, key: &Key, etag: &Etag, told: &mut Told) {
        if self.is_watched.load(Ordering::SeqCst) {
            self.push(What::Put { key: key.clone(), etag: etag.clone() }, told);
        }
    }

    pub(super) fn deleted(&self, key: &Key, told: &mut Told) {
        if self.is_watched.load(Ordering::SeqCst) {
            self.push(What::Deleted { key: key.clone() }, told);
        }
    }

    fn push(&self, what: What, told: &mut Told) {
        let mut state = locked(&self.state);
        let waiting = state.watchers.values_mut().filter(|watcher| concerns(&what, &watcher.prefix));
        told.0.extend(waiting.filter_map(|watcher| watcher.waker.take()));
        state.log.push(what);
    }

    /// Ends every watch: there will be no change any more.
    pub(super) fn close(&self) {
        let mut told = Told::default();
        let mut state = locked(&self.state);
        state.is_closed = true;
        told.0.extend(state.watchers.values_mut().filter_map(|watcher| watcher.waker.take()));
        drop(state);
        told.wake();
    }

    /// A cursor's number, if this hub has made it.
    fn number(&self, cursor: &Cursor) -> Option<u64> {
        let (origin, number) = cursor.as_str().split_once('-')?;
        (origin == format!("{:016x}", self.origin)).then(|| number.parse().ok()).flatten()
    }

    fn cursor(&self, number: u64) -> Cursor {
        Cursor::new(format!("{:016x}-{number}", self.origin))
    }
}

/// The changes that one who watches is told of.
#[derive(Debug)]
pub(super) struct Changes {
    hub: Arc<Hub>,
    watcher: u64,
    prefix: Prefix,
    position: u64,
}

impl Changes {
    pub(super) fn new(hub: &Arc<Hub>, prefix: Prefix, from: &WatchFrom) -> Self {
        let mut state = locked(&hub.state);
        hub.is_watched.store(true, Ordering::SeqCst);
        let position = match from {
            WatchFrom::Now => state.log.end(),
            // A place that cannot be is one whose changes were missed.
            WatchFrom::After(cursor) => {
                hub.number(cursor).map_or(u64::MAX, |number| number.saturating_add(1))
            }
        };
        let watcher = state.next_watcher;
        state.next_watcher += 1;
        state.watchers.insert(watcher, Watcher { prefix: prefix.clone(), waker: None });
        drop(state);
        Self { hub: Arc::clone(hub), watcher, prefix, position }
    }
}

impl Stream for Changes {
    type Item = Result<Change, WatchError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let changes = self.get_mut();
        // Cloned and dropped without the lock: a waker is somebody else's code.
        let waker = context.waker().clone();
        let mut state = locked(&changes.hub.state);
        let (number, what) = match state.log.next(&mut changes.position, &changes.prefix) {
            Next::Change(number, what) => (number, what),
            Next::Gap if changes.position == 0 => return Poll::Ready(Some(Ok(Change::new(What::Gap)))),
            Next::Gap => (changes.position - 1, What::Gap),
            Next::Nothing if state.is_closed => return Poll::Ready(None),
            Next::Nothing => {
                let watcher = state.watchers.get_mut(&changes.watcher);
                let before = watcher.and_then(|watcher| watcher.waker.replace(waker));
                drop(state);
                drop(before);
                return Poll::Pending;
            }
        };
        drop(state);
        Poll::Ready(Some(Ok(Change::new(what).cursor(changes.hub.cursor(number)))))
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        let watcher = locked(&self.hub.state).watchers.remove(&self.watcher);
        drop(watcher);
    }
}
