//! The pure part of a counter: which of the history's events it counts at a given moment.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The raises a counter has seen, oldest first. Never longer than the history, whose events it names.
#[derive(Debug)]
pub(crate) struct CountWindow {
    within: Duration,
    seen: VecDeque<(u64, Instant)>,
}

impl CountWindow {
    pub(crate) fn new(within: Duration) -> Self {
        Self { within, seen: VecDeque::new() }
    }

    pub(crate) fn push(&mut self, id: u64, at: Instant, oldest_in_history: u64) {
        self.trim(at, oldest_in_history);
        self.seen.push_back((id, at));
    }

    /// Drops what the history no longer shows and what is not within the window any more.
    pub(crate) fn trim(&mut self, now: Instant, oldest_in_history: u64) {
        while let Some(&(id, at)) = self.seen.front() {
            if id >= oldest_in_history && now.saturating_duration_since(at) < self.within {
                return;
            }
            self.seen.pop_front();
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        self.seen.retain(|&(id, _)| keep(id));
    }

    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// The instant of the newest raise for 1, of the one before it for 2, and so on.
    pub(crate) fn nth_newest(&self, n: usize) -> Option<Instant> {
        let at = self.seen.len().checked_sub(n)?;
        self.seen.get(at).map(|&(_, at)| at)
    }
}
