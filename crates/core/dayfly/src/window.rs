//! What is remembered of operations: the last finished ones, pinned ones, and echoes of those that left.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use dayfly_signal::OperationId;
use hashbrown::HashMap;
use tokio::time::Instant;

use crate::{CoordinatorOptions, Echo, OperationSnapshot, PinError};

/// Finished operations in the order of their finish, with a look-up by id.
#[derive(Debug)]
pub(crate) struct Window<K> {
    size: usize,
    max_age: Option<Duration>,
    finished: VecDeque<OperationSnapshot<K>>,
    /// Where an operation stands, counted from the first that ever finished.
    places: HashMap<OperationId, u64>,
    left: u64,
    /// Pinned operations; those that would have left the window are kept here.
    pinned: BTreeMap<OperationId, Option<OperationSnapshot<K>>>,
    max_pinned: usize,
    echoes: Echoes,
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
            left: 0,
            pinned: BTreeMap::new(),
            max_pinned: options.max_pinned,
            echoes: Echoes {
                capacity: options.echo_capacity,
                retention: options.echo_retention,
                entries: VecDeque::new(),
            },
        }
    }

    pub(crate) fn push(&mut self, snapshot: OperationSnapshot<K>) {
        self.places.insert(snapshot.id, self.left + self.finished.len() as u64);
        self.finished.push_back(snapshot);
    }

    /// The next operation to leave, if one has to: announce it, once.
    pub(crate) fn evict(&mut self, now: Instant) -> Option<OperationSnapshot<K>> {
        loop {
            let oldest = self.finished.front()?;
            let aged = match (self.max_age, oldest.finished_at) {
                (Some(max_age), Some(at)) => now.saturating_duration_since(at) >= max_age,
                _ => false,
            };
            if !aged && self.finished.len() <= self.size {
                return None;
            }
            let oldest = self.finished.pop_front()?;
            self.left += 1;
            self.places.remove(&oldest.id);
            match self.pinned.get_mut(&oldest.id) {
                Some(kept) => *kept = Some(oldest),
                None => return Some(self.echoed(oldest, now)),
            }
        }
    }

    pub(crate) fn get(&self, id: OperationId) -> Option<OperationSnapshot<K>> {
        if let Some(place) = self.places.get(&id) {
            return self.finished.get(usize::try_from(place - self.left).ok()?).cloned();
        }
        self.pinned.get(&id)?.clone()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &OperationSnapshot<K>> {
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
    pub(crate) fn unpin(&mut self, id: OperationId, now: Instant) -> (bool, Option<OperationSnapshot<K>>) {
        match self.pinned.remove(&id) {
            None => (false, None),
            Some(kept) => (true, kept.map(|kept| self.echoed(kept, now))),
        }
    }

    pub(crate) fn echoes(&mut self, now: Instant) -> Vec<Echo> {
        self.echoes.trim(now);
        self.echoes.entries.iter().cloned().collect()
    }

    fn echoed(&mut self, snapshot: OperationSnapshot<K>, now: Instant) -> OperationSnapshot<K> {
        for signal in &snapshot.signals {
            let echo = Echo { operation: snapshot.id, signal: signal.clone(), evicted_at: now };
            self.echoes.entries.push_back(echo);
        }
        self.echoes.trim(now);
        snapshot
    }
}

impl Echoes {
    fn trim(&mut self, now: Instant) {
        while let Some(oldest) = self.entries.front() {
            let aged = now.saturating_duration_since(oldest.evicted_at) >= self.retention;
            if !aged && self.entries.len() <= self.capacity {
                return;
            }
            self.entries.pop_front();
        }
    }
}
