//! The keys that have work, each at a place of its own, so that a key is looked up once for each operation and what
//! it needs is used again by the next key.

use std::collections::VecDeque;
use std::hash::{BuildHasher, Hash};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::Queued;
use crate::contain::drop_one;

#[derive(Debug)]
pub(super) struct Keys<T, K> {
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
    states: Vec<KeyState<T, K>>,
    free: Vec<usize>,
}

/// The work of one key.
#[derive(Debug)]
pub(super) struct KeyState<T, K> {
    /// Absent while the place is free.
    key: Option<K>,
    /// The key's hash: only the producer's side and what comes in ask the key itself, which is foreign.
    hash: u64,
    /// One line for each lane.
    pub(super) lines: Vec<Line<T, K>>,
    /// How many turns in a row the key has.
    pub(super) weight: usize,
    /// Operations that run, or that are parked until their next attempt.
    pub(super) taken: usize,
    /// Of the taken ones, those that are parked.
    pub(super) parked: usize,
}

/// What waits of one key in one lane.
#[derive(Debug)]
pub(super) struct Line<T, K> {
    pub(super) queue: VecDeque<Queued<T, K>>,
    /// Turns that are left of the round, and those that were saved for the next one.
    pub(super) turns: usize,
    pub(super) saved: usize,
    pub(super) stand: Stand,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Nowhere,
    InRing,
    Deferred,
}

/// As many keys as this had work at once may have it again at no cost.
const KEPT_KEYS: usize = 4_096;

/// A queue that grew beyond this is not kept for the next key.
const KEPT: usize = 16;

impl<T, K: Eq + Hash + Clone> Keys<T, K> {
    pub(super) fn new() -> Self {
        Self {
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            states: Vec::new(),
            free: Vec::new(),
        }
    }

    /// The place of a key, which is made where there is none.
    pub(super) fn place(&mut self, key: &K, lanes: usize, weight: impl FnOnce(&K) -> usize) -> usize {
        let hash = self.hasher.hash_one(key);
        let is_it = |&at: &usize| self.states[at].key.as_ref() == Some(key);
        if let Some(&at) = self.places.find(hash, is_it) {
            return at;
        }
        // Whatever may panic comes before anything changes.
        let (weight, kept) = (weight(key).max(1), key.clone());
        let at = self.free.pop().unwrap_or_else(|| {
            self.states.push(KeyState::new(lanes));
            self.states.len() - 1
        });
        let state = &mut self.states[at];
        (state.key, state.hash, state.weight) = (Some(kept), hash, weight);
        self.places.insert_unique(hash, at, |&at| self.states[at].hash);
        at
    }

    pub(super) fn find(&self, key: &K) -> Option<&KeyState<T, K>> {
        self.find_place(key).map(|at| &self.states[at])
    }

    pub(super) fn find_place(&self, key: &K) -> Option<usize> {
        let is_it = |&at: &usize| self.states[at].key.as_ref() == Some(key);
        self.places.find(self.hasher.hash_one(key), is_it).copied()
    }

    pub(super) fn get_mut(&mut self, at: usize) -> &mut KeyState<T, K> {
        &mut self.states[at]
    }

    /// Frees the place of a key that has no work any more.
    pub(super) fn release(&mut self, at: usize) {
        let state = &mut self.states[at];
        let Some(key) = state.key.take() else { return };
        for line in &mut state.lines {
            (line.turns, line.saved) = (0, 0);
            if line.queue.capacity() > KEPT {
                line.queue = VecDeque::new();
            }
        }
        if let Ok(entry) = self.places.find_entry(state.hash, |&found| found == at) {
            entry.remove();
        }
        drop_one(key);
        self.free.push(at);
        if self.places.is_empty() && self.states.len() > KEPT_KEYS {
            // What many keys needed at once is not kept when there are none.
            *self = Self::new();
        }
    }

    /// Every key that has work, with what it has.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, &KeyState<T, K>)> {
        self.states.iter().filter_map(|state| Some((state.key.as_ref()?, state)))
    }

    /// The places of all keys that have work.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|at| self.states[*at].key.is_some()).collect()
    }
}

impl<T, K> KeyState<T, K> {
    fn new(lanes: usize) -> Self {
        // Of most keys one operation waits at a time.
        let line = || Line { queue: VecDeque::with_capacity(1), turns: 0, saved: 0, stand: Stand::Nowhere };
        Self {
            key: None,
            hash: 0,
            lines: (0..lanes).map(|_| line()).collect(),
            weight: 1,
            taken: 0,
            parked: 0,
        }
    }

    pub(super) fn key(&self) -> Option<&K> {
        self.key.as_ref()
    }

    pub(super) fn queued(&self) -> usize {
        self.lines.iter().map(|line| line.queue.len()).sum()
    }

    /// How many of the key's lanes stand in a ring.
    pub(super) fn standing(&self) -> usize {
        self.lines.iter().filter(|line| line.stand == Stand::InRing).count()
    }

    /// Whether nothing of the key waits, runs or stands anywhere.
    pub(super) fn is_done(&self) -> bool {
        let at_rest = |line: &Line<T, K>| line.queue.is_empty() && line.stand == Stand::Nowhere;
        self.taken == 0 && self.lines.iter().all(at_rest)
    }
}
