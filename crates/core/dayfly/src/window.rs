//! The last finished operations, by finish, with a look-up by id.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use dayfly_signal::OperationId;
use tokio::time::Instant;

use crate::OperationSnapshot;

#[derive(Debug)]
pub(crate) struct Window<K> {
    size: usize,
    max_age: Option<Duration>,
    finished: VecDeque<OperationSnapshot<K>>,
    /// Where an operation stands, counted from the first that ever finished.
    places: HashMap<OperationId, u64>,
    evicted: u64,
}

impl<K: Clone> Window<K> {
    pub(crate) fn new(size: usize, max_age: Option<Duration>) -> Self {
        Self { size, max_age, finished: VecDeque::new(), places: HashMap::new(), evicted: 0 }
    }

    pub(crate) fn push(&mut self, snapshot: OperationSnapshot<K>, now: Instant) {
        self.places.insert(snapshot.id, self.evicted + self.finished.len() as u64);
        self.finished.push_back(snapshot);
        self.evict(now);
    }

    pub(crate) fn get(&mut self, id: OperationId, now: Instant) -> Option<OperationSnapshot<K>> {
        self.evict(now);
        let place = usize::try_from(self.places.get(&id)? - self.evicted).ok()?;
        self.finished.get(place).cloned()
    }

    pub(crate) fn iter(&mut self, now: Instant) -> impl Iterator<Item = &OperationSnapshot<K>> {
        self.evict(now);
        self.finished.iter()
    }

    fn evict(&mut self, now: Instant) {
        while let Some(oldest) = self.finished.front() {
            let aged = match (self.max_age, oldest.finished_at) {
                (Some(max_age), Some(at)) => now.saturating_duration_since(at) >= max_age,
                _ => false,
            };
            if !aged && self.finished.len() <= self.size {
                return;
            }
            self.places.remove(&oldest.id);
            self.finished.pop_front();
            self.evicted += 1;
        }
    }
}
