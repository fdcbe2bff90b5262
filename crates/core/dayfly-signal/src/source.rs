//! Raising in the name of one operation.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::time::Instant;

use crate::{Draft, OperationId, Signal, SignalId, SignalSink};

/// The means of one operation to raise signals: they carry its id, and it can take its own raises back.
///
/// What an operation raised stays raised after the source is dropped, until it ages out or is taken back by name.
#[derive(Debug)]
pub struct SignalSource {
    sink: SignalSink,
    operation: OperationId,
    /// Whether the sink keeps a ledger for this source; one that raises nothing needs none.
    has_ledger: AtomicBool,
}

impl SignalSource {
    pub(crate) const fn new(sink: SignalSink, operation: OperationId) -> Self {
        Self { sink, operation, has_ledger: AtomicBool::new(false) }
    }

    /// Raises a signal that carries the operation's id.
    pub fn raise<'a>(&self, draft: impl Into<Draft<'a>>) -> SignalId {
        self.raise_at(draft, Instant::now())
    }

    /// Raises a signal with a reading of the clock that the caller has already taken.
    ///
    /// An instant before the sink's newest event is taken as that event's.
    pub fn raise_at<'a>(&self, draft: impl Into<Draft<'a>>, now: Instant) -> SignalId {
        self.raise_event_at(draft, now).id
    }

    /// Raises a signal as [`raise`](Self::raise) does, and returns the whole event.
    pub fn raise_event<'a>(&self, draft: impl Into<Draft<'a>>) -> Signal {
        self.raise_event_at(draft, Instant::now())
    }

    /// Raises a signal as [`raise_at`](Self::raise_at) does, and returns the whole event.
    pub fn raise_event_at<'a>(&self, draft: impl Into<Draft<'a>>, now: Instant) -> Signal {
        let draft = draft.into();
        if !self.has_ledger.swap(true, Ordering::AcqRel) {
            self.sink.lock().ledgers.arrive(self.operation);
        }
        self.sink.raise_event_for(draft, Some(self.operation), now)
    }

    /// Takes one raise of this name back that this operation added. Says whether there was one.
    pub fn retract<'a>(&self, draft: impl Into<Draft<'a>>) -> bool {
        self.sink.retract_for(draft.into(), self.operation)
    }

    /// The operation that this source speaks for.
    #[must_use]
    pub const fn operation(&self) -> OperationId {
        self.operation
    }

    /// The sink that it raises into.
    #[must_use]
    pub const fn sink(&self) -> &SignalSink {
        &self.sink
    }
}

impl Drop for SignalSource {
    fn drop(&mut self) {
        if !*self.has_ledger.get_mut() {
            return;
        }
        let mut state = self.sink.lock();
        let limit = state.options.capacity;
        state.ledgers.depart(self.operation, limit);
    }
}
