//! The shell around the line: one lock, one watch over the signals, and a bell that it rings.
//!
//! While somebody waits, the watch holds the bell's waker. A change rings it in the call that makes the change, after
//! the sink's lock is free: the state is read once, and only those are woken whom the change may let through. Nobody
//! leads the line, so nobody who leaves it can take a wake-up along.
//!
//! Locks are taken downwards: line, then sink. Wakers are foreign code and run under neither.

use std::sync::{Arc, Weak};
use std::task::{Wake, Waker};
use std::time::Duration;

use dayfly::contain::contain;
use dayfly_signal::{SignalSink, Watch};
use tokio::time::Instant;

use crate::line::{Admission, Line, Place};
use crate::sync::{AtomicU64, Mutex, MutexGuard, Ordering, PoisonError};
use crate::{AfterDeferral, GateOptions};

/// What all handles of one gate share.
pub(crate) struct Post {
    state: Mutex<State>,
    watch: Watch,
    bell: Waker,
    /// One more than the watch's version with which everybody may pass until a signal changes; 0 when there is none.
    /// It lets an open gate be passed without the lock and without a look at the clock.
    open_at: AtomicU64,
    pub(crate) passed: AtomicU64,
    pub(crate) refused: AtomicU64,
    pub(crate) signals: SignalSink,
    /// The options of the start.
    pub(crate) options: GateOptions,
}

struct State {
    line: Line<Waker>,
    /// Whether the watch holds the bell's waker.
    is_armed: bool,
}

/// What the watch wakes.
struct Bell(Weak<Post>);

impl Post {
    pub(crate) fn new(options: GateOptions, signals: &SignalSink) -> Arc<Self> {
        let rules = options.rules();
        let watch = signals.watch(rules.patterns());
        let line = Line::new(rules, options.max_deferral);
        Arc::new_cyclic(|post| Self {
            state: Mutex::new(State { line, is_armed: false }),
            watch,
            bell: Waker::from(Arc::new(Bell(Weak::clone(post)))),
            open_at: AtomicU64::new(0),
            passed: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            signals: signals.clone(),
            options,
        })
    }

    /// Whether everybody may pass at this moment, as far as can be told without the lock.
    pub(crate) fn is_open(&self) -> bool {
        // The version only grows and comes back to nothing, so where it is the judged one, nothing has changed since.
        let open_at = self.open_at.load(Ordering::Acquire);
        open_at == self.watch.version() + 1
    }

    /// What somebody may do who arrived at that time: the signals are read if they may say something new.
    pub(crate) fn look(&self, key: Option<&str>, arrived: Instant) -> Admission {
        let now = Instant::now();
        let version = self.watch.version();
        {
            let state = self.lock();
            if state.line.is_current(version, now) {
                return state.line.admission(key, arrived, now);
            }
        }
        // Not under the lock: reading lets signals age out, which wakes others, the bell included.
        let raised = self.watch.read();
        let mut state = self.lock();
        let freed = state.line.judge(version, &raised, now);
        let admission = state.line.admission(key, arrived, now);
        if let Some(version) = state.line.open_at() {
            self.open_at.store(version + 1, Ordering::Release);
        }
        drop(state);
        wake(freed);
        admission
    }

    /// Takes a place in line. Who does so looks again: a change before this call wakes nobody.
    pub(crate) fn enter(&self, key: Option<Arc<str>>, waker: Waker) -> Place {
        let mut state = self.lock();
        let place = state.line.enter(key, waker);
        if !std::mem::replace(&mut state.is_armed, true) {
            // Under the lock, so that what the flag says is true. The waker that may stand there already is the bell's
            // too, and not the last one.
            self.watch.register(&self.bell);
        }
        place
    }

    /// Says how to wake who has this place. Who does so looks again.
    pub(crate) fn set_waker(&self, place: Place, waker: Waker) {
        let replaced = self.lock().line.set_waker(place, waker);
        drop(replaced);
    }

    pub(crate) fn leave(&self, place: Place) {
        let waker = self.lock().line.leave(place);
        drop(waker);
    }

    pub(crate) fn waiting(&self) -> usize {
        self.lock().line.len()
    }

    pub(crate) fn set_max_deferral(&self, bound: Option<(Duration, AfterDeferral)>) {
        let woken = self.lock().line.set_bound(bound);
        wake(woken);
    }

    /// Something that is watched has changed.
    fn ring(&self) {
        {
            let mut state = self.lock();
            state.is_armed = state.line.len() > 0;
            if !state.is_armed {
                return;
            }
            // First armed, then looked: what changes from now on rings again.
            self.watch.register(&self.bell);
        }
        self.look(None, Instant::now());
    }

    /// No foreign code runs under this lock, so a poisoned one still guards a sound state.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Each is foreign, and its panic no reason to leave the next one asleep.
fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        contain(|| waker.wake());
    }
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if let Some(post) = self.0.upgrade() {
            post.ring();
        }
    }
}
