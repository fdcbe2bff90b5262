//! The simplest circuit that keeps a sick receiver from being hammered.
//!
//! ```text
//!          so many breakdowns in a row                 open_for has passed
//!   closed ----------------------------> open (signal) ----------------------> closed
//! ```
//!
//! While it is open the signal `circuit.open.<endpoint>` is held, and the endpoint's coordinator, which defers on
//! that signal, starts nothing. What runs already may still report; an open circuit does not listen.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dayfly::SignalSink;
use tokio_util::task::TaskTracker;

use super::settings::CircuitSettings;

/// The circuit of one endpoint. Clones are the same circuit.
#[derive(Clone, Debug)]
pub(crate) struct Circuit {
    signal: String,
    signals: SignalSink,
    state: Arc<Mutex<State>>,
    closers: TaskTracker,
}

#[derive(Debug)]
struct State {
    settings: CircuitSettings,
    is_open: bool,
    failures_in_a_row: u64,
    openings: u64,
}

impl Circuit {
    pub(crate) fn new(endpoint: &str, settings: CircuitSettings, signals: &SignalSink) -> Self {
        let state = State { settings, is_open: false, failures_in_a_row: 0, openings: 0 };
        Self {
            signal: format!("circuit.open.{endpoint}"),
            signals: signals.clone(),
            state: Arc::new(Mutex::new(state)),
            closers: TaskTracker::new(),
        }
    }

    /// Follows these settings from now on.
    pub(super) fn follow(&self, settings: CircuitSettings) {
        self.state().settings = settings;
    }

    /// The signal that is raised while the circuit is open.
    pub(crate) fn signal(&self) -> &str {
        &self.signal
    }

    pub(crate) fn is_open(&self) -> bool {
        self.state().is_open
    }

    pub(crate) fn openings(&self) -> u64 {
        self.state().openings
    }

    pub(crate) fn succeeded(&self) {
        self.state().failures_in_a_row = 0;
    }

    pub(crate) fn failed(&self) {
        let open_for = {
            let mut state = self.state();
            if !state.opens_by_failure() {
                return;
            }
            state.settings.open_for.0
        };
        let (circuit, hold) = (self.clone(), self.signals.hold(&*self.signal));
        self.closers.spawn(async move {
            tokio::time::sleep(open_for).await;
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
        self.is_open = self.failures_in_a_row >= self.settings.failure_threshold.0;
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
        let circuit = Circuit::new("x", CircuitSettings::default(), &signals);
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
