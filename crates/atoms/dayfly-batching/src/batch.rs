//! What a handler gets: the items of one batch, which come back to the batcher when they are not taken.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::{slice, vec};

use crate::sync::{Mutex, PoisonError};

/// The items of one batch, in the order in which they came in. Never empty.
///
/// It reads like a slice. When it is dropped, at the end of the handler, with an early `?` or in a panic, the items that
/// are still in it go back to the batcher: after a success they are dropped and their buffer is used again, after a
/// failure they go on to [`BatchRules::on_failure`](crate::BatchRules::on_failure). Items that the handler
/// [took](Self::into_items) are its own.
///
/// A batch that outlives its handler's future keeps its items; nobody gets them back.
pub struct Batch<T> {
    items: Vec<T>,
    reason: FlushReason,
    home: Arc<Home<T>>,
}

/// Why a batch was flushed: which of its bounds it met first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum FlushReason {
    /// It held `max_items`.
    Items,
    /// It weighed `max_weight`, or the next item would have made it heavier.
    Weight,
    /// `max_delay` had passed since its first item.
    Delay,
    /// An item ended it.
    Boundary,
    /// Somebody flushed.
    Flush,
    /// The queue was full.
    Room,
    /// More than `max_keys` keys had a batch that still filled.
    Keys,
    /// The batcher was closed.
    Close,
}

/// Where a batch leaves what is still in it.
pub(crate) struct Home<T>(Mutex<Option<Vec<T>>>);

impl<T> Home<T> {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(None)))
    }

    /// What came back; `None` while the batch is elsewhere.
    pub(crate) fn take(&self) -> Option<Vec<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl<T> Batch<T> {
    pub(crate) const fn new(items: Vec<T>, reason: FlushReason, home: Arc<Home<T>>) -> Self {
        Self { items, reason, home }
    }

    /// The items, by value. A failure finds none of them here.
    #[must_use]
    pub fn into_items(mut self) -> Vec<T> {
        std::mem::take(&mut self.items)
    }

    /// Takes the items out one by one and leaves their buffer to the next batch.
    pub fn drain(&mut self) -> vec::Drain<'_, T> {
        self.items.drain(..)
    }

    /// Why it was flushed.
    #[must_use]
    pub const fn reason(&self) -> FlushReason {
        self.reason
    }
}

impl<T> Deref for Batch<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<'a, T> IntoIterator for &'a Batch<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<T> IntoIterator for Batch<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.into_items().into_iter()
    }
}

impl<T> Drop for Batch<T> {
    fn drop(&mut self) {
        let items = std::mem::take(&mut self.items);
        let left = self.home.0.lock().unwrap_or_else(PoisonError::into_inner).replace(items);
        // One home has one batch at a time, so nothing was there.
        drop(left);
    }
}

impl<T: fmt::Debug> fmt::Debug for Batch<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Batch")
            .field("items", &self.items)
            .field("reason", &self.reason)
            .finish_non_exhaustive()
    }
}
