//! What a change of the core asks for: of the worker that made it, and of whoever holds no lock any more.

use std::sync::Arc;

use dayfly_signal::OperationId;

use super::tally::Finish;
use crate::OperationSnapshot;
use crate::operation::Attempt;
use crate::schedule::Schedule;

/// What is left to do once the lock is free.
pub(super) struct Effects<S: Schedule> {
    pub(super) discarded: Vec<(S::Item, Finish)>,
    pub(super) answers: Vec<Box<dyn FnOnce() + Send>>,
    /// Bodies to be told that they are cancelled, or to be dropped.
    pub(super) cancelled: Vec<Arc<Attempt<S::Key>>>,
    pub(super) killed: Vec<Arc<Attempt<S::Key>>>,
    /// Keys of operations that gave up their place in the queue.
    pub(super) left_queue: Vec<S::Key>,
    /// The keeper has something earlier to wait for than it knows.
    pub(super) nudge_keeper: bool,
    /// Operations to be announced: that they ended, and that they left the window.
    pub(super) finished: Vec<OperationSnapshot<S::Key>>,
    pub(super) evicted: Vec<OperationSnapshot<S::Key>>,
    pub(super) announces_finish: bool,
}

/// What a worker is to do.
pub(super) enum Claim<S: Schedule> {
    Run(Start<S>),
    /// The operation was skipped; claim again.
    Skipped,
    /// There is nothing to do: the worker is gone.
    Nothing,
}

pub(super) struct Start<S: Schedule> {
    pub(super) id: OperationId,
    pub(super) attempt: Arc<Attempt<S::Key>>,
    pub(super) item: S::Item,
}

impl<S: Schedule> Default for Effects<S> {
    fn default() -> Self {
        Self {
            discarded: Vec::new(),
            answers: Vec::new(),
            cancelled: Vec::new(),
            killed: Vec::new(),
            left_queue: Vec::new(),
            nudge_keeper: false,
            finished: Vec::new(),
            evicted: Vec::new(),
            announces_finish: false,
        }
    }
}
