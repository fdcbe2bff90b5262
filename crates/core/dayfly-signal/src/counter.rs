//! A registered count over a window of time.

use tokio::time::Instant;

use crate::SignalSink;
use crate::interest::Interested;
use crate::window::CountWindow;

/// Counts the raises that its patterns mean, over a window of time.
///
/// Exact over what the history shows: an event that left the history for lack of room is not counted any more.
/// A read costs the lock and whatever has left the window since the last one.
#[derive(Debug)]
pub struct Counter {
    pub(crate) sink: SignalSink,
    pub(crate) at: usize,
}

impl Counter {
    /// How many raises are within the window now.
    #[must_use]
    pub fn count(&self) -> usize {
        self.read(CountWindow::len)
    }

    /// When the newest raise within the window happened for `n` = 1, the one before it for 2, and so on.
    ///
    /// With a threshold of `n` raises, this instant plus the window is when the count falls below it.
    #[must_use]
    pub fn nth_newest(&self, n: usize) -> Option<Instant> {
        self.read(|window| window.nth_newest(n))
    }

    fn read<R: Default>(&self, read: impl FnOnce(&CountWindow) -> R) -> R {
        self.sink.change(|state, _| {
            let (now, oldest) = (state.now(), state.history.oldest());
            let Interested::Counter(window) = state.interest(self.at) else { return R::default() };
            window.trim(now, oldest);
            read(window)
        })
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        drop(self.sink.lock().unlisten(self.at));
    }
}
