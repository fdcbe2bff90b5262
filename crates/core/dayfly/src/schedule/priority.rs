//! Lanes in order: the next start is always from the highest lane that may run, and what waits long enough rises.
//!
//! An operation belongs to its own lane for limits and gates, whatever level it has risen to. On each level stand,
//! apart, the operations of every lane that have come to it; among those that may start the one that arrived first is
//! next. Rising is applied when somebody looks, so it needs no timer.

use std::collections::VecDeque;
use std::time::Duration;

use dayfly_signal::{OperationId, Verdict};
use tokio::time::Instant;

use super::{Place, Queued, Schedule, Turn, put_back_into};
use crate::Lane;

#[derive(Debug)]
pub(crate) struct Priority<T> {
    lanes: Vec<LaneState>,
    /// By level, and on a level by own lane: operations in the order of their arrival.
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
                let is_due =
                    |entry: &Queued<T, Lane>| now.saturating_duration_since(entry.enqueued_at) >= age;
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

    fn push(&mut self, entry: Queued<T, Lane>) -> Option<Queued<T, Lane>> {
        let own = entry.key.index;
        self.lanes[own].queued += 1;
        self.levels[own][own].push_back(entry);
        None
    }

    fn put_back(&mut self, entry: Queued<T, Lane>) {
        let own = entry.key.index;
        self.lanes[own].queued += 1;
        self.lanes[own].running -= 1;
        // Should it have risen, it rises again as soon as somebody looks.
        put_back_into(&mut self.levels[own][own], entry);
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
                let first = |own: usize| self.levels[level][own].front().map(|entry| (entry.id, own));
                let Some((_, own)) = (0..self.lanes.len()).filter(may_start).filter_map(first).min() else {
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

    fn due(&mut self, entry: Queued<T, Lane>) -> Option<Queued<T, Lane>> {
        self.push(entry)
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
mod tests {
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;

    const LANES: usize = 3;
    const AGE_AFTER: u64 = 10;

    fn lane(index: usize) -> Lane {
        Lane { index, name: Arc::from(["high", "middle", "low"][index]) }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Push(usize),
        Start,
        End(usize),
        Defer(usize),
        Release,
        Advance(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            5 => (0..LANES).prop_map(Step::Push),
            4 => Just(Step::Start),
            3 => any::<usize>().prop_map(Step::End),
            1 => (0..LANES).prop_map(Step::Defer),
            1 => Just(Step::Release),
            3 => (0..8_u64).prop_map(Step::Advance),
        ]
    }

    /// Every operation as (own lane, number, arrival); the next is the one with the least (level, number).
    fn run(limits: [usize; LANES], steps: Vec<Step>) -> Result<(), TestCaseError> {
        let start = Instant::now();
        let mut schedule = Priority::new(limits, Some(Duration::from_secs(AGE_AFTER)));
        let (mut queued, mut running) = (Vec::<(usize, u64, u64)>::new(), Vec::<usize>::new());
        let (mut deferred, mut now, mut arrivals) = ([false; LANES], 0, 0);
        for step in steps {
            match step {
                Step::Advance(seconds) => now += seconds,
                Step::Defer(index) => deferred[index] = true,
                Step::Release => {
                    deferred = [false; LANES];
                    schedule.reopen();
                }
                Step::Push(index) => {
                    arrivals += 1;
                    queued.push((index, arrivals, now));
                    schedule.push(Queued {
                        id: OperationId::from_u64(arrivals).unwrap(),
                        is_own_id: false,
                        key: lane(index),
                        place: Place::default(),
                        item: (),
                        enqueued_at: start + Duration::from_secs(now),
                        ready_at: start,
                        attempts: 0,
                        claim: 0,
                    });
                }
                Step::End(at) => {
                    if !running.is_empty() {
                        schedule.ended(&lane(running.remove(at % running.len())), Place::default());
                    }
                }
                Step::Start => {
                    let at = start + Duration::from_secs(now);
                    let gate = |entry: &Queued<(), Lane>| {
                        if deferred[entry.key.index] { Verdict::Deferred } else { Verdict::Open }
                    };
                    let next = schedule.next(at, gate).map(|(entry, _)| (entry.key.index, entry.id.get()));
                    let may = |own: usize| {
                        !deferred[own] && running.iter().filter(|lane| **lane == own).count() < limits[own]
                    };
                    let level = |own: usize, arrival: u64| {
                        own.saturating_sub(usize::try_from((now - arrival) / AGE_AFTER).unwrap())
                    };
                    let wanted = queued
                        .iter()
                        .filter(|(own, _, _)| may(*own))
                        .min_by_key(|(own, number, arrival)| (level(*own, *arrival), *number))
                        .map(|(own, number, _)| (*own, *number));
                    prop_assert_eq!(next, wanted);
                    if let Some((own, number)) = wanted {
                        queued.retain(|entry| entry.1 != number);
                        running.push(own);
                    }
                }
            }
            prop_assert_eq!(schedule.len(), queued.len());
            let may = |own: usize| {
                !deferred[own] && running.iter().filter(|lane| **lane == own).count() < limits[own]
            };
            prop_assert!(schedule.ready() > 0 || !queued.iter().any(|(own, _, _)| may(*own)));
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 1_024, ..ProptestConfig::default() })]

        #[test]
        fn the_next_start_is_the_one_that_the_rules_name(steps in prop::collection::vec(step(), 1..100)) {
            run([usize::MAX, 2, 1], steps)?;
        }
    }
}
