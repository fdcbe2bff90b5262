//! How operations end, or go back to the queue.

use std::collections::VecDeque;
use std::sync::Arc;

use dayfly_signal::Signal;
use tokio::time::Instant;

use super::super::attempt_end::{AttemptEnd, AttemptEndOf, Finished};
use super::super::effects::Effects;
use super::super::seats::{Claimed, Next, Sitting};
use super::super::tally::Finish;
use super::Core;
use crate::OperationSnapshot;
use crate::schedule::{Queued, Schedule};
use crate::window::{Details, Record};

/// Nothing to be remembered of an attempt.
pub(super) const NO_SIGNALS: Option<fn(&mut Vec<Signal>)> = None;

/// What a worker has to tell: which of its operations have ended, and which it has not begun and gives back.
pub(in super::super) struct Returns<S: Schedule> {
    /// In the order in which they ended.
    pub(in super::super) ended: Vec<Ended>,
    /// What has become of those that did not just complete, in the same order.
    pub(in super::super) ends: VecDeque<AttemptEndOf<S>>,
    pub(in super::super) unstarted: Vec<Claimed<S::Item, S::Key>>,
}

/// The end of one attempt at this seat; the body is gone already.
#[derive(Clone, Copy)]
pub(in super::super) enum Ended {
    /// The body completed and nothing else is to be done: most of them.
    Plainly(usize),
    Otherwise(usize),
}

