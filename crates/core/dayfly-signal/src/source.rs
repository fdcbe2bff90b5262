//! Raising in the name of one operation.

use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::time::Instant;

use crate::ledger::{LedgerKey, Ledgers};
use crate::{Draft, OperationId, Signal, SignalId, SignalSink};

/// The means of one operation to raise signals: they carry its id, and it can take its own raises back.
///
/// What an operation raised stays raised after the source is dropped, until it ages out or is taken back by name.
#[derive(Debug)]
pub struct SignalSource {
    sink: SignalSink,
    operation: OperationId,
    /// The ledger that the sink keeps for this operation; one that raises nothing needs none.
    ledger: Place,
    /// The ledger of the operation before the last renewal, while the sink does not know yet that it has ended.
    earlier: Place,
}

/// A ledger's place, or none. It is read and written under the sink's lock, or by the only owner.
#[derive(Debug)]
struct Place(AtomicUsize);

impl SignalSource {
    pub(crate) const fn new(sink: SignalSink, operation: OperationId) -> Self {
        Self { sink, operation, ledger: Place::none(), earlier: Place::none() }
    }

    /// Raises a signal that carries the operation's id.
    pub fn raise<'a>(&self, draft: impl Into<Draft<'a>>) -> SignalId {
        self.raise_at(draft, Instant::now())
    }

    /// Raises a signal with a reading of the clock that the caller has already taken.
    ///
    /// An instant before the sink's newest event is taken as that event's. This is the cheapest way to raise: through
    /// a [`SignalHandle`](crate::SignalHandle) it looks nothing up, and nothing is built for nobody.
    pub fn raise_at<'a>(&self, draft: impl Into<Draft<'a>>, now: Instant) -> SignalId {
        self.sink.raise_for(draft.into(), Some(self), now)
    }

    /// Raises a signal as [`raise`](Self::raise) does, and returns the whole event.
    pub fn raise_event<'a>(&self, draft: impl Into<Draft<'a>>) -> Signal {
        self.raise_event_at(draft, Instant::now())
    }

    /// Raises a signal as [`raise_at`](Self::raise_at) does, and returns the whole event.
    pub fn raise_event_at<'a>(&self, draft: impl Into<Draft<'a>>, now: Instant) -> Signal {
        self.sink.raise_event_for(draft.into(), self, now)
    }

    /// Takes one raise of this name back that this operation added. Says whether there was one.
    pub fn retract<'a>(&self, draft: impl Into<Draft<'a>>) -> bool {
        self.sink.retract_for(draft.into(), self.operation)
    }

    /// Speaks for `operation` from now on, as if this source had been dropped and another one made in its place.
    ///
    /// Costs neither a lock nor a clone of the sink, so one source can serve many operations after one another. What
    /// the earlier operation raised stays raised. The sink learns of its end with the next raise or the drop of this
    /// source; until then its ledger is kept in addition to those of the last operations that have ended.
    pub fn renew(&mut self, operation: OperationId) {
        if let Some(ended) = self.ledger.take() {
            // There is no earlier one left over: the raise that made this ledger has reported it.
            self.earlier = Place::of(ended);
        }
        self.operation = operation;
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

    /// The place of this operation's ledger. Asking is part of a raise, under the same lock, so that two threads that
    /// raise through one source agree.
    pub(crate) fn ledger_in(&self, ledgers: &mut Ledgers, limit: usize) -> LedgerKey {
        match self.ledger.get() {
            Some(at) => at,
            None => self.arrive(ledgers, limit),
        }
    }

    #[cold]
    fn arrive(&self, ledgers: &mut Ledgers, limit: usize) -> LedgerKey {
        let at = ledgers.arrive(self.operation);
        self.ledger.set(Some(at));
        if let Some(ended) = self.earlier.get() {
            ledgers.depart(ended, limit);
            self.earlier.set(None);
        }
        at
    }
}

impl Place {
    const NONE: usize = usize::MAX;

    const fn none() -> Self {
        Self(AtomicUsize::new(Self::NONE))
    }

    const fn of(at: LedgerKey) -> Self {
        Self(AtomicUsize::new(at))
    }

    fn get(&self) -> Option<LedgerKey> {
        let at = self.0.load(Ordering::Relaxed);
        (at != Self::NONE).then_some(at)
    }

    fn set(&self, at: Option<LedgerKey>) {
        self.0.store(at.unwrap_or(Self::NONE), Ordering::Relaxed);
    }

    fn take(&mut self) -> Option<LedgerKey> {
        let at = std::mem::replace(self.0.get_mut(), Self::NONE);
        (at != Self::NONE).then_some(at)
    }
}

impl Drop for SignalSource {
    fn drop(&mut self) {
        let ended = [self.earlier.take(), self.ledger.take()];
        if ended == [None; 2] {
            return;
        }
        let mut state = self.sink.lock();
        let limit = state.options.capacity;
        for at in ended.into_iter().flatten() {
            state.ledgers.depart(at, limit);
        }
    }
}
