//! Keys take turns; within a key, the order of enqueueing.
//!
//! A key with work that may start stands in the ring exactly once. Its turn starts one operation and sends it to
//! the end, so at most one start of every other key comes before the first item of a key that was idle. A key
//! whose gate is shut leaves the ring until gates change, and costs the others nothing.

use std::collections::VecDeque;
use std::hash::Hash;

use dayfly_signal::OperationId;
use hashbrown::{HashMap, HashSet};
use tokio::time::Instant;

use super::{Queued, Schedule, Turn};
use crate::KeyStats;
use crate::gate::Gate;

#[derive(Debug)]
pub(crate) struct Keyed<T, K> {
    keys: HashMap<K, Lane<T, K>>,
    ring: VecDeque<K>,
    deferred: Vec<K>,
    per_key: usize,
    len: usize,
    /// Keys that are paused by hand. They count as deferred.
    paused: HashSet<K>,
}

/// The work of one key. It exists only while the key has some.
#[derive(Debug)]
struct Lane<T, K> {
    queue: VecDeque<Queued<T, K>>,
    /// Operations that run, or that are parked until their next attempt.
    taken: usize,
    /// Of the taken ones, those that are parked.
    parked: usize,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Nowhere,
    InRing,
    Deferred,
}

impl<T, K: Eq + Hash + Clone> Keyed<T, K> {
    pub(crate) fn new(per_key: usize) -> Self {
        Self {
            keys: HashMap::new(),
            ring: VecDeque::new(),
            deferred: Vec::new(),
            per_key,
            len: 0,
            paused: HashSet::new(),
        }
    }

    /// Starts nothing of this key until it is resumed.
    pub(crate) fn pause_key(&mut self, key: K) {
        self.paused.insert(key);
    }

    /// Says whether the key was paused. What was deferred is to be looked at again.
    pub(crate) fn resume_key(&mut self, key: &K) -> bool {
        self.paused.remove(key)
    }

    pub(crate) fn key_stats(&self, key: &K) -> KeyStats {
        let paused = self.paused.contains(key);
        self.keys.get(key).map_or(KeyStats { paused, ..KeyStats::default() }, |lane| lane.stats(paused))
    }

    /// The `n` keys with the most work, the most first.
    pub(crate) fn hottest(&self, n: usize) -> Vec<(K, KeyStats)> {
        let mut keys: Vec<(&K, &Lane<T, K>)> = self.keys.iter().collect();
        let by_work = |(_, lane): &(&K, &Lane<T, K>)| std::cmp::Reverse(lane.queue.len() + lane.taken);
        if n < keys.len() {
            keys.select_nth_unstable_by_key(n, by_work);
            keys.truncate(n);
        }
        keys.sort_by_key(by_work);
        keys.into_iter().map(|(key, lane)| (key.clone(), lane.stats(self.paused.contains(key)))).collect()
    }

    /// Puts the key where it belongs after a change: into the ring, out of the table, or nowhere.
    fn settle(&mut self, key: &K) {
        let Some(lane) = self.keys.get_mut(key) else { return };
        if lane.queue.is_empty() && lane.taken == 0 && lane.place == Place::Nowhere {
            self.keys.remove(key);
        } else if !lane.queue.is_empty() && lane.taken < self.per_key && lane.place == Place::Nowhere {
            lane.place = Place::InRing;
            self.ring.push_back(key.clone());
        }
    }

    /// Whether no key has anything left here.
    #[cfg(test)]
    pub(super) fn is_empty_handed(&self) -> bool {
        self.keys.is_empty() && self.ring.is_empty() && self.deferred.is_empty()
    }

    fn lane(&mut self, key: &K) -> &mut Lane<T, K> {
        let fresh = || Lane { queue: VecDeque::new(), taken: 0, parked: 0, place: Place::Nowhere };
        self.keys.entry(key.clone()).or_insert_with(fresh)
    }
}

impl<T, K> Lane<T, K> {
    fn stats(&self, paused: bool) -> KeyStats {
        KeyStats {
            queued: self.queue.len() as u64,
            waiting: self.parked as u64,
            running: (self.taken - self.parked) as u64,
            paused,
        }
    }
}

impl<T, K: Eq + Hash + Clone> Schedule for Keyed<T, K> {
    type Item = T;
    type Key = K;

