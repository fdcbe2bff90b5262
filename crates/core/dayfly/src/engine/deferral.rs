//! The bound on deferral: when the first deferred operation has waited for long enough, and what becomes of it.

use std::time::Duration;

use dayfly_signal::Verdict;
use tokio::time::Instant;

use super::core::far_enough;
use crate::AfterDeferral;

pub(super) struct Deferral {
    bound: Option<(Duration, AfterDeferral)>,
    /// When the first of the operations that were found deferred may wait no longer.
    due: Option<Instant>,
    /// Whether the keeper has not heard of `due` yet.
    is_new: bool,
}

impl Deferral {
    pub(super) const fn new(bound: Option<(Duration, AfterDeferral)>) -> Self {
        Self { bound, due: None, is_new: false }
    }

    /// What is deferred is to be looked at again after this.
    pub(super) const fn set_bound(&mut self, bound: Option<(Duration, AfterDeferral)>) {
        self.bound = bound;
        self.due = None;
    }

    /// The gate of an operation, given what the signals say and since when they defer it.
    pub(super) fn bound(&mut self, gate: Verdict, now: Instant, since: impl FnOnce() -> Instant) -> Verdict {
        let (Verdict::Deferred, Some((wait, then))) = (gate, self.bound) else { return gate };
        let due = far_enough(since(), wait);
        if due > now {
            let first = earlier(self.due, Some(due));
            self.is_new |= first != self.due;
            self.due = first;
            return Verdict::Deferred;
        }
        match then {
            AfterDeferral::Run => Verdict::Open,
            AfterDeferral::Skip => Verdict::Cancelled,
        }
    }

    /// Whether looking at deferred operations again would find nothing new.
    pub(super) const fn is_settled(&self) -> bool {
        self.bound.is_none() || self.due.is_some()
    }

    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.due.is_some_and(|due| due <= now)
    }

    pub(super) const fn due(&self) -> Option<Instant> {
        self.due
    }

    pub(super) fn has_new_due(&mut self) -> bool {
        std::mem::take(&mut self.is_new)
    }

    /// Everything that is deferred is about to be looked at again.
    pub(super) fn restart(&mut self) {
        self.due = None;
    }
}

/// The earlier of two instants that may be missing.
pub(super) fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    [one, other].into_iter().flatten().min()
}
