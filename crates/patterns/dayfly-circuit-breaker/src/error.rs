//! Why a call did not go through.

use std::time::Duration;

use thiserror::Error;

/// The breaker refused: nothing was run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the circuit is open")]
#[non_exhaustive]
pub struct Open {
    /// How long to wait before another call has a chance. While probes are under way, or it was opened by hand, nobody
    /// knows, and it is the whole [`open_for`](crate::BreakerOptions::open_for).
    pub retry_after: Duration,
}

/// Why a call through a breaker gave no value. There will be no third reason: it was not made, or it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallError<E> {
    /// The breaker refused: the call was not made.
    #[error("the circuit is open")]
    Open {
        /// As in [`Open::retry_after`].
        retry_after: Duration,
    },
    /// The call was made and failed.
    #[error("the call failed")]
    Inner(#[source] E),
}

impl<E> CallError<E> {
    /// What the call itself failed with; `None` when it was not made.
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Inner(error) => Some(error),
            Self::Open { .. } => None,
        }
    }
}

impl<E> From<Open> for CallError<E> {
    fn from(Open { retry_after }: Open) -> Self {
        Self::Open { retry_after }
    }
}
