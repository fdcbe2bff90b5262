//! A flag that is set once, and that any number of tasks may wait for.
//!
//! The crates of the house share this module; it is no part of what they promise.

use crate::sync::{AtomicBool, Notify, Ordering};

/// A flag that is set once.
#[derive(Debug)]
pub struct Latch {
    is_set: AtomicBool,
    waiting: Notify,
}

impl Latch {
    /// A flag that is not set.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "nobody outside of the house makes one")]
    pub fn new() -> Self {
        Self { is_set: AtomicBool::new(false), waiting: Notify::new() }
    }

    /// Whether it is set.
    pub fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Sets the flag and wakes whoever waits: foreign code, so never under a lock.
    pub fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.waiting.notify_waiters();
    }

    /// Waits until it is set.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn wait(&self) {
        // Made before the look: from here on no `set` is missed.
        let told = self.waiting.notified();
        if !self.is_set() {
            told.await;
        }
    }
}
