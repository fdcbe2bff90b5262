//! The last signals that an operation raised.
//!
//! They are kept as they were raised, so none is missing from the operation's record, however soon the sink's history
//! forgets them.

use dayfly_signal::Signal;

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, PoisonError};

/// How many signals are shown.
const SHOWN: usize = 8;

/// So many are kept before those that are not shown go: all at once, which is cheaper than one by one.
const KEPT: usize = 2 * SHOWN;

#[derive(Default)]
pub(crate) struct Recent {
    /// Most operations raise nothing; whoever asks for nothing needs no lock.
    any: AtomicBool,
    signals: Mutex<Vec<Signal>>,
}

impl Recent {
    /// A signal was raised.
    pub(crate) fn note(&self, signal: Signal) {
        let mut signals = self.lock();
        if signals.len() == KEPT {
            signals.drain(..=KEPT - SHOWN);
        }
        signals.push(signal);
        self.any.store(true, Ordering::Release);
    }

    /// The signals so far, oldest first.
    pub(crate) fn list(&self) -> Vec<Signal> {
        if self.is_empty() { Vec::new() } else { shown(&self.lock()).to_vec() }
    }

    pub(crate) fn is_empty(&self) -> bool {
        !self.any.load(Ordering::Acquire)
    }

    /// Moves the signals into `list`, which is empty, and forgets all for the next operation.
    pub(crate) fn take(&self, list: &mut Vec<Signal>) {
        let mut signals = self.lock();
        let surplus = signals.len() - shown(&signals).len();
        signals.drain(..surplus);
        // What the list had room for serves the next operation.
        std::mem::swap(&mut *signals, list);
        signals.clear();
        self.any.store(false, Ordering::Release);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Signal>> {
        self.signals.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest ones.
fn shown(signals: &[Signal]) -> &[Signal] {
    &signals[signals.len().saturating_sub(SHOWN)..]
}

#[cfg(test)]
mod tests {
    use dayfly_signal::{OperationId, SignalSink};

    use super::*;

    #[test]
    fn the_last_eight_are_shown_and_the_next_operation_begins_with_none() {
        let (sink, recent) = (SignalSink::default(), Recent::default());
        let source = sink.source(OperationId::next());
        let texts = |signals: &[Signal]| signals.iter().map(Signal::to_string).collect::<Vec<_>>();
        for raised in 0_usize..40 {
            let expected: Vec<_> = (raised.saturating_sub(SHOWN)..raised).map(|it| it.to_string()).collect();
            assert_eq!(texts(&recent.list()), expected);
            recent.note(source.raise_event(&*raised.to_string()));
        }
        let mut list = Vec::new();
        recent.take(&mut list);
        assert_eq!(texts(&list), (32..40).map(|raised| raised.to_string()).collect::<Vec<_>>());
        assert!(recent.is_empty() && recent.list().is_empty());
        recent.note(source.raise_event("own"));
        assert_eq!(texts(&recent.list()), ["own"], "what an earlier operation raised is not its own");
    }
}
