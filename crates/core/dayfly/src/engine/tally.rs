//! Counts of what has become of operations.

use crate::{DrainReport, OperationState, Stats};

/// How an operation ended, for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Finish {
    Completed,
    Failed,
    Cancelled,
    Skipped,
    Panicked,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) accepted: u64,
    pub(super) again: u64,
    completed: u64,
    failed: u64,
    cancelled: u64,
    skipped: u64,
    panicked: u64,
}

impl Finish {
    pub(super) const fn state(self) -> OperationState {
        match self {
            Self::Completed => OperationState::Completed,
            Self::Failed => OperationState::Failed,
            Self::Cancelled => OperationState::Cancelled,
            Self::Skipped => OperationState::Skipped,
            Self::Panicked => OperationState::Panicked,
        }
    }
}

impl Tally {
    pub(super) fn count(&mut self, finish: Finish) {
        let count = match finish {
            Finish::Completed => &mut self.completed,
            Finish::Failed => &mut self.failed,
            Finish::Cancelled => &mut self.cancelled,
            Finish::Skipped => &mut self.skipped,
            Finish::Panicked => &mut self.panicked,
        };
        *count += 1;
    }

    pub(super) fn report(&self) -> DrainReport {
        DrainReport {
            accepted: self.accepted,
            completed: self.completed,
            failed: self.failed,
            cancelled: self.cancelled,
            skipped: self.skipped,
            panicked: self.panicked,
        }
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            accepted: self.accepted,
            completed: self.completed,
            failed: self.failed,
            cancelled: self.cancelled,
            skipped: self.skipped,
            panicked: self.panicked,
            again: self.again,
            ..Stats::default()
        }
    }
}
