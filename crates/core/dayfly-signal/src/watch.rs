//! Watching the state of some names, by event.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::interest::{Interest, Interested};
use crate::sync::{AtomicU64, Ordering};
use crate::{PatternSet, Raised, SignalSink};

/// Watches whether the names that its patterns mean are raised.
///
/// [`has_changed`](Self::has_changed) is one atomic load, so it can stand before every start of an operation.
/// Ageing counts as a change when the sink notices it; who must not miss it sets a timer for
/// [`Raised::expires_at`].
#[derive(Debug)]
pub struct Watch {
    sink: SignalSink,
    patterns: PatternSet,
    at: usize,
    version: Arc<AtomicU64>,
    seen: u64,
}

impl Watch {
    pub(crate) fn new(sink: SignalSink, patterns: PatternSet) -> Self {
        let version = Arc::new(AtomicU64::new(0));
        let of = Interested::Watch { version: Arc::clone(&version), waker: None };
        let at = sink.change(|state, _| state.listen(Interest { patterns: patterns.clone(), of }));
        Self { sink, patterns, at, version, seen: 0 }
    }

    /// Whether something was raised, taken back or aged out since [`state`](Self::state) was last read.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.version() != self.seen
    }

    /// A figure that changes whenever something that is watched was raised, taken back or aged out, and at no other
    /// time but when the sink's greatest age is set. It only grows.
    ///
    /// One atomic load: who shares a watch between threads keeps the figure that belongs to what was read last, and
    /// compares. Read it before the state, so that a change in between is not missed.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// The names that are raised now. Marks all changes so far as seen.
    #[must_use]
    pub fn state(&mut self) -> Vec<Raised> {
        // Read before the state, so that a change in between shows as one that was not seen.
        self.mark_seen();
        self.sink.raised_now(&self.patterns)
    }

    /// The names that are raised now, without marking anything as seen: for who shares a watch and compares
    /// [`version`](Self::version)s.
    #[must_use]
    pub fn read(&self) -> Vec<Raised> {
        self.sink.raised_now(&self.patterns)
    }

    /// Has `waker` woken at the next change, once, in the call that makes it and after the sink's lock is free: for who
    /// shares a watch. Takes the place of any other waker, that of [`changed`](Self::changed) included.
    ///
    /// Register first and look at [`version`](Self::version) then: a change before this call wakes nobody.
    pub fn register(&self, waker: &Waker) {
        // A waker is foreign code: it is cloned before the lock, and the one that is replaced is dropped after it.
        let waker = waker.clone();
        let replaced = match self.sink.lock().interest(self.at) {
            Interested::Watch { waker: place, .. } => place.replace(waker),
            _ => None,
        };
        drop(replaced);
    }

    /// Marks all changes so far as seen, without reading the state.
    pub fn mark_seen(&mut self) {
        self.seen = self.version();
    }

    /// Waits until [`has_changed`](Self::has_changed).
    ///
    /// # Cancel safety
    /// Nothing is lost: a change stays one until [`state`](Self::state) is read.
    pub async fn changed(&mut self) {
        poll_fn(|context| {
            if self.has_changed() {
                return Poll::Ready(());
            }
            // Under the lock a change cannot slip in between the second look and the waker's place.
            let mut sink = self.sink.lock();
            if self.has_changed() {
                return Poll::Ready(());
            }
            let replaced = match sink.interest(self.at) {
                Interested::Watch { waker, .. } => waker.replace(context.waker().clone()),
                _ => None,
            };
            // The waker that is replaced may be the last of its task: it is dropped after the lock.
            drop(sink);
            drop(replaced);
            Poll::Pending
        })
        .await;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // The interest may own a waker, whose drop is foreign code: it must not run under the lock.
        let interest = self.sink.lock().unlisten(self.at);
        drop(interest);
    }
}
