//! What is remembered of operations: the last finished ones, pinned ones, and echoes of those that left.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::{OperationId, Signal};
use hashbrown::HashMap;
use tokio::time::Instant;

use crate::contain::{contain, drop_each};
use crate::{CoordinatorOptions, Echo, OperationSnapshot, OperationState, PinError};

/// How many details are kept for records to come.
const SPARE: usize = 64;

/// Finished operations in the order of their finish, with a look-up by id.
#[derive(Debug)]
pub(crate) struct Window<K> {
    size: usize,
    max_age: Option<Duration>,
    finished: VecDeque<Record<K>>,
    /// Where an operation stands, counted from the first that ever finished. Written when somebody looks an operation
    /// up, for those that finished since the last time: each costs that once at most, and nothing if nobody looks.
    places: HashMap<OperationId, u64>,
    indexed: u64,
    left: u64,
    /// Pinned operations; those that would have left the window are kept here.
    pinned: BTreeMap<OperationId, Option<Record<K>>>,
    max_pinned: usize,
    echoes: Echoes,
    /// Details of records that are gone, for those to come.
    #[expect(clippy::vec_box, reason = "the boxes are what is kept")]
    spare: Vec<Box<Details>>,
}

/// A finished operation.
#[derive(Clone, Debug)]
pub(crate) struct Record<K> {
    pub(crate) id: OperationId,
    pub(crate) key: K,
    pub(crate) state: OperationState,
    pub(crate) attempt: u32,
    pub(crate) enqueued_at: Instant,
    pub(crate) started_at: Option<Instant>,
    pub(crate) finished_at: Instant,
    /// Absent for most, so that a record is small.
    pub(crate) details: Option<Box<Details>>,
}

/// What only some operations have.
#[derive(Clone, Debug, Default)]
pub(crate) struct Details {
    pub(crate) error: Option<Arc<str>>,
    pub(crate) signals: Vec<Signal>,
}

#[derive(Debug)]
struct Echoes {
    capacity: usize,
    retention: Duration,
    entries: VecDeque<Echo>,
}

impl<K: Clone> Window<K> {
    pub(crate) fn new(options: &CoordinatorOptions) -> Self {
        Self {
            size: options.window_size,
            max_age: options.max_age,
            finished: VecDeque::new(),
            places: HashMap::new(),
            indexed: 0,
            left: 0,
            pinned: BTreeMap::new(),
            max_pinned: options.max_pinned,
            echoes: Echoes {
                capacity: options.echo_capacity,
                retention: options.echo_retention,
                entries: VecDeque::new(),
            },
            spare: Vec::new(),
        }
    }

    /// Holds as many and as old as these options say, from the next [`shrink`](Self::shrink) on.
    pub(crate) fn follow(&mut self, options: &CoordinatorOptions) {
        self.size = options.window_size;
        self.max_age = options.max_age;
        self.max_pinned = options.max_pinned;
        self.echoes.capacity = options.echo_capacity;
        self.echoes.retention = options.echo_retention;
    }

    /// Takes a record in. The window may be too full until [`shrink`](Self::shrink) is called.
    #[inline]
    pub(crate) fn push(&mut self, record: Record<K>) {
        self.finished.push_back(record);
    }

    /// Details of a record to come; nothing, where there is nothing to tell.
    pub(crate) fn details(
        &mut self,
        error: Option<Arc<str>>,
        signals: Option<impl FnOnce(&mut Vec<Signal>)>,
    ) -> Option<Box<Details>> {
        if error.is_none() && signals.is_none() {
            return None;
        }
        let mut details = self.spare.pop().unwrap_or_default();
        details.error = error;
        details.signals.clear();
        if let Some(signals) = signals {
            signals(&mut details.signals);
        }
        Some(details)
    }