impl<S: Schedule> Core<S>
where
    S::Key: Clone,
{
    /// Takes in what a worker has to tell since its last visit.
    pub(in super::super) fn settle(
        &mut self,
        worker: usize,
        returns: &mut Returns<S>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        self.note_starts_of(worker, effects);
        for ended in returns.ended.drain(..) {
            match ended {
                Ended::Plainly(seat) => self.complete((worker, seat), now, effects),
                Ended::Otherwise(seat) => {
                    let Some(end) = returns.ends.pop_front() else { break };
                    self.finish((worker, seat), end, now, effects);
                }
            }
        }
        // The last comes first, so that the order of the claim is the order of the queue again.
        for claimed in returns.unstarted.drain(..).rev() {
            if let Some(occupant) = self.seats.vacate(worker, claimed.seat) {
                let is_killed = self.seats.shared(worker, claimed.seat).is_killed(occupant.generation);
                let entry = occupant.queued(claimed.item);
                if is_killed || self.ends_unstarted() {
                    self.schedule.ended(&entry.key, entry.place);
                    // Its turn had come when it was found killed, so its place is free already.
                    if !self.seats.has_left_queue(worker, claimed.turn) {
                        effects.left_queue.push(entry.place.key);
                    }
                    self.end_unstarted(entry, Finish::Cancelled, now, effects);
                } else {
                    self.schedule.put_back(entry);
                }
            }
        }
    }

    /// The short way for what has completed.
    #[inline]
    fn complete(&mut self, (worker, seat): (usize, usize), now: Instant, effects: &mut Effects<S>) {
        let Some(Sitting { occupant, shared, .. }) = self.seats.get(worker, seat) else { return };
        self.schedule.ended(&occupant.key, occupant.place);
        let details = if shared.recent.is_empty() {
            None
        } else {
            self.window.details(None, Some(|signals: &mut Vec<Signal>| shared.recent.take(signals)))
        };
        let ended = occupant.record(Finish::Completed, details, now);
        self.seats.free(worker, seat);
        self.remember(Finish::Completed, ended, effects);
    }

    /// A running attempt has ended. One that is to go on has its place in the queue.
    fn finish(
        &mut self,
        (worker, seat): (usize, usize),
        end: AttemptEndOf<S>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        let Some(Sitting { occupant, shared, .. }) = self.seats.get(worker, seat) else { return };
        let recent = |signals: &mut Vec<Signal>| shared.recent.take(signals);
        let recent = (!shared.recent.is_empty()).then_some(recent);
        match end {
            AttemptEnd::Finished(Finished { finish, error, answer }) => {
                self.schedule.ended(&occupant.key, occupant.place);
                effects.answers.extend(answer);
                let ended = occupant.record(finish, self.window.details(error, recent), now);
                self.seats.free(worker, seat);
                self.remember(finish, ended, effects);
            }
            AttemptEnd::Again { item, .. }
                if self.ends_unstarted()
                    || shared.is_killed(occupant.generation)
                    || matches!(occupant.next, Next::Failed(_)) =>
            {
                self.schedule.ended(&occupant.key, occupant.place);
                let (finish, error) = match &occupant.next {
                    Next::Failed(error) => (Finish::Failed, Some(Arc::clone(error))),
                    Next::AsAsked | Next::AtOnce => (Finish::Cancelled, None),
                };
                let ended = occupant.record(finish, self.window.details(error, recent), now);
                self.seats.free(worker, seat);
                effects.discarded.push((item, ended.snapshot()));
                self.remember(finish, ended, effects);
            }
            AttemptEnd::Again { item, after } => {
                // A record shows what its newest attempt raised.
                if let Some(recent) = recent {
                    recent(&mut Vec::new());
                }
                self.tally.again += 1;
                self.schedule.again(&occupant.key, occupant.place);
                effects.came_back.push(occupant.place.key);
                let due = match occupant.next {
                    Next::AtOnce => Some(now),
                    // Beyond the clock's range is never.
                    _ => now.checked_add(after),
                };
                if let Some(occupant) = self.seats.vacate(worker, seat) {
                    self.waiting.insert(due, occupant.queued_again(item, due.unwrap_or(now)));
                }
                effects.nudge_keeper = true;
                self.return_due(now);
            }
        }
    }

    /// A worker's task is gone, and what it had in its hands with it.
    pub(in super::super) fn lose(
        &mut self,
        worker: usize,
        returns: &mut Returns<S>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        // Only a runtime that shuts down drops a worker.
        self.cancel(now, effects);
        self.settle(worker, returns, now, effects);
        for seat in self.seats.taken_by(worker) {
            self.finish((worker, seat), AttemptEnd::cancelled(), now, effects);
        }
    }

    pub(super) fn end_queued(
        &mut self,
        entry: Queued<S::Item, S::Key>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        effects.left_queue.push(entry.place.key);
        self.end_unstarted(entry, Finish::Cancelled, now, effects);
    }

    pub(super) fn end_unstarted(
        &mut self,
        entry: Queued<S::Item, S::Key>,
        finish: Finish,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        let ended = self.end(entry, finish, None, now, effects);
        effects.discarded.push(ended);
    }

    /// Ends an operation that is in nobody's hands. Its item is the caller's.
    pub(super) fn end(
        &mut self,
        entry: Queued<S::Item, S::Key>,
        finish: Finish,
        details: Option<Box<Details>>,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> (S::Item, OperationSnapshot<S::Key>) {
        let ended = Record {
            id: entry.id,
            key: entry.key,
            state: finish.state(),
            attempt: entry.attempts,
            enqueued_at: entry.enqueued_at,
            started_at: None,
            finished_at: now,
            details,
            is_own_id: entry.is_own_id,
        };
        let snapshot = ended.snapshot();
        self.remember(finish, ended, effects);
        (entry.item, snapshot)
    }

    /// The one place where an operation ends.
    #[expect(
        clippy::inline_always,
        reason = "its record is written where it stays, instead of being moved there"
    )]
    #[inline(always)]
    fn remember(&mut self, finish: Finish, ended: Record<S::Key>, effects: &mut Effects<S>) {
        self.tally.count(finish);
        if ended.is_own_id {
            effects.own_ids.push(ended.id);
        }
        if effects.announces_finish {
            effects.finished.push(ended.snapshot());
        }
        self.window.push(ended);
    }
}
