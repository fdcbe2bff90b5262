//! The operation as its body sees it: identity, cancellation, signals, and the ways to end.

use std::collections::VecDeque;
use std::fmt::{self, Display};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dayfly_signal::{Draft, OperationId, Signal, SignalId, SignalSink, SignalSource};
use futures_util::task::AtomicWaker;

use crate::Ended;
use crate::latch::Latch;

/// How many signals a record keeps.
const RECENT: usize = 8;

/// One attempt of one operation, owned by the body that runs it.
///
/// It may outlive its body, in a task of its own for example: [`is_finished`](Self::is_finished) tells, and what it
/// raises still carries the operation's id.
pub struct Operation {
    attempt: Arc<dyn AnyAttempt>,
}

impl Operation {
    pub(crate) fn new<K: Send + Sync + 'static>(attempt: Arc<Attempt<K>>) -> Self {
        Self { attempt }
    }

    /// The operation's id. It stays the same over all attempts.
    #[must_use]
    pub fn id(&self) -> OperationId {
        self.shared().source.operation()
    }

    /// Which attempt this is: 1 for the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.shared().number
    }

    /// The operation's key as text; `None` where there are no keys.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        self.attempt.key_text()
    }

    /// Raises a signal that carries the operation's id.
    pub fn raise<'a>(&self, draft: impl Into<Draft<'a>>) -> SignalId {
        self.shared().raise(draft.into())
    }

    /// Takes one raise of this name back that this attempt or an earlier one added. Says whether there was one.
    pub fn retract<'a>(&self, draft: impl Into<Draft<'a>>) -> bool {
        self.shared().source.retract(draft)
    }

    /// The sink that the coordinator works with.
    #[must_use]
    pub fn signals(&self) -> &SignalSink {
        self.shared().source.sink()
    }

    /// Waits until the operation is cancelled. A body that goes on regardless is dropped after the grace period.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn cancelled(&self) {
        self.shared().cancel.wait().await;
    }

    /// Whether the operation has been cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.shared().cancel.is_set()
    }

    /// Whether the body that this operation was given to has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.shared().finished.load(Ordering::Acquire)
    }

    /// Ends the body: the work is done.
    #[must_use = "the body has to return it"]
    pub fn done<T, E>(self) -> Ended<T, (), E> {
        Ended::Done(())
    }

    /// Ends the body: the work is done and yields `value`.
    #[must_use = "the body has to return it"]
    pub fn done_with<T, V, E>(self, value: V) -> Ended<T, V, E> {
        Ended::Done(value)
    }

    /// Ends the body: the work failed and is not tried again.
    #[must_use = "the body has to return it"]
    pub fn fail<T, V, E: Display>(self, error: E) -> Ended<T, V, E> {
        Ended::Failed(error)
    }

    /// Ends the body: the work is to be tried again, not before `after` has passed.
    #[must_use = "the body has to return it"]
    pub fn again<T, V, E>(self, item: T, after: Duration) -> Ended<T, V, E> {
        Ended::Again { item, after }
    }

    fn shared(&self) -> &Shared {
        self.attempt.shared()
    }
}

impl fmt::Debug for Operation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Operation")
            .field("id", &self.id().get())
            .field("attempt", &self.attempt())
            .field("cancelled", &self.is_cancelled())
            .field("finished", &self.is_finished())
            .finish()
    }
}

/// What the engine and the body share about one attempt.
pub(crate) struct Attempt<K> {
    pub(crate) key: K,
    key_text: fn(&K) -> Option<String>,
    pub(crate) shared: Shared,
}

/// The part that does not depend on the type of the key.
pub(crate) struct Shared {
    pub(crate) number: u32,
    source: SignalSource,
    cancel: Latch,
    killed: AtomicBool,
    /// The worker that runs the body, to be woken when the body is to be dropped.
    worker: AtomicWaker,
    finished: AtomicBool,
    recent: Mutex<VecDeque<Signal>>,
}

trait AnyAttempt: Send + Sync {
    fn shared(&self) -> &Shared;
    fn key_text(&self) -> Option<String>;
}

impl<K: Send + Sync> AnyAttempt for Attempt<K> {
    fn shared(&self) -> &Shared {
        &self.shared
    }

    fn key_text(&self) -> Option<String> {
        (self.key_text)(&self.key)
    }
}

impl<K> Attempt<K> {
    pub(crate) fn new(key: K, key_text: fn(&K) -> Option<String>, number: u32, source: SignalSource) -> Self {
        let shared = Shared {
            number,
            source,
            cancel: Latch::new(),
            killed: AtomicBool::new(false),
            worker: AtomicWaker::new(),
            finished: AtomicBool::new(false),
            recent: Mutex::new(VecDeque::new()),
        };
        Self { key, key_text, shared }
    }
}

impl Shared {
    /// Lets the body see that it is cancelled. Wakes foreign code: never under a lock.
    pub(crate) fn cancel(&self) {
        self.cancel.set();
    }

    /// Cancels the body and has it dropped at its next suspension.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        self.cancel.set();
        self.worker.wake();
    }

    pub(crate) fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Acquire)
    }

    /// To be called at every poll of the body, before it.
    pub(crate) fn register_worker(&self, waker: &std::task::Waker) {
        self.worker.register(waker);
    }

    pub(crate) fn finish(&self) {
        self.finished.store(true, Ordering::Release);
    }

    pub(crate) fn recent(&self) -> Vec<Signal> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    fn raise(&self, draft: Draft<'_>) -> SignalId {
        let signal = self.source.raise_event(draft);
        let id = signal.id();
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back(signal);
        id
    }
}
