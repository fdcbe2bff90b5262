//! The bounded window of events, in the order of their ids.

use std::sync::Arc;

use crate::cause::Lineage;
use crate::clock::{Origin, Ticks};
use crate::ring::Ring;
use crate::signal::{Label, SinkId, Visited};
use crate::topics::TopicKey;
use crate::{OperationId, Signal, SignalId, SignalKind};

/// An event as the history keeps it: it shares nothing with anybody until a reader asks for the [`Signal`], and it
/// fills one line of the processor's cache.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) id: SignalId,
    pub(crate) at: Ticks,
    /// The raise of the same topic before this one, so that a walk over one topic passes no other; 0 for none.
    pub(crate) before: u64,
    pub(crate) operation: Option<OperationId>,
    pub(crate) payload: Option<Arc<str>>,
    /// Nothing for a root that was raised here, which nearly every event is.
    pub(crate) ancestry: Option<Box<Ancestry>>,
    pub(crate) topic: TopicKey,
    pub(crate) kind: SignalKind,
}

/// What led to an event, and the sinks that it has come through.
#[derive(Clone, Debug)]
pub(crate) struct Ancestry {
    pub(crate) lineage: Lineage,
    pub(crate) visited: Option<Arc<Visited>>,
}

/// Events with rising ids and moments that never go backwards. `clear` of a part leaves gaps in the ids.
#[derive(Debug)]
pub(crate) struct History {
    records: Ring<Record>,
}

impl Record {
    /// The event as readers see it.
    pub(crate) fn signal(&self, label: &Arc<Label>, sink: SinkId, origin: Origin) -> Signal {
        let Ancestry { lineage, visited } = match &self.ancestry {
            Some(ancestry) => Ancestry::clone(ancestry),
            None => Ancestry { lineage: Lineage::ROOT, visited: None },
        };
        Signal {
            id: self.id,
            kind: self.kind,
            sink,
            label: Arc::clone(label),
            payload: self.payload.clone(),
            operation: self.operation,
            at: origin.instant(self.at),
            lineage,
            visited,
        }
    }
}

impl History {
    pub(crate) const fn new() -> Self {
        Self { records: Ring::new() }
    }

    pub(crate) const fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn push(&mut self, record: Record, capacity: usize) {
        self.records.push(record, capacity);
    }

    pub(crate) fn pop_oldest(&mut self) -> Option<Record> {
        self.records.pop()
    }

    /// Makes the oldest event's place the newest one's, to be written anew. `None` when there is none.
    #[inline]
    pub(crate) fn recycle(&mut self) -> Option<&mut Record> {
        self.records.recycle()
    }

    pub(crate) fn newest(&self) -> Option<&Record> {
        self.records.get(self.records.len().checked_sub(1)?)
    }

    /// When the oldest event was raised.
    pub(crate) fn oldest_at(&self) -> Option<Ticks> {
        self.records.get(0).map(|record| record.at)
    }

    /// The id of the oldest event; `u64::MAX` when there is none.
    pub(crate) fn oldest(&self) -> u64 {
        self.records.get(0).map_or(u64::MAX, |record| record.id.0)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        // Without gaps the place of an id is known; with gaps it is looked for.
        let guess = usize::try_from(id.checked_sub(self.oldest())?).ok()?;
        if let Some(record) = self.records.get(guess).filter(|record| record.id.0 == id) {
            return Some(record);
        }
        let at = self.records.partition_point(|record| record.id.0 < id);
        self.records.get(at).filter(|record| record.id.0 == id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record> {
        self.records.iter_from(0)
    }

    /// The events after `id`, oldest first.
    pub(crate) fn after(&self, id: u64) -> impl Iterator<Item = &Record> {
        self.records.iter_from(self.records.partition_point(|record| record.id.0 <= id))
    }

    /// Removes the events that `goes` picks, and returns them oldest first.
    pub(crate) fn remove(&mut self, goes: impl FnMut(&Record) -> bool) -> Vec<Record> {
        self.records.remove(goes)
    }

    /// Hands every event to `visit` and lets it say anew which raise of the same topic came before.
    pub(crate) fn relink(&mut self, mut before: impl FnMut(&Record) -> u64) {
        for record in self.records.iter_mut() {
            record.before = before(record);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_pointer_width = "64")]
    fn a_record_fills_one_cache_line() {
        assert_eq!(size_of::<Option<Record>>(), 64);
    }
}
