//! Why a call gave no value.

use std::fmt;
use std::time::Duration;

use thiserror::Error;

/// Why a call through a policy or a pipeline gave no value. Each is a decision that the caller can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CallError<E> {
    /// The call was made and failed: with the error of its last attempt.
    #[error("the call failed")]
    Inner(#[source] E),
    /// The breaker refused: nothing was run. Come back later, or go elsewhere.
    #[error("the circuit is open")]
    Open {
        /// How long to wait before another call has a chance.
        retry_after: Duration,
    },
    /// The call, or its last attempt, took too long and was dropped. What it asked of others may still happen.
    #[error("the {scope} took longer than {after:?}")]
    TimedOut {
        /// How long it could take.
        after: Duration,
        /// What could.
        scope: Scope,
    },
    /// As many calls were under way as the limit allows: nothing was run. Shed it, or raise the limit.
    #[error("no place was free within {after:?}")]
    Refused {
        /// How long it could wait; zero when the limiter behind it was closed.
        after: Duration,
    },
}

/// What a timeout holds for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Scope {
    /// One attempt, from the moment at which it has a permit.
    Attempt,
    /// The whole call: all attempts, and all that it waits for.
    Total,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Attempt => "attempt",
            Self::Total => "call",
        })
    }
}

impl<E> CallError<E> {
    /// What the call itself failed with; `None` when it was not made, or cut short.
    pub fn into_inner(self) -> Option<E> {
        match self {
            Self::Inner(error) => Some(error),
            _ => None,
        }
    }

    /// The same refusal with another error inside.
    pub fn map<F>(self, map: impl FnOnce(E) -> F) -> CallError<F> {
        match self {
            Self::Inner(error) => CallError::Inner(map(error)),
            Self::Open { retry_after } => CallError::Open { retry_after },
            Self::TimedOut { after, scope } => CallError::TimedOut { after, scope },
            Self::Refused { after } => CallError::Refused { after },
        }
    }
}

impl<E> CallError<CallError<E>> {
    /// One layer inside of another: whichever refused.
    pub fn flatten(self) -> CallError<E> {
        match self {
            Self::Inner(inner) => inner,
            Self::Open { retry_after } => CallError::Open { retry_after },
            Self::TimedOut { after, scope } => CallError::TimedOut { after, scope },
            Self::Refused { after } => CallError::Refused { after },
        }
    }
}
