//! Lanes in order: the next start is always from the highest lane that may run, and what waits long enough rises.
//!
//! An operation belongs to its own lane for limits and gates, whatever level it has risen to. On each level stand,
//! apart, the operations of every lane that have come to it; among those that may start the one that arrived first is
//! next. Rising is applied when somebody looks, so it needs no timer.

use std::collections::VecDeque;
use std::time::Duration;

use dayfly_signal::{OperationId, Verdict};
use tokio::time::Instant;

use super::{Place, Queued, Schedule, Turn, put_back_into, was_claimed_before};
use crate::Lane;

#[derive(Debug)]
pub(crate) struct Priority<T> {
    lanes: Vec<LaneState>,
    /// By level, and on a level by own lane: operations in the order in which they came into the queue.
    levels: Vec<Vec<VecDeque<Queued<T, Lane>>>>,
    age_after: Option<Duration>,
}

#[derive(Debug)]
struct LaneState {
    max_concurrency: usize,
    running: usize,
    queued: usize,
    deferred: bool,
}

impl<T> Priority<T> {
    /// Lanes with these limits, the highest first.
    pub(crate) fn new(limits: impl IntoIterator<Item = usize>, age_after: Option<Duration>) -> Self {
        let lane = |max_concurrency| LaneState { max_concurrency, running: 0, queued: 0, deferred: false };
        let lanes: Vec<LaneState> = limits.into_iter().map(lane).collect();
        let level = || lanes.iter().map(|_| VecDeque::new()).collect();
        Self { levels: lanes.iter().map(|_| level()).collect(), lanes, age_after }
    }

    /// Lets what has waited long enough rise, from the lowest level up, so that one look brings it all the way.
    fn rise(&mut self, now: Instant) {
        let Some(age_after) = self.age_after else { return };
        for level in (1..self.levels.len()).rev() {
            for own in level..self.lanes.len() {
                let steps = u32::try_from(own - level + 1).unwrap_or(u32::MAX);
                let age = age_after.saturating_mul(steps);
                let is_due = |entry: &Queued<T, Lane>| now.saturating_duration_since(entry.ready_at) >= age;
                while self.levels[level][own].front().is_some_and(is_due)
                    && let Some(risen) = self.levels[level][own].pop_front()
                {
                    self.levels[level - 1][own].push_back(risen);
                }
            }
        }
    }
}

impl<T> Schedule for Priority<T> {
    type Item = T;
    type Key = Lane;
    type Answer = ();

    fn push(&mut self, entry: Queued<T, Lane>) {
        let own = entry.key.index;
        self.lanes[own].queued += 1;
        self.levels[own][own].push_back(entry);
    }

    fn put_back(&mut self, entry: Queued<T, Lane>) {
        let own = entry.key.index;
        self.lanes[own].queued += 1;
        self.lanes[own].running -= 1;
        // What stood behind it may have risen since; it rises with the next look as far as it may itself.
        let is_behind = |other: &Queued<T, Lane>| !was_claimed_before(other, &entry);
        let level = self.levels.iter().position(|level| level[own].back().is_some_and(is_behind));
        put_back_into(&mut self.levels[level.unwrap_or(own)][own], entry);
    }

    fn next(
        &mut self,
        now: Instant,
        mut gate: impl FnMut(&Queued<T, Lane>) -> Verdict,
    ) -> Option<Turn<T, Lane>> {
        self.rise(now);
        for level in 0..self.levels.len() {
            // Whatever may not start is out of the way after one look; so this ends.
            loop {
                let may_start = |own: &usize| self.lanes[*own].may_start();
                // An id may be its caller's, and then says nothing of the arrival; of one instant it does.
                let first =
                    |own: usize| self.levels[level][own].front().map(|entry| (entry.ready_at, entry.id, own));
                let Some((.., own)) = (0..self.lanes.len()).filter(may_start).filter_map(first).min() else {
                    break;
                };
                let gate = self.levels[level][own].front().map_or(Verdict::Open, &mut gate);
                if gate == Verdict::Deferred {
                    self.lanes[own].deferred = true;
                    continue;
                }
                let next = self.levels[level][own].pop_front();
                self.lanes[own].queued -= 1;
                self.lanes[own].running += 1;
                return next.map(|entry| (entry, gate));
            }
        }
        None
    }

    fn ended(&mut self, lane: &Lane, _: Place) {
        self.lanes[lane.index].running -= 1;
    }

    fn again(&mut self, lane: &Lane, place: Place) {
        self.ended(lane, place);
    }

    fn gave_up(&mut self, _: &Lane, _: Place) {}

    fn due(&mut self, entry: Queued<T, Lane>) {
        self.push(entry);
    }

    fn reopen(&mut self) {
        for lane in &mut self.lanes {
            lane.deferred = false;
        }
    }

    fn ready(&self) -> usize {
        self.lanes.iter().map(LaneState::ready).sum()
    }

    fn len(&self) -> usize {
        self.lanes.iter().map(|lane| lane.queued).sum()
    }

    fn remove(&mut self, id: OperationId) -> Option<Queued<T, Lane>> {
        for queue in self.levels.iter_mut().flatten() {
            if let Some(at) = queue.iter().position(|entry| entry.id == id) {
                let removed = queue.remove(at)?;
                self.lanes[removed.key.index].queued -= 1;
                return Some(removed);
            }
        }
        None
    }

    fn take_all(&mut self) -> Vec<Queued<T, Lane>> {
        let mut all: Vec<_> = self.levels.iter_mut().flatten().flat_map(|queue| queue.drain(..)).collect();
        for lane in &mut self.lanes {
            lane.queued = 0;
        }
        all.sort_by_key(|entry| entry.id);
        all
    }
}

impl LaneState {
    fn may_start(&self) -> bool {
        !self.deferred && self.running < self.max_concurrency
    }

    fn ready(&self) -> usize {
        if self.deferred { 0 } else { self.queued.min(self.max_concurrency.saturating_sub(self.running)) }
    }
}

#[cfg(test)]
mod tests;
