//! What a change of the core asks for of whoever holds no lock any more. Workers keep theirs, so that its lists grow once.

use std::task::Waker;

use dayfly_signal::OperationId;

use super::seats::Grip;
use crate::OperationSnapshot;
use crate::schedule::Schedule;
use crate::window::Record;

/// An item that will not run, with what its operation was.
pub(super) type Discarded<S> = (<S as Schedule>::Item, Option<OperationSnapshot<<S as Schedule>::Key>>);

/// What is left to do once the locks are free.
pub(super) struct Effects<S: Schedule> {
    /// Items that will not run, each with what its operation was, unless its key cannot be copied.
    pub(super) discarded: Vec<Discarded<S>>,
    pub(super) answers: Vec<S::Answer>,
    /// Bodies to be told that they are cancelled, or to be dropped.
    pub(super) cancelled: Vec<Grip>,
    pub(super) killed: Vec<Grip>,
    /// The places of the keys of operations that left the queue, and of those that came back to it.
    pub(super) left_queue: Vec<usize>,
    pub(super) came_back: Vec<usize>,
    /// Places of keys that have no work any more, and keys that have lost their place.
    pub(super) released: Vec<usize>,
    pub(super) gone: Vec<S::Key>,
    /// Producers that have room now.
    pub(super) producers: Vec<Waker>,
    /// Workers that have something to do now.
    pub(super) workers: Vec<usize>,
    /// How many were told since this was last asked.
    pub(super) told_workers: usize,
    /// The keeper has something earlier to wait for than it knows.
    pub(super) nudge_keeper: bool,
    /// Operations to be announced: that they ended, and that they left the window.
    pub(super) finished: Vec<OperationSnapshot<S::Key>>,
    pub(super) evicted: Vec<Record<S::Key>>,
    /// Ids that callers brought and may bring again.
    pub(super) own_ids: Vec<OperationId>,
    pub(super) announces_finish: bool,
    pub(super) announces_evict: bool,
}

impl<S: Schedule> Default for Effects<S> {
    fn default() -> Self {
        Self {
            discarded: Vec::new(),
            answers: Vec::new(),
            cancelled: Vec::new(),
            killed: Vec::new(),
            left_queue: Vec::new(),
            came_back: Vec::new(),
            released: Vec::new(),
            gone: Vec::new(),
            producers: Vec::new(),
            workers: Vec::new(),
            told_workers: 0,
            nudge_keeper: false,
            finished: Vec::new(),
            evicted: Vec::new(),
            own_ids: Vec::new(),
            announces_finish: false,
            announces_evict: false,
        }
    }
}

impl<S: Schedule> Effects<S> {
    /// Whether somebody is to be told of what ended.
    pub(super) fn tell(&self) -> bool {
        let evictions = self.announces_evict && !self.evicted.is_empty();
        evictions || !(self.finished.is_empty() && self.answers.is_empty() && self.discarded.is_empty())
    }
}
