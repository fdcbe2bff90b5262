//! Keys take turns; within a key, the order of enqueueing.
//!
//! A key with work that may start stands in its lane's ring exactly once. A round gives it as many turns as it weighs;
//! then it goes to the end. So at most that many starts of every other key come before the first item of a key that was
//! idle, plus the turns that the others have saved, within its lane; higher lanes come first. A key whose turn is cut
//! short because as many as allowed of it run comes back to the front for the rest. A key whose gate is shut leaves the
//! ring until gates change, and costs the others nothing.

use std::collections::VecDeque;
use std::fmt;
use std::hash::Hash;

use dayfly_signal::{OperationId, Verdict};
use hashbrown::HashSet;
use tokio::time::Instant;

use super::keys::{KeyState, Keys, Stand};
use super::{Place, Queued, Schedule, Turn, put_back_into};
use crate::KeyStats;
use crate::contain::contain;

pub(crate) struct Keyed<T, K> {
    keys: Keys<T, K>,
    /// One for each lane, the highest first.
    rings: Vec<VecDeque<usize>>,
    deferred: Vec<(usize, usize)>,
    /// Keys that are paused by hand. They count as deferred.
    paused: HashSet<K>,
    rules: KeyedRules<K>,
    /// How many stand in a ring although as many of their key run as may: they wait for one to end.
    blocked: usize,
    len: usize,
}

/// What a key weighs.
pub(crate) type Weight<K> = Box<dyn Fn(&K) -> usize + Send + Sync>;

/// How keys share.
pub(crate) struct KeyedRules<K> {
    /// Operations of one key that run at once.
    pub(crate) per_key: usize,
    /// Turns that a key may save.
    pub(crate) burst: usize,
    pub(crate) lanes: usize,
    /// How much a key weighs; 1 where this is absent.
    pub(crate) weight: Option<Weight<K>>,
}

/// The end of the ring at which a key comes in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

