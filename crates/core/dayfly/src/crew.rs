//! Who drives a coordinator's workers, where that is not the runtime.

use std::fmt;
use std::pin::Pin;

/// A worker: it runs one body after the other, and completes when everything that was accepted has ended.
///
/// It sleeps as a future does, by returning pending; its waker may be called from any thread.
pub type Worker = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Who drives a coordinator's workers: as many as the crew is large, each polled by itself, so that bodies that block the
/// caller of `poll` hold up their own worker only.
///
/// A worker that is dropped before it has completed takes the coordinator with it: what has not ended is cancelled.
pub struct Crew {
    size: usize,
    drive: Box<dyn Fn(usize, Worker) + Send + Sync>,
}

impl Crew {
    /// A crew of so many workers. `drive` is called once with each, and its number; it has to see to it that the worker
    /// is polled until it completes, and returns at once.
    ///
    /// # Panics
    /// When the crew is empty.
    #[must_use]
    #[track_caller]
    pub fn new(size: usize, drive: impl Fn(usize, Worker) + Send + Sync + 'static) -> Self {
        assert!(size > 0, "a crew needs at least one worker");
        Self { size, drive: Box::new(drive) }
    }

    pub(crate) const fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn take_on(&self, number: usize, worker: Worker) {
        (self.drive)(number, worker);
    }
}

impl fmt::Debug for Crew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Crew").field("size", &self.size).finish_non_exhaustive()
    }
}
