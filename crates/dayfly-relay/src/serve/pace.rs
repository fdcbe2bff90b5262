//! Leaving a receiver alone for as long as it asks for.
//!
//! Meanwhile the signal `endpoint.slow.<endpoint>` is held, and the endpoint's coordinator, which defers on that signal,
//! starts nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dayfly::SignalSink;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

/// The pauses of one endpoint. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    signal: String,
    signals: SignalSink,
    until: Arc<Mutex<Option<Instant>>>,
    pauses: TaskTracker,
}

impl Pace {
    pub(super) fn new(endpoint: &str, signals: &SignalSink) -> Self {
        Self {
            signal: format!("endpoint.slow.{endpoint}"),
            signals: signals.clone(),
            until: Arc::default(),
            pauses: TaskTracker::new(),
        }
    }

    /// The signal that is raised during a pause.
    pub(super) fn signal(&self) -> &str {
        &self.signal
    }

    /// Makes a pause of at least this length from now on.
    pub(super) fn pause(&self, length: Duration) {
        let Some(end) = Instant::now().checked_add(length).filter(|_| !length.is_zero()) else { return };
        {
            let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
            let is_paused = until.is_some();
            *until = Some(until.map_or(end, |before| before.max(end)));
            if is_paused {
                // Who waits for the end of the pause sees that it is a later one.
                return;
            }
        }
        let (pace, hold) = (self.clone(), self.signals.hold(&*self.signal));
        self.pauses.spawn(async move {
            while let Some(end) = pace.end_or_finish() {
                tokio::time::sleep_until(end).await;
            }
            drop(hold);
        });
    }

    /// When the pause ends; `None` when it has ended.
    fn end_or_finish(&self) -> Option<Instant> {
        let mut until = self.until.lock().unwrap_or_else(PoisonError::into_inner);
        *until = until.filter(|end| *end > Instant::now());
        *until
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_longest_pause_that_was_asked_for_is_made() {
        let signals = SignalSink::default();
        let pace = Pace::new("x", &signals);
        let start = Instant::now();
        pace.pause(Duration::ZERO);
        assert!(!signals.is_raised("endpoint.slow.x"));
        for seconds in [3, 8, 5] {
            pace.pause(Duration::from_secs(seconds));
        }
        assert!(signals.is_raised("endpoint.slow.x"));
        signals.cleared("endpoint.slow.x").await;
        assert_eq!(start.elapsed().as_secs(), 8);
        pace.pause(Duration::from_secs(1));
        assert!(signals.is_raised("endpoint.slow.x"));
    }
}
