//! The simplest circuit that keeps a sick receiver from being hammered.
//!
//! ```text
//!            5 breakdowns in a row                   open_for has passed
//!   closed ------------------------> open (signal) ----------------------> closed
//! ```
//!
//! While it is open the signal `circuit.open.<endpoint>` is held, and the endpoint's coordinator, which defers on
//! that signal, starts nothing. What runs already may still report; an open circuit does not listen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use dayfly::SignalSink;
use tokio_util::task::TaskTracker;

const FAILURE_THRESHOLD: u32 = 5;
const OPEN_FOR: Duration = Duration::from_millis(100);

/// The circuit of one endpoint. Clones are the same circuit.
#[derive(Clone, Debug)]
pub(super) struct Circuit {
    signal: String,
    signals: SignalSink,
    state: Arc<Mutex<State>>,
    closers: TaskTracker,
}

#[derive(Debug, Default)]
struct State {
    is_open: bool,
    failures_in_a_row: u32,
    openings: u64,
}

impl Circuit {
    pub(super) fn new(endpoint: &str, signals: &SignalSink) -> Self {
        Self {
            signal: format!("circuit.open.{endpoint}"),
            signals: signals.clone(),
            state: Arc::default(),
            closers: TaskTracker::new(),
        }
    }

    /// The signal that is raised while the circuit is open.
    pub(super) fn signal(&self) -> &str {
        &self.signal
    }

    pub(super) fn is_open(&self) -> bool {
        self.state().is_open
    }

    pub(super) fn openings(&self) -> u64 {
        self.state().openings
    }

    pub(super) fn succeeded(&self) {
        self.state().failures_in_a_row = 0;
    }

    pub(super) fn failed(&self) {
        if !self.state().opens_by_failure() {
            return;
        }
        let (circuit, hold) = (self.clone(), self.signals.hold(&*self.signal));
        self.closers.spawn(async move {
            tokio::time::sleep(OPEN_FOR).await;
            circuit.state().close();
            // Starts go on with the drop, so it comes after the circuit listens again.
            drop(hold);
        });
    }

    /// Nothing that panics runs under this lock, so a poisoned one still guards a sound state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn opens_by_failure(&mut self) -> bool {
        if self.is_open {
            return false;
        }
        self.failures_in_a_row += 1;
        self.is_open = self.failures_in_a_row >= FAILURE_THRESHOLD;
        self.openings += u64::from(self.is_open);
        self.is_open
    }

    fn close(&mut self) {
        self.is_open = false;
        self.failures_in_a_row = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_hold_the_signal_for_a_while() {
        let signals = SignalSink::default();
        let circuit = Circuit::new("x", &signals);
        for _ in 0..4 {
            circuit.failed();
        }
        circuit.succeeded();
        for _ in 0..4 {
            circuit.failed();
        }
        assert!(!signals.is_raised("circuit.open.x"));
        circuit.failed();
        circuit.failed();
        assert!(signals.is_raised("circuit.open.x"));
        signals.cleared("circuit.open.x").await;
        assert_eq!((circuit.openings(), circuit.state().failures_in_a_row), (1, 0));
    }
}
