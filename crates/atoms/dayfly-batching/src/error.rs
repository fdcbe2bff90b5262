//! Refusals, each with the item that was refused, and what else keeps an item from its value.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// The item was not taken, and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PushError<T> {
    /// The batcher takes no more items.
    #[error("the batcher is closed")]
    Closed(T),
    /// The item weighs more than a batch may.
    #[error("the item is heavier than a batch may be")]
    TooHeavy(T),
}

/// The item was not taken, and comes back.
#[derive(Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TryPushError<T> {
    /// The queue has no room.
    #[error("the queue is full")]
    Full(T),
    /// The batcher takes no more items.
    #[error("the batcher is closed")]
    Closed(T),
    /// The item weighs more than a batch may.
    #[error("the item is heavier than a batch may be")]
    TooHeavy(T),
}

/// Why a submitted item yields no value.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SubmitError<T, E> {
    /// The batcher takes no more items. The item was not taken, and comes back.
    #[error("the batcher is closed")]
    Closed(T),
    /// The item weighs more than a batch may. It was not taken, and comes back.
    #[error("the item is heavier than a batch may be")]
    TooHeavy(T),
    /// The handler failed, on this item or on its whole batch. The items of a batch share one error.
    #[error("the batch failed")]
    Failed(Arc<E>),
    /// The handler panicked.
    #[error("the batch panicked")]
    Panicked,
    /// The handler returned another number of answers than there were items, so none can be told from another.
    #[error("the handler gave {answers} answers for {items} items")]
    Miscounted {
        /// How many items the batch had.
        items: usize,
        /// How many answers there were.
        answers: usize,
    },
    /// The batcher was cancelled, or its runtime shut down, before the item was done.
    #[error("the batch was cancelled")]
    Cancelled,
}

impl<T> PushError<T> {
    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::Closed(item) | Self::TooHeavy(item) => item,
        }
    }
}

impl<T> TryPushError<T> {
    /// The item that was refused.
    pub fn into_item(self) -> T {
        match self {
            Self::Full(item) | Self::Closed(item) | Self::TooHeavy(item) => item,
        }
    }
}

impl<T, E> SubmitError<T, E> {
    /// The item, if it was refused. What was taken went to the handler.
    pub fn into_item(self) -> Option<T> {
        match self {
            Self::Closed(item) | Self::TooHeavy(item) => Some(item),
            _ => None,
        }
    }
}

// Items need not be `Debug` for the errors to be, so that `unwrap` and `?` always work.
impl<T> fmt::Debug for PushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed(_) => "Closed(..)",
            Self::TooHeavy(_) => "TooHeavy(..)",
        })
    }
}

impl<T> fmt::Debug for TryPushError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Full(_) => "Full(..)",
            Self::Closed(_) => "Closed(..)",
            Self::TooHeavy(_) => "TooHeavy(..)",
        })
    }
}

impl<T, E: fmt::Debug> fmt::Debug for SubmitError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed(_) => f.write_str("Closed(..)"),
            Self::TooHeavy(_) => f.write_str("TooHeavy(..)"),
            Self::Failed(error) => f.debug_tuple("Failed").field(error).finish(),
            Self::Panicked => f.write_str("Panicked"),
            Self::Miscounted { items, answers } => {
                f.debug_struct("Miscounted").field("items", items).field("answers", answers).finish()
            }
            Self::Cancelled => f.write_str("Cancelled"),
        }
    }
}
