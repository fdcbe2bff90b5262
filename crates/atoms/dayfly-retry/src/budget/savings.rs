//! What calls have earned: one number that never passes its bound.

use std::sync::atomic::{AtomicU64, Ordering};

use super::WHOLE;

/// Retries that were earned and not made, in millionths.
///
/// Everything is one step on one word, so what two do at once has an order and nothing is spent twice. No other memory
/// is handed over with it, so the steps need no ordering among others.
#[derive(Debug, Default)]
pub(super) struct Savings(AtomicU64);

impl Savings {
    /// Adds millionths as long as there is room; while there is none this only reads.
    pub(super) fn add(&self, millionths: u64, most: u64) {
        if millionths == 0 {
            return;
        }
        let add = |saved: u64| (saved < most).then(|| saved.saturating_add(millionths).min(most));
        // Whoever finds no room has nothing to add.
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add);
    }

    /// Takes one whole retry, if there is one within the bound, which may have been lowered since.
    pub(super) fn take(&self, most: u64) -> bool {
        let take = |saved: u64| saved.min(most).checked_sub(WHOLE);
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    pub(super) fn get(&self, most: u64) -> u64 {
        self.0.load(Ordering::Relaxed).min(most)
    }
}