impl<T, K: Eq + Hash + Clone> Keyed<T, K> {
    pub(crate) fn new(rules: KeyedRules<K>) -> Self {
        Self {
            keys: Keys::new(),
            rings: (0..rules.lanes).map(|_| VecDeque::new()).collect(),
            deferred: Vec::new(),
            paused: HashSet::new(),
            rules,
            blocked: 0,
            len: 0,
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
        self.keys.find(key).map_or(KeyStats { paused, ..KeyStats::default() }, |state| state.stats(paused))
    }

    /// The `n` keys with the most work, the most first.
    pub(crate) fn hottest(&self, n: usize) -> Vec<(K, KeyStats)> {
        let mut keys: Vec<_> = self.keys.iter().collect();
        let by_work = |(_, state): &(&K, &KeyState<T, K>)| std::cmp::Reverse(state.queued() + state.taken);
        if n < keys.len() {
            keys.select_nth_unstable_by_key(n, by_work);
            keys.truncate(n);
        }
        keys.sort_by_key(by_work);
        keys.into_iter().map(|(key, state)| (key.clone(), state.stats(self.paused.contains(key)))).collect()
    }

    /// Takes everything out that waits for its turn, in the order in which it would have started.
    pub(crate) fn take_key(&mut self, key: &K) -> Vec<Queued<T, K>> {
        let Some(at) = self.keys.find_place(key) else { return Vec::new() };
        // An emptied line may still stand in a ring; its turn finds nothing and settles it.
        let lines = &mut self.keys.get_mut(at).lines;
        let taken: Vec<_> = lines.iter_mut().flat_map(|line| line.queue.drain(..)).collect();
        self.len -= taken.len();
        taken
    }

    /// Puts the key where it belongs after a change: into the rings, or out of the table.
    fn settle(&mut self, at: usize, end: End) {
        let state = self.keys.get_mut(at);
        if state.is_done() {
            self.keys.release(at);
            return;
        }
        if state.taken >= self.rules.per_key {
            return;
        }
        for (line, ring) in state.lines.iter_mut().zip(&mut self.rings) {
            if line.queue.is_empty() || line.stand != Stand::Nowhere {
                continue;
            }
            line.stand = Stand::InRing;
            if end == End::Front && line.turns > 0 {
                ring.push_front(at);
            } else {
                let saved = line.saved.saturating_add(std::mem::take(&mut line.turns));
                line.saved = saved.min(self.rules.burst);
                ring.push_back(at);
            }
        }
    }

    /// The next operation of the first key in a ring that may start one.
    fn turn(&mut self, lane: usize, gate: &mut impl FnMut(&Queued<T, K>) -> Verdict) -> Option<Turn<T, K>> {
        let mut place = 0;
        while let Some(&at) = self.rings[lane].get(place) {
            let state = self.keys.get_mut(at);
            if state.parked > 0 {
                // It comes back when it is due. Were it to stand here meanwhile, everybody would have to pass it.
                self.rings[lane].remove(place);
                state.lines[lane].stand = Stand::Nowhere;
                self.blocked -= 1;
                continue;
            }
            if state.taken >= self.rules.per_key {
                // Another lane of the key was faster; this one keeps its place.
                place += 1;
                continue;
            }
            // A key that panics here is not taken for paused: it would stand still for ever.
            let is_paused = !self.paused.is_empty()
                && state.key().is_some_and(|key| contain(|| self.paused.contains(key)).unwrap_or(false));
            let weight = state.weight;
            let row = &mut state.lines[lane];
            let gate = match row.queue.front() {
                // What it stood there for was taken out by hand.
                None => None,
                Some(_) if is_paused => Some(Verdict::Deferred),
                Some(first) => Some(gate(first)),
            };
            match gate {
                None => {
                    self.rings[lane].remove(place);
                    row.stand = Stand::Nowhere;
                    if state.is_done() {
                        self.keys.release(at);
                    }
                }
                Some(Verdict::Deferred) => {
                    self.rings[lane].remove(place);
                    row.stand = Stand::Deferred;
                    self.deferred.push((at, lane));
                }
                Some(gate) => {
                    if row.turns == 0 {
                        row.turns = weight.saturating_add(std::mem::take(&mut row.saved));
                    }
                    row.turns -= 1;
                    let next = row.queue.pop_front();
                    let goes_on =
                        row.turns > 0 && !row.queue.is_empty() && state.taken + 1 < self.rules.per_key;
                    self.len -= 1;
                    if !goes_on {
                        self.rings[lane].remove(place);
                        state.lines[lane].stand = Stand::Nowhere;
                    }
                    self.take(at);
                    self.settle(at, End::Back);
                    return next.map(|next| (next, gate));
                }
            }
        }
        None
    }

    /// An operation of the key takes one of its places.
    fn take(&mut self, at: usize) {
        let state = self.keys.get_mut(at);
        state.taken += 1;
        if state.taken == self.rules.per_key {
            self.blocked += state.standing();
        }
    }

    /// One of the key's places is free again.
    fn give(&mut self, at: usize) {
        let state = self.keys.get_mut(at);
        if state.taken == self.rules.per_key {
            self.blocked -= state.standing();
        }
        state.taken -= 1;
    }
}

impl<T, K> KeyState<T, K> {
    fn stats(&self, paused: bool) -> KeyStats {
        KeyStats {
            queued: self.queued() as u64,
            waiting: self.parked as u64,
            running: (self.taken - self.parked) as u64,
            paused,
        }
    }
}

impl<T, K: Eq + Hash + Clone> Schedule for Keyed<T, K> {
    type Item = T;
    type Key = K;
    type Answer = ();

    fn push(&mut self, mut entry: Queued<T, K>) -> Option<Queued<T, K>> {
        let weight = |key: &K| self.rules.weight.as_ref().map_or(1, |weight| weight(key));
        let Some(at) = contain(|| self.keys.place(&entry.key, self.rules.lanes, weight)) else {
            return Some(entry);
        };
        entry.place.key = at;
        self.keys.get_mut(at).lines[entry.place.lane].queue.push_back(entry);
        self.len += 1;
        self.settle(at, End::Back);
        None
    }

