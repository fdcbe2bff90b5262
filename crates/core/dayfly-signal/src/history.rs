//! The bounded window of events, in the order of their ids.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::Signal;
use crate::topics::TopicKey;

#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) signal: Signal,
    pub(crate) topic: TopicKey,
    /// The raise of the same topic before this one, so that a walk over one topic passes no other; 0 for none.
    pub(crate) before: u64,
}

/// Events with rising ids and instants that never go backwards. `clear` of a part leaves gaps in the ids.
#[derive(Debug, Default)]
pub(crate) struct History {
    records: VecDeque<Record>,
}

impl History {
    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn push(&mut self, record: Record) {
        self.records.push_back(record);
    }

    /// The oldest event, if it has no place left: more than `capacity` are there, or it has reached `max_age`.
    pub(crate) fn pop_excess(&mut self, capacity: usize, now: Instant, max_age: Duration) -> Option<Record> {
        let oldest = self.records.front()?;
        let aged = now.saturating_duration_since(oldest.signal.at) >= max_age;
        if aged || self.records.len() > capacity { self.records.pop_front() } else { None }
    }

    /// The id of the oldest event; `u64::MAX` when there is none.
    pub(crate) fn oldest(&self) -> u64 {
        self.records.front().map_or(u64::MAX, |record| record.signal.id.0)
    }

    pub(crate) fn get(&self, id: u64) -> Option<&Record> {
        // Without gaps the place of an id is known; with gaps it is looked for.
        let guess = usize::try_from(id.checked_sub(self.oldest())?).ok()?;
        if let Some(record) = self.records.get(guess).filter(|record| record.signal.id.0 == id) {
            return Some(record);
        }
        let at = self.records.binary_search_by_key(&id, |record| record.signal.id.0).ok()?;
        self.records.get(at)
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.records.iter()
    }

    /// The events after `id`, oldest first.
    pub(crate) fn after(&self, id: u64) -> impl Iterator<Item = &Record> {
        let start = self.records.partition_point(|record| record.signal.id.0 <= id);
        self.records.range(start..)
    }

    /// Removes the events that `goes` picks, and returns them oldest first.
    pub(crate) fn remove(&mut self, mut goes: impl FnMut(&Record) -> bool) -> Vec<Record> {
        let (gone, kept) = std::mem::take(&mut self.records).into_iter().partition(|record| goes(record));
        self.records = kept;
        Vec::from(gone as VecDeque<Record>)
    }

    /// Hands every event to `visit` and lets it say anew which raise of the same topic came before.
    pub(crate) fn relink(&mut self, mut before: impl FnMut(&Record) -> u64) {
        for record in &mut self.records {
            record.before = before(record);
        }
    }
}
