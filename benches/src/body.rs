//! What one operation does, the same for everybody, and the proof that every one was done.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::busy::Work;

/// Static, so that nobody pays for sharing it.
static DONE: AtomicU64 = AtomicU64::new(0);

/// One operation's work. Whatever it is, it ends with one atomic increment.
#[derive(Clone, Copy, Debug)]
pub enum Body {
    /// Never suspends.
    Ready,
    /// Suspends once, and is woken at once.
    Yields,
    /// Keeps the processor busy.
    Busy(Work),
}

impl Body {
    /// Does it.
    pub async fn run(self) {
        match self {
            Self::Ready => {}
            Self::Yields => tokio::task::yield_now().await,
            Self::Busy(work) => work.run(),
        }
        done();
    }
}

/// Counts one operation as done.
pub fn done() {
    DONE.fetch_add(1, Ordering::Relaxed);
}

/// Counts a batch of operations as done.
pub fn done_many(operations: usize) {
    DONE.fetch_add(operations as u64, Ordering::Relaxed);
}

/// Runs `work` and panics unless exactly so many operations were done in it.
pub fn verified(operations: u64, work: impl FnOnce()) {
    DONE.store(0, Ordering::Relaxed);
    work();
    assert_eq!(DONE.load(Ordering::Relaxed), operations, "operations were lost, or done twice");
}
