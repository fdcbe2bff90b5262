//! Who waits for a flush waits for every batch that was begun before it, whatever order they end in.

use std::collections::BTreeMap;

/// Batches that have not ended, by the flush that they were begun after.
#[derive(Debug, Default)]
pub(super) struct Epochs {
    current: u64,
    count: usize,
    /// Earlier epochs that have not ended; none is empty, so there are never more than there are batches.
    earlier: BTreeMap<u64, usize>,
}

impl Epochs {
    /// A batch begins.
    pub(super) const fn begin(&mut self) -> u64 {
        self.count += 1;
        self.current
    }

    /// A part of a batch goes on by itself.
    pub(super) fn again(&mut self, epoch: u64) {
        if epoch == self.current {
            self.count += 1;
        } else {
            *self.earlier.entry(epoch).or_default() += 1;
        }
    }

    /// A batch has ended.
    pub(super) fn end(&mut self, epoch: u64) {
        if epoch == self.current {
            self.count -= 1;
        } else if let Some(count) = self.earlier.get_mut(&epoch) {
            *count -= 1;
            if *count == 0 {
                self.earlier.remove(&epoch);
            }
        }
    }

    /// What is begun from now on is not waited for. Returns what [`has_reached`](Self::has_reached) asks for.
    pub(super) fn mark(&mut self) -> u64 {
        if self.count > 0 {
            self.earlier.insert(self.current, std::mem::take(&mut self.count));
            self.current += 1;
        }
        self.current
    }

    /// Whether everything has ended that was begun before the mark.
    pub(super) fn has_reached(&self, mark: u64) -> bool {
        let first = self.earlier.keys().next();
        first.is_none_or(|first| *first >= mark) && (self.current >= mark || self.count == 0)
    }
}