    fn push(&mut self, entry: Queued<T, K>) {
        let key = entry.key.clone();
        self.lane(&key).queue.push_back(entry);
        self.len += 1;
        self.settle(&key);
    }

    fn put_back(&mut self, entry: Queued<T, K>) {
        let key = entry.key.clone();
        let lane = self.lane(&key);
        lane.queue.push_front(entry);
        lane.taken -= 1;
        if lane.place == Place::Nowhere {
            // Its turn was not taken.
            lane.place = Place::InRing;
            self.ring.push_front(key);
        }
        self.len += 1;
    }

    fn most_at_once(&self) -> usize {
        // With more than one for each key, a key could be next twice before a key that was idle has its turn.
        if self.per_key == 1 { usize::MAX } else { 1 }
    }

    fn next(&mut self, _: Instant, mut gate: impl FnMut(&Queued<T, K>) -> Gate) -> Option<Turn<T, K>> {
        while let Some(key) = self.ring.pop_front() {
            let Some(lane) = self.keys.get_mut(&key) else { continue };
            let gate = match lane.queue.front() {
                Some(_) if self.paused.contains(&key) => Gate::Deferred,
                Some(first) => gate(first),
                // Its only work was taken out by hand.
                None => Gate::Open,
            };
            if gate == Gate::Deferred {
                lane.place = Place::Deferred;
                self.deferred.push(key);
                continue;
            }
            lane.place = Place::Nowhere;
            let next = lane.queue.pop_front();
            if next.is_some() {
                lane.taken += 1;
                self.len -= 1;
            }
            self.settle(&key);
            if let Some(next) = next {
                return Some((next, gate));
            }
        }
        None
    }

    fn ended(&mut self, key: &K) {
        if let Some(lane) = self.keys.get_mut(key) {
            lane.taken -= 1;
            self.settle(key);
        }
    }

    fn again(&mut self, key: &K) {
        // With one per key the key stays taken, so that nothing overtakes the item.
        if self.per_key > 1 {
            self.ended(key);
        } else if let Some(lane) = self.keys.get_mut(key) {
            lane.parked += 1;
        }
    }

    fn gave_up(&mut self, key: &K) {
        if self.per_key > 1 {
            return;
        }
        if let Some(lane) = self.keys.get_mut(key) {
            lane.parked -= 1;
        }
        self.ended(key);
    }

    fn due(&mut self, entry: Queued<T, K>) {
        let (key, parked) = (entry.key.clone(), self.per_key == 1);
        let lane = self.lane(&key);
        if parked {
            // Nothing has overtaken it, and nothing shall.
            lane.queue.push_front(entry);
            lane.taken -= 1;
            lane.parked -= 1;
        } else {
            lane.queue.push_back(entry);
        }
        self.len += 1;
        self.settle(&key);
    }

    fn reopen(&mut self) {
        for key in std::mem::take(&mut self.deferred) {
            if let Some(lane) = self.keys.get_mut(&key) {
                lane.place = Place::Nowhere;
            }
            self.settle(&key);
        }
    }

    fn lift_pauses(&mut self) {
        self.paused.clear();
    }

    fn ready(&self) -> usize {
        self.ring.len()
    }

    fn len(&self) -> usize {
        self.len
    }

    fn remove(&mut self, id: OperationId) -> Option<Queued<T, K>> {
        let holds = |lane: &&mut Lane<T, K>| lane.queue.iter().any(|entry| entry.id == id);
        let lane = self.keys.values_mut().find(holds)?;
        let at = lane.queue.iter().position(|entry| entry.id == id)?;
        let entry = lane.queue.remove(at)?;
        // An emptied key may still stand in the ring; its turn finds nothing and settles it.
        self.len -= 1;
        Some(entry)
    }

    fn take_all(&mut self) -> Vec<Queued<T, K>> {
        self.ring.clear();
        self.deferred.clear();
        self.len = 0;
        let mut all = Vec::new();
        for lane in self.keys.values_mut() {
            lane.place = Place::Nowhere;
            all.extend(lane.queue.drain(..));
        }
        self.keys.retain(|_, lane| lane.taken > 0);
        all.sort_by_key(|entry| entry.id);
        all
    }
}
