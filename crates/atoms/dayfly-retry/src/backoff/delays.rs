//! A backoff's delays one after the other, for those who do the waiting themselves.

use std::iter::FusedIterator;
use std::time::Duration;

use crate::Backoff;

/// The delays of a [`Backoff`] in their order. They never end; [`take`](Iterator::take) as many as wanted.
#[derive(Clone, Debug)]
#[must_use = "iterators do nothing unless they are asked"]
pub struct Delays {
    backoff: Backoff,
    seed: u64,
    retry: u32,
}

impl Delays {
    pub(super) const fn new(backoff: &Backoff, seed: u64) -> Self {
        Self { backoff: *backoff, seed, retry: 0 }
    }
}

impl Iterator for Delays {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        // What comes after four thousand million retries is as long as the last of them.
        self.retry = self.retry.saturating_add(1);
        Some(self.backoff.delay(self.retry, self.seed))
    }

    fn nth(&mut self, skipped: usize) -> Option<Duration> {
        self.retry = self.retry.saturating_add(u32::try_from(skipped).unwrap_or(u32::MAX));
        self.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, None)
    }
}

impl FusedIterator for Delays {}
