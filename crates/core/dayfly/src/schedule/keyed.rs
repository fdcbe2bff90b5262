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
            keys: Keys::new(rules.lanes),
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

    pub(crate) fn is_paused(&self, key: &K) -> bool {
        self.paused.contains(key)
    }

    /// The figures of the key at this place, but for its pause.
    pub(crate) fn key_stats(&self, at: usize) -> KeyStats {
        self.keys.get(at).map_or_else(KeyStats::default, |state| KeyStats {
            queued: state.queued as u64,
            waiting: state.parked as u64,
            running: (state.taken - state.parked) as u64,
            paused: false,
        })
    }

    /// The places of the `n` keys with the most work, the most first.
    pub(crate) fn hottest(&self, n: usize) -> Vec<usize> {
        let mut keys = self.keys.all();
        let work = |state: &KeyState| state.queued + state.taken;
        let by_work = |&at: &usize| std::cmp::Reverse(self.keys.get(at).map_or(0, work));
        if n < keys.len() {
            keys.select_nth_unstable_by_key(n, by_work);
            keys.truncate(n);
        }
        keys.sort_by_key(by_work);
        keys
    }

    /// Takes everything of the key at this place out that waits for its turn, in the order in which it would have started.
    pub(crate) fn take_key(&mut self, at: usize) -> Vec<Queued<T, K>> {
        if self.keys.get(at).is_none() {
            return Vec::new();
        }
        // An emptied line may still stand in a ring; its turn finds nothing and settles it.
        let taken = self.keys.drain(at);
        self.len -= taken.len();
        taken
    }

    /// Puts the key where it belongs after a change: into the rings, or out of the table.
    fn settle(&mut self, at: usize, end: End) {
        if self.keys.end_if_done(at) {
            return;
        }
        let state = self.keys.state(at);
        if state.queued > 0 && state.taken < self.rules.per_key {
            (0..self.rings.len()).for_each(|lane| self.step_in(lane, at, end));
        }
    }

    /// Puts the key's line into the ring of its lane, if something waits in it and it stands nowhere.
    #[inline]
    fn step_in(&mut self, lane: usize, at: usize, end: End) {
        let row = self.keys.line(at, lane);
        if row.first().is_none() || row.stands() != Stand::Nowhere {
            return;
        }
        if end == End::Front && row.turns > 0 {
            self.rings[lane].push_front(at);
        } else {
            let saved = row.saved.saturating_add(std::mem::take(&mut row.turns));
            row.saved = saved.min(self.rules.burst);
            self.rings[lane].push_back(at);
        }
        self.keys.stand(at, lane, Stand::InRing);
    }

    /// Takes the line at this place of a ring out of it.
    #[inline]
    fn step_out(&mut self, lane: usize, place: usize, at: usize, stand: Stand) {
        let ring = &mut self.rings[lane];
        if place == 0 {
            ring.pop_front();
        } else {
            ring.remove(place);
        }
        self.keys.stand(at, lane, stand);
    }

    /// The next operation of the first key in a ring that may start one.
    fn turn(&mut self, lane: usize, gate: &mut impl FnMut(&Queued<T, K>) -> Verdict) -> Option<Turn<T, K>> {
        let mut place = 0;
        while let Some(&at) = self.rings[lane].get(place) {
            let state = self.keys.state(at);
            let (taken, weight) = (state.taken, state.weight);
            if state.parked > 0 {
                // It comes back when it is due. Were it to stand here meanwhile, everybody would have to pass it.
                self.step_out(lane, place, at, Stand::Nowhere);
                self.blocked -= 1;
                continue;
            }
            if taken >= self.rules.per_key {
                // Another lane of the key was faster; this one keeps its place.
                place += 1;
                continue;
            }
            let row = self.keys.line(at, lane);
            // A key that panics here is not taken for paused: it would stand still for ever.
            let is_paused = |key| contain(|| self.paused.contains(key)).unwrap_or(false);
            let gate = match row.first() {
                // What it stood there for was taken out by hand.
                None => None,
                Some(first) if !self.paused.is_empty() && is_paused(&first.key) => Some(Verdict::Deferred),
                Some(first) => Some(gate(first)),
            };
            match gate {
                None => {
                    self.step_out(lane, place, at, Stand::Nowhere);
                    self.keys.end_if_done(at);
                }
                Some(Verdict::Deferred) => {
                    self.step_out(lane, place, at, Stand::Deferred);
                    self.deferred.push((at, lane));
                }
                Some(gate) => {
                    if row.turns == 0 {
                        row.turns = weight.saturating_add(std::mem::take(&mut row.saved));
                    }
                    row.turns -= 1;
                    let has_turns = row.turns > 0;
                    let next = self.keys.queue(at, lane, VecDeque::pop_front);
                    self.len -= 1;
                    let may_start = taken + 1 < self.rules.per_key;
                    if !(may_start && has_turns && self.keys.line(at, lane).first().is_some()) {
                        self.step_out(lane, place, at, Stand::Nowhere);
                    }
                    self.take(at);
                    if may_start {
                        self.step_in(lane, at, End::Back);
                    }
                    return next.map(|next| (next, gate));
                }
            }
        }
        None
    }

    /// An operation of the key takes one of its places.
    fn take(&mut self, at: usize) {
        let state = self.keys.state(at);
        state.taken += 1;
        if state.taken == self.rules.per_key {
            self.blocked += state.in_ring;
        }
    }

    /// One of the key's places is free again.
    fn give(&mut self, at: usize) {
        let state = self.keys.state(at);
        state.taken -= 1;
        if state.taken + 1 == self.rules.per_key {
            self.blocked -= state.in_ring;
        }
    }
}

