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

/// The report as it stands, and what only the figures of the moment tell.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) report: DrainReport,
    pub(super) again: u64,
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
            Finish::Completed => &mut self.report.completed,
            Finish::Failed => &mut self.report.failed,
            Finish::Cancelled => &mut self.report.cancelled,
            Finish::Skipped => &mut self.report.skipped,
            Finish::Panicked => &mut self.report.panicked,
        };
        *count += 1;
    }

    pub(super) fn stats(&self) -> Stats {
        let DrainReport { accepted, completed, failed, cancelled, skipped, panicked } = self.report;
        let again = self.again;
        Stats { accepted, completed, failed, cancelled, skipped, panicked, again, ..Stats::default() }
    }
}
