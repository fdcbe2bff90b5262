//! What has become of one attempt, as a body tells it to the engine.

use std::any::Any;
use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use super::tally::Finish;
use crate::contain::{brief, panic_text};
use crate::schedule::Schedule;
use crate::{Ended, Outcome};

/// What has become of an attempt.
pub(crate) enum AttemptEnd<T, A = ()> {
    Finished(Finished<A>),
    Again { item: T, after: Duration },
}

/// What has become of an attempt, where a schedule says who starts.
pub(crate) type AttemptEndOf<S> = AttemptEnd<<S as Schedule>::Item, <S as Schedule>::Answer>;

/// An operation's end.
pub(crate) struct Finished<A> {
    pub(super) finish: Finish,
    pub(super) error: Option<Arc<str>>,
    /// To be given once the end is recorded: whoever waits for it then finds it everywhere.
    pub(super) answer: Option<A>,
}

/// What an operation's end tells to whoever waits for it.
pub(crate) trait Answer: Send {
    fn give(self);
}

/// Where nobody waits for a single end.
impl Answer for () {
    fn give(self) {}
}

impl<T, A> AttemptEnd<T, A> {
    /// The end that a body's outcome means. Its value is dropped and its error becomes text, here, where a panic of
    /// either is contained.
    pub(crate) fn of(outcome: impl Outcome<T>) -> Self {
        match outcome.into_ended() {
            Ended::Done(_) => Self::done(),
            Ended::Failed(error) => Self::failed(&error),
            Ended::Again { item, after } => Self::Again { item, after },
        }
    }

    pub(crate) fn done() -> Self {
        Self::finished(Finish::Completed, None)
    }

    pub(crate) fn failed(error: &impl Display) -> Self {
        Self::finished(Finish::Failed, Some(brief(error)))
    }

    pub(super) fn cancelled() -> Self {
        Self::finished(Finish::Cancelled, None)
    }

    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        Self::finished(Finish::Panicked, Some(panic_text(panic)))
    }

    /// Whether the body completed and nothing else is to be done.
    pub(super) const fn is_plain(&self) -> bool {
        matches!(self, Self::Finished(Finished { finish: Finish::Completed, answer: None, .. }))
    }

    /// The same end, with an answer.
    pub(crate) fn with(self, answer: A) -> Self {
        match self {
            Self::Finished(finished) => Self::Finished(Finished { answer: Some(answer), ..finished }),
            again @ Self::Again { .. } => again,
        }
    }

    fn finished(finish: Finish, error: Option<Arc<str>>) -> Self {
        Self::Finished(Finished { finish, error, answer: None })
    }
}
