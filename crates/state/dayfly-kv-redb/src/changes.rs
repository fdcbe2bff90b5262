//! Who watches a namespace, and what they are told.

use std::collections::{HashMap, VecDeque};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use dayfly_kv::{Change, Cursor, Nonce, Prefix, WatchError, WatchFrom, What};
use futures_core::Stream;

use crate::space::Space;

/// What a namespace tells of its changes to. Nothing is called under its lock.
#[derive(Debug)]
pub(crate) struct Hub {
    /// What the cursors of this opening begin with: those of another one are of no use.
    origin: String,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// The last so many changes.
    log: VecDeque<What>,
    /// The number of the first change that is kept.
    first: u64,
    /// The number of the first change that nobody was told to have happened yet.
    unacknowledged: u64,
    capacity: usize,
    /// Whether anybody has ever watched. Until then changes are counted and not kept.
    is_watched: bool,
    watchers: HashMap<u64, Watcher>,
    next_watcher: u64,
    is_closed: bool,
}

#[derive(Debug)]
struct Watcher {
    prefix: Prefix,
    waker: Option<Waker>,
}

/// What somebody who watches is told next.
enum Next {
    Change(u64, What),
    Gap,
    Nothing,
}

impl Hub {
    pub(crate) fn new(capacity: usize) -> Self {
        let state = State {
            log: VecDeque::new(),
            // Before the first change there is room for the cursor of a gap.
            first: 1,
            unacknowledged: 1,
            capacity,
            is_watched: false,
            watchers: HashMap::new(),
            next_watcher: 0,
            is_closed: false,
        };
        Self { origin: Nonce::unique().to_string(), state: Mutex::new(state) }
    }

    /// Keeps a change, and gives those who are to be woken for it.
    pub(crate) fn push(&self, what: What, woken: &mut Vec<Waker>) {
        let mut state = self.locked();
        let mut gone = None;
        if state.is_watched {
            let waiting = state.watchers.values_mut().filter(|watcher| concerns(&what, &watcher.prefix));
            woken.extend(waiting.filter_map(|watcher| watcher.waker.take()));
            if state.log.len() >= state.capacity {
                gone = state.log.pop_front();
                state.first += 1;
            }
            state.log.push_back(what);
        } else {
            state.first += 1;
        }
        drop(state);
        drop(gone);
    }

    /// Whoever made the changes up to here has been answered.
    pub(crate) fn acknowledged(&self) {
        let mut state = self.locked();
        state.unacknowledged = state.end();
    }

    /// Changes may have happened that nobody knows of.
    pub(crate) fn gap(&self, woken: &mut Vec<Waker>) {
        let mut state = self.locked();
        state.first = state.end() + 1;
        state.unacknowledged = state.first;
        let log = std::mem::take(&mut state.log);
        woken.extend(state.watchers.values_mut().filter_map(|watcher| watcher.waker.take()));
        drop(state);
        drop(log);
    }

    /// Ends every watch: there will be no change any more.
    pub(crate) fn close(&self, woken: &mut Vec<Waker>) {
        let mut state = self.locked();
        state.is_closed = true;
        woken.extend(state.watchers.values_mut().filter_map(|watcher| watcher.waker.take()));
    }

    /// A cursor's number, if this hub has made it.
    fn number(&self, cursor: &Cursor) -> Option<u64> {
        let (origin, number) = cursor.as_str().split_once('-')?;
        (origin == self.origin).then(|| number.parse().ok()).flatten()
    }

    /// Nothing panics under the lock, so what a poisoned one guards is whole.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The number that the next change will have.
    fn end(&self) -> u64 {
        self.first + self.log.len() as u64
    }

    /// What is told to somebody who was told of everything before this number, which is moved on.
    fn next(&self, position: &mut u64, prefix: &Prefix) -> Next {
        if !(self.first..=self.end()).contains(position) {
            *position = self.end();
            return Next::Gap;
        }
        let skipped = usize::try_from(*position - self.first).unwrap_or(usize::MAX);
        for change in self.log.iter().skip(skipped) {
            *position += 1;
            if concerns(change, prefix) {
                return Next::Change(*position - 1, change.clone());
            }
        }
        Next::Nothing
    }
}

/// Whether somebody who watches these keys is told.
fn concerns(what: &What, prefix: &Prefix) -> bool {
    match what {
        What::Put { key, .. } | What::Deleted { key } => prefix.matches(key),
        _ => true,
    }
}

/// The changes that one who watches is told of.
#[derive(Debug)]
pub(crate) struct Changes {
    space: Arc<Space>,
    watcher: u64,
    prefix: Prefix,
    position: u64,
    /// Whether something was missed before that, which is told first.
    has_missed: bool,
}

impl Changes {
    pub(crate) fn new(space: &Arc<Space>, prefix: Prefix, from: &WatchFrom) -> Self {
        let mut state = space.hub.locked();
        state.is_watched = true;
        let wanted = match from {
            // A place that cannot be is one whose changes were missed.
            WatchFrom::After(cursor) => {
                space.hub.number(cursor).map_or(u64::MAX, |number| number.saturating_add(1))
            }
            // What is acknowledged from now on is told, so what was committed and not yet acknowledged is, too.
            _ => state.unacknowledged,
        };
        // What follows a gap is told from here on, and not only from when the gap is read.
        let has_missed = !(state.first..=state.end()).contains(&wanted);
        let position = if has_missed { state.end() } else { wanted };
        let watcher = state.next_watcher;
        state.next_watcher += 1;
        state.watchers.insert(watcher, Watcher { prefix: prefix.clone(), waker: None });
        drop(state);
        Self { space: Arc::clone(space), watcher, prefix, position, has_missed }
    }
}

impl Stream for Changes {
    type Item = Result<Change, WatchError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { space, watcher, prefix, position, has_missed } = self.get_mut();
        // Cloned and dropped without the lock: a waker is somebody else's code.
        let waker = context.waker().clone();
        let mut state = space.hub.locked();
        let next = if std::mem::take(has_missed) { Next::Gap } else { state.next(position, prefix) };
        let (number, what) = match next {
            Next::Change(number, what) => (number, what),
            Next::Gap => (*position - 1, What::Gap),
            Next::Nothing if state.is_closed => return Poll::Ready(None),
            Next::Nothing => {
                let place = state.watchers.get_mut(watcher);
                let before = place.and_then(|watcher| watcher.waker.replace(waker));
                drop(state);
                drop(before);
                return Poll::Pending;
            }
        };
        drop(state);
        let cursor = Cursor::new(format!("{}-{number}", space.hub.origin));
        Poll::Ready(Some(Ok(Change::new(what).cursor(cursor))))
    }
}

impl Drop for Changes {
    fn drop(&mut self) {
        let watcher = self.space.hub.locked().watchers.remove(&self.watcher);
        drop(watcher);
    }
}
