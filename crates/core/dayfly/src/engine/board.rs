//! What a worker does between two visits to the core, written by the worker alone and read by whoever looks.

use crate::sync::{AtomicU32, Ordering};

/// What a worker has done with its newest claim since it was last in the core.
#[derive(Default)]
pub(super) struct Board {
    /// How many of the batch have started, in its order.
    started: AtomicU32,
    /// Which of the batch have completed, one bit for each.
    completed: AtomicU32,
}

/// How far a claimed operation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    Unstarted,
    Running,
    Completed,
}

impl Board {
    /// The worker starts the next of its batch.
    pub(super) fn start(&self, turn: u32) {
        self.started.store(turn + 1, Ordering::Release);
    }

    /// An operation of the batch has completed, and the worker goes on before it tells the core.
    pub(super) fn complete(&self, turn: u32) {
        // Only the worker writes while it works, so this needs no read-modify-write.
        let completed = self.completed.load(Ordering::Relaxed) | (1 << turn);
        self.completed.store(completed, Ordering::Release);
    }

    /// The core knows everything. To be called by the worker, in the core.
    pub(super) fn settle(&self) {
        self.completed.store(0, Ordering::Release);
    }

    pub(super) fn clear(&self) {
        self.started.store(0, Ordering::Release);
        self.completed.store(0, Ordering::Release);
    }

    pub(super) fn started(&self) -> usize {
        self.started.load(Ordering::Acquire) as usize
    }

    /// How many have started, and how many of these have completed since the core was last told.
    pub(super) fn counts(&self) -> (usize, usize) {
        // Whatever has completed by the first look has started by the second.
        let completed = self.completed.load(Ordering::Acquire).count_ones() as usize;
        (self.started(), completed)
    }

    pub(super) fn progress(&self, turn: usize) -> Progress {
        // In this order for the same reason.
        let completed = self.completed.load(Ordering::Acquire);
        if turn >= self.started() {
            Progress::Unstarted
        } else if completed & (1 << turn) == 0 {
            Progress::Running
        } else {
            Progress::Completed
        }
    }
}