impl<T, K: Eq + Hash + Clone> Schedule for Keyed<T, K> {
    type Item = T;
    type Key = K;
    type Answer = ();

    fn push(&mut self, entry: Queued<T, K>) {
        let Place { key: at, lane } = entry.place;
        let weight = self.rules.weight.as_ref();
        // A weight that panics is none.
        self.keys.begin(at, || weight.and_then(|weight| contain(|| weight(&entry.key))).unwrap_or(1));
        self.keys.queue(at, lane, |queue| queue.push_back(entry));
        self.len += 1;
        if self.keys.state(at).taken < self.rules.per_key {
            self.step_in(lane, at, End::Back);
        }
    }

    fn put_back(&mut self, entry: Queued<T, K>) {
        let Place { key: at, lane } = entry.place;
        self.give(at);
        self.keys.queue(at, lane, |queue| put_back_into(queue, entry));
        self.len += 1;
        let line = self.keys.line(at, lane);
        line.turns = line.turns.saturating_add(1);
        // Its turn was not taken, so it is next again; this is rare enough for a look through the ring.
        let stands = line.stands();
        if stands == Stand::InRing {
            self.rings[lane].retain(|standing| *standing != at);
        }
        if stands != Stand::Deferred {
            self.rings[lane].push_front(at);
            self.keys.stand(at, lane, Stand::InRing);
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
            self.keys.state(place.key).parked += 1;
        }
    }

    fn gave_up(&mut self, key: &K, place: Place) {
        if self.rules.per_key > 1 {
            // It may have been the last of its key, and of it nothing is known here.
            self.keys.note(place.key);
            return;
        }
        self.keys.state(place.key).parked -= 1;
        self.ended(key, place);
    }

    fn due(&mut self, mut entry: Queued<T, K>) {
        if self.rules.per_key > 1 {
            self.push(entry);
            return;
        }
        // Nothing has overtaken it, and nothing shall: of its key it comes first, whatever lane it was in.
        let at = entry.place.key;
        entry.place.lane = 0;
        self.give(at);
        self.keys.state(at).parked -= 1;
        self.keys.queue(at, 0, |queue| queue.push_front(entry));
        self.len += 1;
        self.settle(at, End::Front);
    }

    fn reopen(&mut self) {
        for (at, lane) in std::mem::take(&mut self.deferred) {
            self.keys.stand(at, lane, Stand::Nowhere);
            self.settle(at, End::Back);
        }
    }

    fn take_released(&mut self, released: &mut Vec<usize>) {
        self.keys.take_released(released);
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
            for lane in 0..self.rings.len() {
                let place = self.keys.line(at, lane).find(id);
                if let Some(place) = place {
                    // An emptied line may still stand in the ring; its turn finds nothing and settles it.
                    self.len -= 1;
                    return self.keys.queue(at, lane, |queue| queue.remove(place));
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
            (0..self.rings.len()).for_each(|lane| self.keys.stand(at, lane, Stand::Nowhere));
            all.append(&mut self.keys.drain(at));
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
