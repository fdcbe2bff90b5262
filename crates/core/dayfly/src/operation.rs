//! The operation as its body sees it: identity, cancellation, signals, and the ways to end.

use std::any::Any;
use std::fmt::{self, Display};
use std::time::Duration;

use dayfly_signal::{Draft, OperationId, SignalId, SignalSink};

use crate::Ended;
use crate::desk;
use crate::pass::{AnyPass, Badge, Pass};

/// One attempt of one operation, owned by the body that runs it.
///
/// It may outlive its body, in a task of its own for example: [`is_finished`](Self::is_finished) tells, and what it
/// raises still carries the operation's id.
pub struct Operation {
    /// Present until it is dropped.
    pass: Option<Box<dyn AnyPass>>,
}

impl Operation {
    pub(crate) fn new(pass: Box<dyn AnyPass>) -> Self {
        Self { pass: Some(pass) }
    }

    /// The operation's id. It stays the same over all attempts.
    #[must_use]
    pub fn id(&self) -> OperationId {
        self.badge().source.operation()
    }

    /// Which attempt this is: 1 for the first.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.badge().attempt
    }

    /// The operation's key as text; `None` where there are no keys.
    #[must_use]
    pub fn key(&self) -> Option<String> {
        self.pass().key_text()
    }

    /// The operation's key; `None` where there are no keys, and where they are of another type.
    #[must_use]
    pub fn key_as<K: 'static>(&self) -> Option<&K> {
        let pass: &dyn Any = self.pass();
        pass.downcast_ref::<Pass<K>>().map(|pass| &pass.key)
    }

    /// Raises a signal that carries the operation's id.
    ///
    /// Within its body it carries the reading of the clock that the worker took last, at most some operations ago;
    /// anywhere else the clock is read.
    pub fn raise<'a>(&self, draft: impl Into<Draft<'a>>) -> SignalId {
        self.badge().raise(draft.into())
    }

    /// Takes one raise of this name back that this attempt or an earlier one added. Says whether there was one.
    pub fn retract<'a>(&self, draft: impl Into<Draft<'a>>) -> bool {
        self.badge().source.retract(draft)
    }

    /// The sink that the coordinator works with.
    #[must_use]
    pub fn signals(&self) -> &SignalSink {
        self.badge().source.sink()
    }

    /// Waits until the operation is cancelled. A body that goes on regardless is dropped after the grace period.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn cancelled(&self) {
        let badge = self.badge();
        badge.shared.cancelled(badge.generation).await;
    }

    /// Whether the operation has been cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let badge = self.badge();
        badge.shared.is_cancelled(badge.generation)
    }

    /// Whether the body that this operation was given to has ended.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        let badge = self.badge();
        badge.shared.is_finished(badge.generation)
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

    /// Ends the body: the work is to be tried again, not before `after` has passed, or as [`Ended::Again`] says.
    #[must_use = "the body has to return it"]
    pub fn again<T, V, E>(self, item: T, after: Duration) -> Ended<T, V, E> {
        Ended::Again { item, after }
    }

    fn badge(&self) -> &Badge {
        self.pass().badge()
    }

    #[expect(clippy::expect_used, reason = "only `drop` takes the pass out, and nothing is called after it")]
    fn pass(&self) -> &dyn AnyPass {
        self.pass.as_deref().expect("an operation has its pass until it is dropped")
    }
}

impl Drop for Operation {
    fn drop(&mut self) {
        if let Some(pass) = self.pass.take() {
            desk::hand_in(pass);
        }
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