    /// Lets go what has no place any more. Whoever wants to see it, or has to drop it elsewhere, gives a list for it.
    pub(crate) fn shrink(&mut self, now: Instant, evicted: Option<&mut Vec<Record<K>>>) {
        let mut excess = self.finished.len().saturating_sub(self.size);
        if let Some(max_age) = self.max_age {
            let aged = |record: &Record<K>| now.saturating_duration_since(record.finished_at) >= max_age;
            // They stand in the order in which they ended: if the oldest that stays has not aged, none has.
            if self.finished.get(excess).is_some_and(aged) {
                excess = self.finished.partition_point(aged);
            }
        }
        if excess == 0 {
            return;
        }
        for (record, place) in self.finished.range(..excess).zip(self.left..self.indexed) {
            // An id that a caller brought may have been used again since.
            if self.places.get(&record.id) == Some(&place) {
                self.places.remove(&record.id);
            }
        }
        self.left += excess as u64;
        let max_age = self.max_age;
        // One that aged out has left when it did, not when somebody looked.
        let left_at = |finished_at: Instant| {
            max_age.and_then(|age| finished_at.checked_add(age)).map_or(now, |aged_at| aged_at.min(now))
        };
        if self.pinned.is_empty() && evicted.is_none() {
            for record in self.finished.range_mut(..excess) {
                if let Some(mut details) = record.details.take() {
                    self.echoes.add(record.id, details.signals.drain(..), left_at(record.finished_at));
                    if self.spare.len() < SPARE {
                        self.spare.push(details);
                    }
                }
            }
            self.finished.drain(..excess);
            return;
        }
        let leaving = self.finished.drain(..excess);
        let mut nowhere = Vec::new();
        let evicted = evicted.unwrap_or(&mut nowhere);
        for record in leaving {
            let at = left_at(record.finished_at);
            let (leaves, at) = if let Some(kept) = self.pinned.get_mut(&record.id) {
                // An id that a caller brought may have been used again: the newer operation takes the place.
                (kept.replace(record), now)
            } else {
                (Some(record), at)
            };
            if let Some(record) = leaves {
                self.echoes.add(record.id, record.signals().iter().cloned(), at);
                evicted.push(record);
            }
        }
    }

    pub(crate) fn get(&mut self, id: OperationId) -> Option<OperationSnapshot<K>> {
        self.index();
        let record = match self.places.get(&id) {
            Some(place) => self.finished.get(usize::try_from(place - self.left).ok()?),
            None => self.pinned.get(&id)?.as_ref(),
        };
        record.map(Record::snapshot)
    }

    fn index(&mut self) {
        self.indexed = self.indexed.max(self.left);
        let known = usize::try_from(self.indexed - self.left).unwrap_or(usize::MAX);
        for record in self.finished.iter().skip(known) {
            self.places.insert(record.id, self.indexed);
            self.indexed += 1;
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Record<K>> {
        self.finished.iter().chain(self.pinned.values().flatten())
    }

    /// Keeps an operation, which the caller knows to run or to be remembered, until it is unpinned.
    pub(crate) fn pin(&mut self, id: OperationId) -> Result<(), PinError> {
        if self.pinned.contains_key(&id) {
            return Ok(());
        }
        if self.pinned.len() >= self.max_pinned {
            return Err(PinError::Full { max_pinned: self.max_pinned });
        }
        self.pinned.insert(id, None);
        Ok(())
    }

    /// Lets an operation go. Says whether it was pinned, and hands it over if it leaves the window by this.
    pub(crate) fn unpin(&mut self, id: OperationId, now: Instant) -> (bool, Option<Record<K>>) {
        let Some(kept) = self.pinned.remove(&id) else { return (false, None) };
        if let Some(record) = &kept {
            self.echoes.add(record.id, record.signals().iter().cloned(), now);
        }
        (true, kept)
    }

    pub(crate) fn echoes(&mut self, now: Instant) -> Vec<Echo> {
        self.echoes.trim(now);
        self.echoes.entries.iter().cloned().collect()
    }
}

impl<K> Drop for Window<K> {
    fn drop(&mut self) {
        // Keys are foreign when they are dropped: two that panic while one buffer is dropped would end the process.
        drop_each(self.finished.drain(..));
        drop_each(std::mem::take(&mut self.pinned));
    }
}

impl<K: Clone> Record<K> {
    /// The same, where a key that panics when it is copied must not do harm.
    pub(crate) fn try_snapshot(&self) -> Option<OperationSnapshot<K>> {
        contain(|| self.snapshot())
    }

    pub(crate) fn snapshot(&self) -> OperationSnapshot<K> {
        OperationSnapshot {
            id: self.id,
            key: self.key.clone(),
            state: self.state,
            attempt: self.attempt,
            enqueued_at: self.enqueued_at,
            started_at: self.started_at,
            finished_at: Some(self.finished_at),
            error: self.details.as_ref().and_then(|details| details.error.clone()),
            signals: self.signals().to_vec(),
        }
    }

    fn signals(&self) -> &[Signal] {
        self.details.as_ref().map_or(&[], |details| &details.signals)
    }
}

impl Echoes {
    fn add(&mut self, operation: OperationId, signals: impl IntoIterator<Item = Signal>, now: Instant) {
        for signal in signals {
            // Age is applied on reading; what matters here is that nothing grows.
            if self.entries.len() >= self.capacity && self.entries.pop_front().is_none() {
                return;
            }
            self.entries.push_back(Echo { operation, signal, evicted_at: now });
        }
    }

    fn trim(&mut self, now: Instant) {
        // One that was noticed late stands behind others that left after it.
        self.entries.retain(|echo| now.saturating_duration_since(echo.evicted_at) < self.retention);
        self.entries.drain(..self.entries.len().saturating_sub(self.capacity));
    }
}
