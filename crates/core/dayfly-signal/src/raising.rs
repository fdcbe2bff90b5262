//! What every way to raise has in common: one lock, the name resolved at most once, and a signal built only for a caller
//! who asks for it.

use std::sync::Arc;

use tokio::time::Instant;

use crate::cause::Lineage;
use crate::draft::Target;
use crate::history::Ancestry;
use crate::interest::Wakes;
use crate::signal::Visited;
use crate::state::{Raise, State};
use crate::topics::TopicKey;
use crate::{Blocked, Draft, OperationId, Signal, SignalId, SignalKind, SignalSink, SignalSource, listener};

impl SignalSink {
    pub(crate) fn raise_for(
        &self,
        draft: Draft<'_>,
        source: Option<&SignalSource>,
        now: Instant,
    ) -> SignalId {
        let cause = listener::current();
        self.change_at(now, |state, wakes| self.raise_in(state, draft, source, (cause.as_ref(), wakes)))
    }

    pub(crate) fn raise_event_for(&self, draft: Draft<'_>, source: &SignalSource, now: Instant) -> Signal {
        let cause = listener::current();
        self.change_at(now, |state, wakes| {
            self.raise_in(state, draft, Some(source), (cause.as_ref(), wakes));
            state.newest_signal()
        })
    }

    /// Raises what a callback's event causes, or a root where no callback is at work. Where it may not follow, the
    /// event that says so stands in its place.
    #[inline]
    fn raise_in(
        &self,
        state: &mut State,
        draft: Draft<'_>,
        source: Option<&SignalSource>,
        (cause, wakes): (Option<&Signal>, &mut Wakes),
    ) -> SignalId {
        let ancestry = match cause.map(|cause| Ancestry::behind(cause, draft, state)).transpose() {
            Ok(ancestry) => ancestry,
            Err(blocked) => return state.note("sink.blocked", &blocked.to_string(), wakes),
        };
        let topic = self.resolve(state, draft);
        let mut raise = Raise { ancestry, ..Raise::root(topic, draft.payload_text()) };
        if let Some(source) = source {
            raise.operation = Some(source.operation());
            raise.ledger = Some(source.ledger_in(&mut state.ledgers, state.options.capacity));
        }
        state.raise(raise, wakes)
    }

    /// Takes in an event of another sink, unless it has been here before.
    pub(crate) fn receive(&self, signal: &Signal) {
        if signal.kind != SignalKind::Raised {
            return;
        }
        self.change_at(signal.at, |state, wakes| {
            if signal.has_visited(state.id) {
                return;
            }
            let topic = state.topic(signal.name(), signal.key());
            let visited = Visited { sink: signal.sink, earlier: signal.visited.clone() };
            let ancestry = Ancestry { lineage: signal.lineage.clone(), visited: Some(Arc::new(visited)) };
            // An operation that is known here adds to its ledger; one that is not comes and goes with its first event.
            let known = signal.operation.and_then(|operation| state.ledgers.find(operation));
            let new = signal.operation.filter(|_| known.is_none());
            let new = new.map(|operation| state.ledgers.arrive(operation));
            let raise = Raise {
                operation: signal.operation,
                ledger: known.or(new),
                ancestry: Some(Box::new(ancestry)),
                ..Raise::root(topic, signal.payload())
            };
            state.raise(raise, wakes);
            if let Some(at) = new {
                state.ledgers.depart(at, state.options.capacity);
            }
        });
    }

    /// Tells of something that happened to the sink itself. No callback hears of it.
    pub(crate) fn note(&self, name: &str, payload: &str) {
        self.change(|state, wakes| {
            state.note(name, payload, wakes);
        });
    }

    pub(crate) fn retract_for(&self, draft: Draft<'_>, operation: OperationId) -> bool {
        self.change(|state, wakes| {
            let topic = self.known(state, draft)?;
            Some(state.retract_own(topic, operation, draft.payload_text(), wakes))
        })
        .unwrap_or(false)
    }

    /// The topic that a draft means, interned if need be.
    #[inline]
    pub(crate) fn resolve(&self, state: &mut State, draft: Draft<'_>) -> TopicKey {
        match draft.target {
            Target::Handle(handle) if handle.is_of(self) => handle.topic(),
            Target::Handle(handle) => state.topic(handle.name(), handle.key()),
            Target::Name { name, key } => state.topic(name, key),
        }
    }

    /// The topic that a draft means, if the sink knows it.
    pub(crate) fn known(&self, state: &State, draft: Draft<'_>) -> Option<TopicKey> {
        match draft.target {
            Target::Handle(handle) if handle.is_of(self) => Some(handle.topic()),
            Target::Handle(handle) => state.topics.find(handle.name(), handle.key()),
            Target::Name { name, key } => state.topics.find(name, key),
        }
    }
}

impl Ancestry {
    /// The place of a draft behind `cause`, if it may stand there.
    pub(crate) fn behind(cause: &Signal, draft: Draft<'_>, state: &State) -> Result<Box<Self>, Blocked> {
        let place = (&state.options, state.id);
        let lineage = Lineage::behind(cause, draft.name(), draft.key_text(), place)?;
        Ok(Box::new(Self { lineage, visited: None }))
    }
}
