//! A flag that is set once, and that any number of tasks may wait for.

use crate::sync::{AtomicBool, Notify, Ordering};

#[derive(Debug)]
pub(crate) struct Latch {
    is_set: AtomicBool,
    waiting: Notify,
}

impl Latch {
    pub(crate) fn new() -> Self {
        Self { is_set: AtomicBool::new(false), waiting: Notify::new() }
    }

    pub(crate) fn is_set(&self) -> bool {
        self.is_set.load(Ordering::Acquire)
    }

    /// Sets the flag and wakes whoever waits: foreign code, so never under a lock.
    pub(crate) fn set(&self) {
        self.is_set.store(true, Ordering::Release);
        self.waiting.notify_waiters();
    }

    pub(crate) async fn wait(&self) {
        // Made before the look: from here on no `set` is missed.
        let told = self.waiting.notified();
        if !self.is_set() {
            told.await;
        }
    }
}
