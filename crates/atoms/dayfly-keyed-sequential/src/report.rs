//! What is told of parked keys, and of what was given up.

use std::fmt;
use std::sync::Arc;

use dayfly::{DrainReport, OperationId, OperationState};
use tokio::time::Instant;

/// A key that is parked, and why.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Parked<K> {
    /// The key.
    pub key: K,
    /// The operation that failed and parks it.
    pub id: OperationId,
    /// How many attempts of it have failed or were made otherwise; 1 after the first.
    pub attempts: u32,
    /// Since when the key is parked: when the newest attempt ended.
    pub since: Instant,
    /// Why that attempt failed, at most 512 bytes: the error's text, or what the body panicked with.
    pub error: Arc<str>,
    /// Whether the body panicked.
    pub panicked: bool,
}

/// An accepted item that did not come to its end, and was not handed back otherwise.
#[non_exhaustive]
pub struct GivenUp<K, T> {
    /// Its operation.
    pub id: OperationId,
    /// Its key.
    pub key: K,
    /// The item.
    pub item: Arc<T>,
    /// How many attempts had begun; 0 when it never started.
    pub attempts: u32,
    /// Why the newest failed attempt did, if any has.
    pub error: Option<Arc<str>>,
    /// How its operation ended: cancelled, skipped, or failed with nobody left to say what is to become of it.
    pub state: OperationState,
}

/// What has become of everything that was accepted.
#[non_exhaustive]
pub struct SequentialReport<K, T> {
    /// The figures. Items that were skipped or discarded by hand count as failed if they had failed, and as cancelled if
    /// they had not started.
    pub figures: DrainReport,
    /// Items that were given up, oldest first, without those that were
    /// [taken](crate::KeyedSequential::take_given_up) already.
    pub given_up: Vec<GivenUp<K, T>>,
    /// How many more were given up and are not listed, because nobody took the list while it was full.
    pub forgotten: u64,
}

// `T` need not be `Clone`: the item is shared.
impl<K: Clone, T> Clone for GivenUp<K, T> {
    fn clone(&self) -> Self {
        Self {
            id: self.id,
            key: self.key.clone(),
            item: Arc::clone(&self.item),
            attempts: self.attempts,
            error: self.error.clone(),
            state: self.state,
        }
    }
}

impl<K: Clone, T> Clone for SequentialReport<K, T> {
    fn clone(&self) -> Self {
        Self { figures: self.figures, given_up: self.given_up.clone(), forgotten: self.forgotten }
    }
}

// Nor need it be `Debug`: it may be large, or a secret.
impl<K: fmt::Debug, T> fmt::Debug for GivenUp<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GivenUp")
            .field("id", &self.id)
            .field("key", &self.key)
            .field("attempts", &self.attempts)
            .field("error", &self.error)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}

impl<K: fmt::Debug, T> fmt::Debug for SequentialReport<K, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SequentialReport")
            .field("figures", &self.figures)
            .field("given_up", &self.given_up)
            .field("forgotten", &self.forgotten)
            .finish()
    }
}
