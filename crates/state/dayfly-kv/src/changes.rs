//! Telling those who watch a store: for whoever writes a backend.

use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use dayfly::contain::contain;
use futures_core::Stream;
use hashbrown::HashMap;

use crate::error::{Unavailable, WatchError};
use crate::key::Prefix;
use crate::nonce::Nonce;
use crate::watch::{Change, Cursor, Watch, WatchFrom, What};

mod log;

use log::{Log, Next};

/// What a store tells its changes to, and where those who watch it hear of them: for whoever writes a backend.
///
/// - Changes are told in the order of the calls of [`tell`](Self::tell). Whatever lock orders the writes of a key has to be
///   held meanwhile; nothing is called under the feed's own one. Who waits is collected in [`Woken`], for when that lock is
///   released.
/// - It keeps the last so many changes, and those only from the first watch on. Who falls further behind, and who comes
///   with a cursor of another feed, is told of a gap.
/// - A cursor means something to this feed, as long as it lives.
///
/// Clones are the same feed.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use dayfly_kv::{ChangeFeed, Key, Prefix, WatchFrom, What, Woken};
///
/// let feed = ChangeFeed::new(1_024);
/// let mut watch = feed.watch(Prefix::all(), &WatchFrom::Now);
/// let (what, mut woken) = (What::Deleted { key: Key::new("17")? }, Woken::default());
/// feed.tell(what.clone(), &mut woken); // under the lock that orders the writes
/// woken.wake(); // without it
/// assert_eq!(watch.next().await.unwrap()?.what, what);
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct ChangeFeed(Arc<Feed>);

#[derive(Debug)]
struct Feed {
    /// What the cursors begin with: those of another feed are of no use.
    origin: Nonce,
    /// Whether anybody has ever watched. It is set before a watch is given away, and read under the lock that orders the
    /// writes: whoever writes after that does see it.
    is_watched: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    log: Log,
    watchers: HashMap<u64, Watcher>,
    next_watcher: u64,
    ending: Option<Ending>,
}

/// How every watch ends.
#[derive(Clone, Debug)]
enum Ending {
    Over,
    Failed(Unavailable),
}

#[derive(Debug)]
struct Watcher {
    prefix: Prefix,
    waker: Option<Waker>,
}

/// Those who are to hear of a change, collected while a lock is held. They are woken when this is dropped, which has to be
/// without that lock: a waker is somebody else's code. If one panics, the others are woken all the same.
#[derive(Debug, Default)]
#[must_use = "they are woken when it is dropped"]
pub struct Woken(Vec<Waker>);

impl Woken {
    /// Wakes them.
    #[inline]
    pub fn wake(self) {
        drop(self);
    }

    /// Apart, for most changes wake nobody.
    #[cold]
    fn wake_all(&mut self) {
        for waker in self.0.drain(..) {
            contain(|| waker.wake());
        }
    }
}

impl Drop for Woken {
    #[inline]
    fn drop(&mut self) {
        if !self.0.is_empty() {
            self.wake_all();
        }
    }
}

impl ChangeFeed {
    /// A feed that keeps so many changes, at least 1.
    pub fn new(history: usize) -> Self {
        let state = State { log: Log::new(history), watchers: HashMap::new(), next_watcher: 0, ending: None };
        let is_watched = AtomicBool::new(false);
        Self(Arc::new(Feed { origin: Nonce::unique(), is_watched, state: Mutex::new(state) }))
    }

    /// Whether anybody has ever watched. Until then [`tell`](Self::tell) keeps nothing, and need not be called.
    #[inline]
    pub fn is_watched(&self) -> bool {
        self.0.is_watched.load(Ordering::SeqCst)
    }

    /// Tells of a change, and collects who is to be woken for it.
    pub fn tell(&self, what: What, woken: &mut Woken) {
        if !self.is_watched() {
            return;
        }
        if what == What::Gap {
            return self.gap(woken);
        }
        let mut state = self.0.locked();
        let waiting = state.watchers.values_mut().filter(|watcher| log::concerns(&what, &watcher.prefix));
        woken.0.extend(waiting.filter_map(|watcher| watcher.waker.take()));
        state.log.push(what);
    }

