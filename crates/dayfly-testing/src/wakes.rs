//! Who woke a future: a waker for each poll, of which only the latest counts.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};

/// Polls are counted from 1, so this is no poll's number.
const NOBODY: usize = 0;

/// The wake-ups of one future.
#[derive(Debug, Default)]
pub(crate) struct Wakes {
    latest: AtomicUsize,
    woken: AtomicUsize,
}

/// What the future gets for one poll. A future that keeps it and ignores those of later polls is never woken again, as
/// would happen to it in a `select!` or when it moves to another task.
struct OfOnePoll {
    poll: usize,
    wakes: Arc<Wakes>,
    runner: Waker,
}

impl Wakes {
    /// The waker for the poll of this number; the wakers of earlier polls do nothing from now on.
    pub(crate) fn of_poll(self: &Arc<Self>, poll: usize, runner: &Waker) -> Waker {
        self.latest.store(poll, Ordering::SeqCst);
        Waker::from(Arc::new(OfOnePoll { poll, wakes: Arc::clone(self), runner: runner.clone() }))
    }

    /// Whether the future has been woken since its latest poll; the first poll needs nobody to ask for it.
    pub(crate) fn asks_for_a_poll(&self) -> bool {
        let latest = self.latest.load(Ordering::SeqCst);
        latest == NOBODY || self.woken.load(Ordering::SeqCst) == latest
    }
}

impl Wake for OfOnePoll {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.wakes.latest.load(Ordering::SeqCst) == self.poll {
            self.wakes.woken.store(self.poll, Ordering::SeqCst);
            self.runner.wake_by_ref();
        }
    }
}
