//! Refusals, each with the item that was refused.

use std::fmt;

use thiserror::Error;

/// The gate lets it not through; the item comes back if there was one.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Refused<T = ()> {
    /// A signal that cancels is raised.
    #[error("a raised signal refuses it")]
    Cancelled(T),
    /// It was deferred for as long as [`max_deferral`](crate::GateOptions::max_deferral) allows.
    #[error("signals have deferred it for as long as they may")]
    Overdue(T),
}

/// Why an item did not get to what stands behind the gate.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum AdmitError<E, T = ()> {
    /// The gate refused it.
    #[error(transparent)]
    Refused(Refused<T>),
    /// What stands behind the gate failed.
    #[error(transparent)]
    Inner(E),
}

/// The item was not sent, and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SendError<T> {
    /// The gate refused it.
    #[error(transparent)]
    Refused(Refused<T>),
    /// The receiver is gone or closed.
    #[error("the channel is closed")]
    Closed(T),
}

/// The item was not sent, and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TrySendError<T> {
    /// The gate refused it.
    #[error(transparent)]
    Refused(Refused<T>),
    /// A signal that defers is raised.
    #[error("a raised signal defers it")]
    Deferred(T),
    /// The channel has no room.
    #[error("the channel is full")]
    Full(T),
    /// The receiver is gone or closed.
    #[error("the channel is closed")]
    Closed(T),
}

impl<T> Refused<T> {
    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::Cancelled(item) | Self::Overdue(item) => item,
        }
    }
}

impl Refused {
    /// The same refusal of an item.
    pub(crate) fn of<T>(self, item: T) -> Refused<T> {
        match self {
            Self::Cancelled(()) => Refused::Cancelled(item),
            Self::Overdue(()) => Refused::Overdue(item),
        }
    }
}

impl<T> SendError<T> {
    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::Refused(refused) => refused.into_item(),
            Self::Closed(item) => item,
        }
    }
}

impl<T> TrySendError<T> {
    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::Refused(refused) => refused.into_item(),
            Self::Deferred(item) | Self::Full(item) | Self::Closed(item) => item,
        }
    }
}

// Items need not be `Debug` for the error to be, so that `unwrap` and `?` always work.
impl<T> fmt::Debug for Refused<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cancelled(_) => "Cancelled(..)",
            Self::Overdue(_) => "Overdue(..)",
        })
    }
}

impl<E: fmt::Debug, T> fmt::Debug for AdmitError<E, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => f.debug_tuple("Refused").field(refused).finish(),
            Self::Inner(error) => f.debug_tuple("Inner").field(error).finish(),
        }
    }
}

impl<T> fmt::Debug for SendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => f.debug_tuple("Refused").field(refused).finish(),
            Self::Closed(_) => f.write_str("Closed(..)"),
        }
    }
}

impl<T> fmt::Debug for TrySendError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refused) => f.debug_tuple("Refused").field(refused).finish(),
            Self::Deferred(_) => f.write_str("Deferred(..)"),
            Self::Full(_) => f.write_str("Full(..)"),
            Self::Closed(_) => f.write_str("Closed(..)"),
        }
    }
}

impl<T> From<SendError<T>> for TrySendError<T> {
    fn from(refused: SendError<T>) -> Self {
        match refused {
            SendError::Refused(refused) => Self::Refused(refused),
            SendError::Closed(item) => Self::Closed(item),
        }
    }
}
