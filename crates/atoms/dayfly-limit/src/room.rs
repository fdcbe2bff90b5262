//! How much of a limit is taken, and how much is promised to whom was called.

/// What is taken of a limit, and what is set aside for those who were called and have not come yet.
///
/// The limit is the caller's: it may change at any moment, also below what is taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Room {
    in_use: usize,
    promised: usize,
}

impl Room {
    /// Whether so many fit beside what is taken and what is promised.
    pub(crate) fn fits(&self, permits: usize, limit: usize) -> bool {
        let free = limit.saturating_sub(self.in_use).saturating_sub(self.promised);
        permits <= free
    }

    pub(crate) fn take(&mut self, permits: usize) {
        self.in_use += permits;
    }

    pub(crate) fn promise(&mut self, permits: usize) {
        self.promised += permits;
    }

    /// Who was called does not come, or not yet.
    pub(crate) fn withdraw(&mut self, permits: usize) {
        self.promised -= permits;
    }

    /// Who was called has come.
    pub(crate) fn redeem(&mut self, permits: usize) {
        self.withdraw(permits);
        self.take(permits);
    }

    pub(crate) fn give_back(&mut self, permits: usize) {
        self.in_use -= permits;
    }

    pub(crate) const fn in_use(&self) -> usize {
        self.in_use
    }
}