    fn put_back(&mut self, entry: Queued<T, K>) {
        let Place { key: at, lane } = entry.place;
        self.give(at);
        let row = &mut self.keys.get_mut(at).lines[lane];
        put_back_into(&mut row.queue, entry);
        row.turns = row.turns.saturating_add(1);
        self.len += 1;
        // Its turn was not taken, so it is next again; this is rare enough for a look through the ring.
        if row.stand == Stand::InRing {
            self.rings[lane].retain(|standing| *standing != at);
        }
        if row.stand != Stand::Deferred {
            row.stand = Stand::InRing;
            self.rings[lane].push_front(at);
        }
        // Work of the key's other lanes that came in meanwhile stands nowhere while the key's places are taken.
        self.settle(at, End::Back);
    }

    fn most_at_once(&self) -> usize {
        // With more than one for each key, a key could be next twice before a key that was idle has its turn.
        if self.rules.per_key == 1 { usize::MAX } else { 1 }
    }

    fn next(&mut self, _: Instant, mut gate: impl FnMut(&Queued<T, K>) -> Verdict) -> Option<Turn<T, K>> {
        (0..self.rings.len()).find_map(|lane| self.turn(lane, &mut gate))
    }

    fn ended(&mut self, _: &K, place: Place) {
        self.give(place.key);
        self.settle(place.key, End::Front);
    }

    fn again(&mut self, key: &K, place: Place) {
        // With one per key the key stays taken, so that nothing overtakes the item.
        if self.rules.per_key > 1 {
            self.ended(key, place);
        } else {
            self.keys.get_mut(place.key).parked += 1;
        }
    }

    fn gave_up(&mut self, key: &K, place: Place) {
        if self.rules.per_key > 1 {
            return;
        }
        self.keys.get_mut(place.key).parked -= 1;
        self.ended(key, place);
    }

    fn due(&mut self, mut entry: Queued<T, K>) -> Option<Queued<T, K>> {
        if self.rules.per_key > 1 {
            return self.push(entry);
        }
        // Nothing has overtaken it, and nothing shall: of its key it comes first, whatever lane it was in.
        let at = entry.place.key;
        entry.place.lane = 0;
        self.give(at);
        let state = self.keys.get_mut(at);
        state.parked -= 1;
        state.lines[0].queue.push_front(entry);
        self.len += 1;
        self.settle(at, End::Front);
        None
    }

    fn reopen(&mut self) {
        for (at, lane) in std::mem::take(&mut self.deferred) {
            self.keys.get_mut(at).lines[lane].stand = Stand::Nowhere;
            self.settle(at, End::Back);
        }
    }

    fn lift_pauses(&mut self) {
        self.paused.clear();
    }

    fn ready(&self) -> usize {
        self.rings.iter().map(VecDeque::len).sum::<usize>() - self.blocked
    }

    fn len(&self) -> usize {
        self.len
    }

    fn remove(&mut self, id: OperationId) -> Option<Queued<T, K>> {
        for at in self.keys.all() {
            for line in &mut self.keys.get_mut(at).lines {
                if let Some(found) = line.queue.iter().position(|entry| entry.id == id) {
                    // An emptied line may still stand in the ring; its turn finds nothing and settles it.
                    self.len -= 1;
                    return line.queue.remove(found);
                }
            }
        }
        None
    }

    fn take_all(&mut self) -> Vec<Queued<T, K>> {
        self.rings.iter_mut().for_each(VecDeque::clear);
        self.blocked = 0;
        self.deferred.clear();
        self.len = 0;
        let mut all = Vec::new();
        for at in self.keys.all() {
            for line in &mut self.keys.get_mut(at).lines {
                line.stand = Stand::Nowhere;
                all.extend(line.queue.drain(..));
            }
            self.settle(at, End::Back);
        }
        all.sort_by_key(|entry| entry.id);
        all
    }
}

#[cfg(test)]
impl<T, K: Eq + Hash + Clone> Keyed<T, K> {
    /// Whether no key has anything left here.
    pub(super) fn is_empty_handed(&self) -> bool {
        self.keys.all().is_empty() && self.rings.iter().all(VecDeque::is_empty) && self.deferred.is_empty()
    }
}

impl<T, K> fmt::Debug for Keyed<T, K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("len", &self.len).finish_non_exhaustive()
    }
}
