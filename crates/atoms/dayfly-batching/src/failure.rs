//! What is left of a batch that failed.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// The items of a batch that failed, for whoever can still do something with them.
#[non_exhaustive]
pub struct FailedBatch<T, E> {
    /// The items that failed, in order. Those that the handler had taken by value are not among them; it takes all or
    /// none.
    pub items: Vec<T>,
    /// Why.
    pub error: BatchError<E>,
}

/// Why a batch failed, or some of its items.
#[derive(Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BatchError<E> {
    /// The handler failed on the whole batch.
    #[error("the batch failed")]
    Failed(Arc<E>),
    /// The handler failed on some items, with these errors in their order. The other items are done.
    #[error("{} items of the batch failed", .0.len())]
    Items(Vec<Arc<E>>),
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
    /// The batcher was cancelled before the batch was done.
    #[error("the batch was cancelled")]
    Cancelled,
}

impl<E> Clone for BatchError<E> {
    fn clone(&self) -> Self {
        match self {
            Self::Failed(error) => Self::Failed(Arc::clone(error)),
            Self::Items(errors) => Self::Items(errors.clone()),
            Self::Panicked => Self::Panicked,
            Self::Miscounted { items, answers } => Self::Miscounted { items: *items, answers: *answers },
            Self::Cancelled => Self::Cancelled,
        }
    }
}

impl<T, E: fmt::Debug> fmt::Debug for FailedBatch<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedBatch").field("items", &self.items.len()).field("error", &self.error).finish()
    }
}
