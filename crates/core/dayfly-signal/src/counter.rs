//! A registered count over a window of time.

use tokio::time::Instant;

use crate::SignalSink;
use crate::clock::{NEVER, Origin};
use crate::interest::Interested;
use crate::published::FigureReader;
use crate::window::CountWindow;

/// Counts the raises that its patterns mean, over a window of time.
///
/// Exact over what the history shows: an event that left the history for lack of room is not counted any more.
/// The sink publishes the count whenever it changes, with the moment until which it holds, so a read takes no lock.
/// Only the first read after a raise has left the window takes it.
#[derive(Debug)]
pub struct Counter {
    pub(crate) sink: SignalSink,
    pub(crate) at: usize,
    pub(crate) reader: FigureReader,
    pub(crate) origin: Origin,
}

impl Counter {
    /// How many raises are within the window now. Reads the clock, unless there is nothing to count.
    #[must_use]
    pub fn count(&self) -> usize {
        match self.reader.read() {
            Some(figure) if figure.until == NEVER => figure.count,
            _ => self.count_at(Instant::now()),
        }
    }

    /// How many raises are within the window at a reading of the clock that the caller has already taken.
    ///
    /// Time never goes back: what a later reading has let leave the window is not counted again.
    #[must_use]
    pub fn count_at(&self, now: Instant) -> usize {
        match self.reader.read() {
            Some(figure) if self.origin.ticks(now) < figure.until => figure.count,
            _ => self.read_at(now, CountWindow::len),
        }
    }

    /// When the newest raise within the window happened for `n` = 1, the one before it for 2, and so on.
    ///
    /// With a threshold of `n` raises, this instant plus the window is when the count falls below it.
    #[must_use]
    pub fn nth_newest(&self, n: usize) -> Option<Instant> {
        let at = self.read_at(Instant::now(), |window| window.nth_newest(n));
        at.map(|at| self.origin.instant(at))
    }

    /// Reads the window itself, after what has left it is gone.
    #[cold]
    fn read_at<R: Default>(&self, now: Instant, read: impl FnOnce(&CountWindow) -> R) -> R {
        self.sink.change_at(now, |state, _| {
            let (now, oldest, max_age) = (state.clock.now(), state.history.oldest(), state.max_age);
            let Interested::Counter(tally) = state.interest(self.at) else { return R::default() };
            tally.window.trim(now, oldest);
            tally.publish(max_age);
            read(&tally.window)
        })
    }
}

impl Drop for Counter {
    fn drop(&mut self) {
        drop(self.sink.lock().unlisten(self.at));
    }
}