    /// Tells everybody that changes may have been missed.
    pub fn gap(&self, woken: &mut Woken) {
        let mut state = self.0.locked();
        state.log.gap();
        state.wake_all(woken);
    }

    /// Ends every watch: there will be no change any more. What was told before is still heard.
    pub fn end(&self, woken: &mut Woken) {
        self.end_as(Ending::Over, woken);
    }

    /// As [`end`](Self::end), and with this error: changes happen that cannot be told any more.
    pub fn fail(&self, why: Unavailable, woken: &mut Woken) {
        self.end_as(Ending::Failed(why), woken);
    }

    /// Whether it has ended, in either way.
    pub fn is_ended(&self) -> bool {
        self.0.locked().ending.is_some()
    }

    /// The first end counts.
    fn end_as(&self, ending: Ending, woken: &mut Woken) {
        let mut state = self.0.locked();
        state.ending.get_or_insert(ending);
        state.wake_all(woken);
    }

    /// Tells of the changes of the keys that begin with this: every change that is told after this has returned.
    pub fn watch(&self, prefix: Prefix, from: &WatchFrom) -> Watch {
        let mut state = self.0.locked();
        self.0.is_watched.store(true, Ordering::SeqCst);
        let wanted = match from {
            WatchFrom::Now => state.log.end(),
            // A place that cannot be is one whose changes were missed.
            WatchFrom::After(cursor) => self.0.number(cursor).map_or(u64::MAX, |told| told.saturating_add(1)),
        };
        // What follows a gap is told from here on, and not only from when the gap is read.
        let has_missed = !state.log.has(wanted);
        let position = if has_missed { state.log.end() } else { wanted };
        let number = state.next_watcher;
        state.next_watcher += 1;
        state.watchers.insert(number, Watcher { prefix: prefix.clone(), waker: None });
        drop(state);
        Watch::new(Watching {
            feed: Arc::clone(&self.0),
            number,
            prefix,
            position,
            has_missed,
            is_over: false,
        })
    }
}

impl Feed {
    /// A cursor's number, if this feed has made it.
    fn number(&self, cursor: &Cursor) -> Option<u64> {
        let (origin, number) = cursor.as_str().split_once('-')?;
        (origin == self.origin.to_string()).then(|| number.parse().ok()).flatten()
    }

    /// Nothing panics under the lock, so what a poisoned one guards is whole.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn wake_all(&mut self, woken: &mut Woken) {
        woken.0.extend(self.watchers.values_mut().filter_map(|watcher| watcher.waker.take()));
    }
}

/// The changes that one who watches is told of.
#[derive(Debug)]
struct Watching {
    feed: Arc<Feed>,
    number: u64,
    prefix: Prefix,
    /// The number of the next change to look at.
    position: u64,
    /// Whether something was missed before that, which is told first.
    has_missed: bool,
    /// Whether the end was told.
    is_over: bool,
}

impl Stream for Watching {
    type Item = Result<Change, WatchError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Self { feed, number, prefix, position, has_missed, is_over } = self.get_mut();
        // Cloned and dropped without the lock: a waker is somebody else's code.
        let waker = context.waker().clone();
        let mut state = feed.locked();
        let next = if std::mem::take(has_missed) { Next::Gap } else { state.log.next(position, prefix) };
        let (told, what) = match next {
            Next::Change(told, what) => (told, what),
            Next::Gap => (*position - 1, What::Gap),
            Next::Nothing if state.ending.is_some() => {
                let ending = state.ending.clone().filter(|_| !std::mem::replace(is_over, true));
                return Poll::Ready(match ending {
                    Some(Ending::Failed(why)) => Some(Err(why.into())),
                    _ => None,
                });
            }
            Next::Nothing => {
                let watcher = state.watchers.get_mut(number);
                let before = watcher.and_then(|watcher| watcher.waker.replace(waker));
                drop(state);
                drop(before);
                return Poll::Pending;
            }
        };
        drop(state);
        let cursor = Cursor::new(format!("{}-{told}", feed.origin));
        Poll::Ready(Some(Ok(Change::new(what).cursor(cursor))))
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        let watcher = self.feed.locked().watchers.remove(&self.number);
        drop(watcher);
    }
}
