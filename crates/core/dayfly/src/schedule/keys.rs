//! The keys that have work, each at the place that it has in the room of the queue, so that none is looked up here and
//! what it needs is used again by the next key of that place.

use std::collections::VecDeque;

use dayfly_signal::OperationId;

use super::Queued;
use crate::engine::KEPT_KEYS;

#[derive(Debug)]
pub(super) struct Keys<T, K> {
    states: Vec<KeyState>,
    /// One for each lane of each key, those of a key beside each other.
    lines: Vec<Line<T, K>>,
    lanes: usize,
    /// How many keys have work.
    with_work: usize,
    /// Places of keys that had no work any more at some time since this was last asked.
    released: Vec<usize>,
}

/// What is known of the work of one key.
#[derive(Debug, Default)]
pub(super) struct KeyState {
    pub(super) has_work: bool,
    /// How many turns in a row the key has.
    pub(super) weight: usize,
    /// Operations that run, or that are parked until their next attempt.
    pub(super) taken: usize,
    /// Of the taken ones, those that are parked.
    pub(super) parked: usize,
    /// Operations that wait for their turn, in all lanes.
    pub(super) queued: usize,
    /// How many of the lanes stand in a ring, and how many are deferred.
    pub(super) in_ring: usize,
    deferred: usize,
}

/// What waits of one key in one lane. What its key counts is changed by the key's methods.
#[derive(Debug)]
pub(super) struct Line<T, K> {
    queue: VecDeque<Queued<T, K>>,
    /// Turns that are left of the round, and those that were saved for the next one.
    pub(super) turns: usize,
    pub(super) saved: usize,
    stand: Stand,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Nowhere,
    InRing,
    Deferred,
}

/// A queue that grew beyond this is not kept for the next key.
const KEPT: usize = 16;

impl<T, K> Keys<T, K> {
    pub(super) const fn new(lanes: usize) -> Self {
        Self { states: Vec::new(), lines: Vec::new(), lanes, with_work: 0, released: Vec::new() }
    }

    /// There is work of a key at this place.
    pub(super) fn begin(&mut self, at: usize, weight: impl FnOnce() -> usize) {
        if self.get(at).is_some() {
            return;
        }
        let weight = weight().max(1);
        if at >= self.states.len() {
            self.states.resize_with(at + 1, KeyState::default);
            self.lines.resize_with((at + 1) * self.lanes, Line::new);
        }
        self.states[at] = KeyState { has_work: true, weight, ..KeyState::default() };
        self.with_work += 1;
    }

    /// What is known of the key at this place, if it has work.
    pub(super) fn get(&self, at: usize) -> Option<&KeyState> {
        self.states.get(at).filter(|state| state.has_work)
    }

    #[inline]
    pub(super) fn state(&mut self, at: usize) -> &mut KeyState {
        &mut self.states[at]
    }

    #[inline]
    pub(super) fn line(&mut self, at: usize, lane: usize) -> &mut Line<T, K> {
        &mut self.lines[at * self.lanes + lane]
    }

    /// Changes what waits of a key in one lane.
    #[inline]
    pub(super) fn queue<R>(
        &mut self,
        at: usize,
        lane: usize,
        change: impl FnOnce(&mut VecDeque<Queued<T, K>>) -> R,
    ) -> R {
        let queue = &mut self.lines[at * self.lanes + lane].queue;
        let before = queue.len();
        let answer = change(queue);
        let state = &mut self.states[at];
        state.queued = state.queued + queue.len() - before;
        answer
    }

    /// Takes out what waits of a key, in all lanes, the highest first.
    pub(super) fn drain(&mut self, at: usize) -> Vec<Queued<T, K>> {
        (0..self.lanes).flat_map(|lane| self.queue(at, lane, std::mem::take)).collect()
    }

    /// The line stands there from now on.
    #[inline]
    pub(super) fn stand(&mut self, at: usize, lane: usize, stand: Stand) {
        let before = std::mem::replace(&mut self.lines[at * self.lanes + lane].stand, stand);
        let state = &mut self.states[at];
        match before {
            Stand::Nowhere => {}
            Stand::InRing => state.in_ring -= 1,
            Stand::Deferred => state.deferred -= 1,
        }
        match stand {
            Stand::Nowhere => {}
            Stand::InRing => state.in_ring += 1,
            Stand::Deferred => state.deferred += 1,
        }
    }

    /// Frees the place of a key of which nothing waits, runs or stands anywhere. Says whether that is so.
    pub(super) fn end_if_done(&mut self, at: usize) -> bool {
        let state = &mut self.states[at];
        if state.taken + state.queued + state.in_ring + state.deferred > 0 {
            return false;
        }
        state.has_work = false;
        for line in &mut self.lines[at * self.lanes..(at + 1) * self.lanes] {
            (line.turns, line.saved) = (0, 0);
            if line.queue.capacity() > KEPT {
                line.queue = VecDeque::new();
            }
        }
        self.with_work -= 1;
        self.released.push(at);
        if self.with_work == 0 && self.states.len() > KEPT_KEYS {
            // What many keys needed at once is not kept when there are none.
            (self.states, self.lines) = (Vec::new(), Vec::new());
        }
        true
    }

    /// Whoever waits for the key's place is to be told that the schedule needs it no more, if that is so then.
    pub(super) fn note(&mut self, at: usize) {
        self.released.push(at);
    }

    /// The places of keys that had work and have none any more.
    pub(super) fn take_released(&mut self, released: &mut Vec<usize>) {
        let Self { states, released: noted, .. } = self;
        let has_work = |at: &usize| states.get(*at).is_some_and(|state| state.has_work);
        released.extend(noted.drain(..).filter(|at| !has_work(at)));
        // Of what ended all at once no room is kept.
        noted.shrink_to(KEPT_KEYS);
    }

    /// The places of all keys that have work.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.states.len()).filter(|at| self.states[*at].has_work).collect()
    }
}

impl<T, K> Line<T, K> {
    /// What is next.
    pub(super) fn first(&self) -> Option<&Queued<T, K>> {
        self.queue.front()
    }

    pub(super) fn find(&self, id: OperationId) -> Option<usize> {
        self.queue.iter().position(|entry| entry.id == id)
    }

    pub(super) const fn stands(&self) -> Stand {
        self.stand
    }

    fn new() -> Self {
        // Of most keys one operation waits at a time.
        Self { queue: VecDeque::with_capacity(1), turns: 0, saved: 0, stand: Stand::Nowhere }
    }
}
