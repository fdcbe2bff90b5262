//! The window and what looks into it: as for a keyed coordinator.

use std::hash::Hash;

use dayfly::{Echo, OperationId, OperationSnapshot, PinError, Query, Signal};

use crate::KeyedSequential;

impl<K, T> KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// An operation that runs or that the window remembers. One whose key is parked is neither: see
    /// [`parked`](Self::parked).
    #[must_use]
    pub fn get(&self, id: OperationId) -> Option<OperationSnapshot<K>> {
        self.shared.work.get(id)
    }

    /// Every running operation and every finished one that the window remembers, by id.
    #[must_use]
    pub fn window(&self) -> Vec<OperationSnapshot<K>> {
        self.shared.work.window()
    }

    /// The operations that run now, by id.
    #[must_use]
    pub fn running(&self) -> Vec<OperationSnapshot<K>> {
        self.shared.work.running()
    }

    /// The operations that the window remembers as failed for good, by id: those that were skipped or discarded, each with
    /// its error.
    #[must_use]
    pub fn failed(&self) -> Vec<OperationSnapshot<K>> {
        self.shared.work.failed()
    }

    /// Keeps an operation in the window until it is unpinned, however old it gets. Pinning twice is once.
    ///
    /// # Errors
    /// When it neither runs nor is remembered, and when [`max_pinned`](dayfly::CoordinatorOptions::max_pinned) operations
    /// are pinned already.
    pub fn pin(&self, id: OperationId) -> Result<(), PinError> {
        self.shared.work.pin(id)
    }

    /// Lets a pinned operation go. Says whether it was pinned.
    pub fn unpin(&self, id: OperationId) -> bool {
        self.shared.work.unpin(id)
    }

    /// The signals that are meant of every running operation and every finished one that the window remembers, the last 8
    /// of each, by operation and then oldest first. Costs a look at all of them.
    #[must_use]
    pub fn history(&self, query: impl Into<Query>) -> Vec<Signal> {
        self.shared.work.history(query)
    }

    /// Whether such an operation raised a signal that is meant, as [`history`](Self::history) shows it.
    #[must_use]
    pub fn has(&self, query: impl Into<Query>) -> bool {
        self.shared.work.has(query)
    }

    /// How many signals that are meant [`history`](Self::history) shows.
    #[must_use]
    pub fn count(&self, query: impl Into<Query>) -> usize {
        self.shared.work.count(query)
    }

    /// Signals of operations that have left the window, oldest first.
    #[must_use]
    pub fn echoes(&self) -> Vec<Echo> {
        self.shared.work.echoes()
    }

    /// Calls `observer` with every operation that ends from now on, once each. One that fails and parks its key has not
    /// ended. It runs in the call that ended the operation and never under a lock; a panic is contained.
    pub fn on_finish(&self, observer: impl Fn(&OperationSnapshot<K>) + Send + Sync + 'static) {
        self.shared.work.on_finish(observer);
    }

    /// Calls `observer` with every operation that leaves the window from now on, once each.
    pub fn on_evict(&self, observer: impl Fn(&OperationSnapshot<K>) + Send + Sync + 'static) {
        self.shared.work.on_evict(observer);
    }
}
