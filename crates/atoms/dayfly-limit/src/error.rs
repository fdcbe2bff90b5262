//! Why nothing was granted. No error is the limiter's fault; each is a decision that the caller can take.
//!
//! Keys do not come back: a key is a name, which the caller can copy, and not a thing that could be lost.

use thiserror::Error;

use crate::admission::Refusal;
use crate::wait::Unmet;

/// Why a [`Limiter`](crate::Limiter) did not grant what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AcquireError {
    /// The limiter was closed.
    #[error("the limiter is closed")]
    Closed,
    /// More is asked for than the limit allows, or allows since it was lowered: ask for less, or raise it.
    #[error("more permits are asked for than the limit of {limit}")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// The deadline has passed.
    #[error("no permit was free in time")]
    TimedOut,
}

/// Why a [`Limiter`](crate::Limiter) does not grant anything now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryAcquireError {
    /// The limiter was closed.
    #[error("the limiter is closed")]
    Closed,
    /// More is asked for than the limit allows.
    #[error("more permits are asked for than the limit of {limit}")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// Others hold or wait for what is asked for.
    #[error("no permit is free")]
    Full,
}

/// Why a [`KeyedLimiter`](crate::KeyedLimiter) did not grant what was waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum KeyedAcquireError {
    /// The limiter was closed.
    #[error("the limiter is closed")]
    Closed,
    /// More is asked for than the limit of a key or of all keys allows, or allows since it was lowered.
    #[error("more permits are asked for than the limit of {limit}")]
    TooLarge {
        /// The lower of both limits.
        limit: usize,
    },
    /// As many keys are held or waited for as the options allow.
    #[error("{max_keys} keys are in use already")]
    TooManyKeys {
        /// The bound.
        max_keys: usize,
    },
    /// The deadline has passed.
    #[error("no permit was free in time")]
    TimedOut,
}

/// Why a [`KeyedLimiter`](crate::KeyedLimiter) does not grant anything now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryKeyedAcquireError {
    /// The limiter was closed.
    #[error("the limiter is closed")]
    Closed,
    /// More is asked for than the limit of a key or of all keys allows.
    #[error("more permits are asked for than the limit of {limit}")]
    TooLarge {
        /// The lower of both limits.
        limit: usize,
    },
    /// As many keys are held or waited for as the options allow.
    #[error("{max_keys} keys are in use already")]
    TooManyKeys {
        /// The bound.
        max_keys: usize,
    },
    /// Others hold or wait for what is asked for.
    #[error("no permit is free")]
    Full,
}

/// Why a [`KeyedLock`](crate::KeyedLock) does not grant anything now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryLockError {
    /// Others hold a key or wait for it.
    #[error("the key is locked")]
    Locked,
}

/// Why a limit was not set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SetLimitError {
    /// A limit of zero admits nobody, and nobody said that this is wanted.
    #[error("a limit of zero would admit nobody")]
    Zero,
}

impl From<Unmet> for AcquireError {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::TimedOut => Self::TimedOut,
            Unmet::Refused(Refusal::TooLarge { limit }) => Self::TooLarge { limit },
            // There are no keys here that could be too many.
            Unmet::Refused(Refusal::Closed | Refusal::TooManyKeys { .. }) => Self::Closed,
        }
    }
}

impl From<Option<Refusal>> for TryAcquireError {
    fn from(refusal: Option<Refusal>) -> Self {
        match refusal {
            None => Self::Full,
            Some(Refusal::TooLarge { limit }) => Self::TooLarge { limit },
            Some(Refusal::Closed | Refusal::TooManyKeys { .. }) => Self::Closed,
        }
    }
}

impl From<Unmet> for KeyedAcquireError {
    fn from(unmet: Unmet) -> Self {
        match unmet {
            Unmet::TimedOut => Self::TimedOut,
            Unmet::Refused(Refusal::Closed) => Self::Closed,
            Unmet::Refused(Refusal::TooLarge { limit }) => Self::TooLarge { limit },
            Unmet::Refused(Refusal::TooManyKeys { max_keys }) => Self::TooManyKeys { max_keys },
        }
    }
}

impl From<Option<Refusal>> for TryKeyedAcquireError {
    fn from(refusal: Option<Refusal>) -> Self {
        match refusal {
            None => Self::Full,
            Some(Refusal::Closed) => Self::Closed,
            Some(Refusal::TooLarge { limit }) => Self::TooLarge { limit },
            Some(Refusal::TooManyKeys { max_keys }) => Self::TooManyKeys { max_keys },
        }
    }
}
