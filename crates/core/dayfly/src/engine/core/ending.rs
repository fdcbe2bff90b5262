//! How operations end, or go back to the queue.

use std::collections::VecDeque;
use std::sync::Arc;

use dayfly_signal::{OperationId, Signal};
use tokio::time::Instant;

use super::super::attempt_end::{AttemptEnd, AttemptEndOf, Finished};
use super::super::effects::Effects;
use super::super::seats::{Claimed, Next, Sitting};
use super::super::tally::Finish;
use super::Core;
use crate::OperationSnapshot;
use crate::contain::{copy, drop_one};
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
            let Claimed { seat, turn, key, item, .. } = claimed;
            drop_one(key);
            if let Some(occupant) = self.seats.vacate(worker, seat) {
                let is_killed = self.seats.shared(worker, seat).is_killed(occupant.generation);
                let entry = occupant.queued(item);
                if is_killed || self.ends_unstarted() {
                    self.schedule.ended(&entry.key, entry.place);
                    // Its turn had come when it was found killed, so its place is free already.
                    if !self.seats.has_left_queue(worker, turn) {
                        effects.left_queue.push(entry.place.key);
                    }
                    let ended = self.record_unstarted(entry, Finish::Cancelled, None, now, effects);
                    effects.discarded.push(ended);
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
        self.tally.count(Finish::Completed);
        if let Some(id) = occupant.own_id() {
            effects.own_ids.push(id);
        }
        let Some(key) = copy(&occupant.key) else { return self.seats.free(worker, seat) };
        let ended = occupant.record(key, Finish::Completed, details, now);
        self.seats.free(worker, seat);
        self.remember(ended, effects);
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
        match end {
            AttemptEnd::Finished(Finished { finish, error, answer }) => {
                effects.answers.extend(answer);
                if let Some(ended) = self.end_seated((worker, seat), finish, error, now, effects) {
                    self.remember(ended, effects);
                }
            }
            AttemptEnd::Again { item, .. }
                if self.ends_unstarted()
                    || shared.is_killed(occupant.generation)
                    || matches!(occupant.next, Next::Failed(_)) =>
            {
                let (finish, error) = match &occupant.next {
                    Next::Failed(error) => (Finish::Failed, Some(Arc::clone(error))),
                    Next::AsAsked | Next::AtOnce => (Finish::Cancelled, None),
                };
                let ended = self.end_seated((worker, seat), finish, error, now, effects);
                effects.discarded.push((item, ended.as_ref().and_then(Record::try_snapshot)));
                if let Some(ended) = ended {
                    self.remember(ended, effects);
                }
            }
            AttemptEnd::Again { item, after } => {
                // A record shows what its newest attempt raised.
                if !shared.recent.is_empty() {
                    shared.recent.take(&mut Vec::new());
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

    /// Ends an operation in a worker's hands, for the caller to remember; nothing remembers one whose key cannot be copied.
    fn end_seated(
        &mut self,
        (worker, seat): (usize, usize),
        finish: Finish,
        error: Option<Arc<str>>,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> Option<Record<S::Key>> {
        let Sitting { occupant, shared, .. } = self.seats.get(worker, seat)?;
        self.schedule.ended(&occupant.key, occupant.place);
        let recent = |signals: &mut Vec<Signal>| shared.recent.take(signals);
        let details = self.window.details(error, (!shared.recent.is_empty()).then_some(recent));
        let ended = copy(&occupant.key).map(|key| occupant.record(key, finish, details, now));
        let own_id = occupant.own_id();
        self.seats.free(worker, seat);
        self.count(finish, own_id, effects);
        ended
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

    /// Returns to the schedule what has waited for long enough.
    pub(super) fn return_due(&mut self, now: Instant) {
        while let Some(entry) = self.waiting.pop_due(now) {
            self.schedule.due(entry);
        }
    }

    /// Ends what is in the queue, or waits for its next attempt.
    pub(super) fn end_queued(
        &mut self,
        entry: Queued<S::Item, S::Key>,
        finish: Finish,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        let ended = self.end(entry, finish, None, now, effects);
        effects.discarded.push(ended);
    }

    /// The same; its item is the caller's.
    pub(super) fn end(
        &mut self,
        entry: Queued<S::Item, S::Key>,
        finish: Finish,
        details: Option<Box<Details>>,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> (S::Item, Option<OperationSnapshot<S::Key>>) {
        effects.left_queue.push(entry.place.key);
        self.record_unstarted(entry, finish, details, now, effects)
    }

    /// Ends what is in the queue and whose key panics: it is counted, and nothing remembers it.
    pub(super) fn end_forgotten(&mut self, entry: Queued<S::Item, S::Key>, effects: &mut Effects<S>) {
        self.count(Finish::Panicked, entry.is_own_id.then_some(entry.id), effects);
        effects.left_queue.push(entry.place.key);
        effects.gone.push(entry.key);
        effects.discarded.push((entry.item, None));
    }

    /// Ends an operation that is in nobody's hands and has left the queue.
    fn record_unstarted(
        &mut self,
        entry: Queued<S::Item, S::Key>,
        finish: Finish,
        details: Option<Box<Details>>,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> (S::Item, Option<OperationSnapshot<S::Key>>) {
        let ended = Record {
            id: entry.id,
            key: entry.key,
            state: finish.state(),
            attempt: entry.attempts,
            enqueued_at: entry.enqueued_at,
            started_at: None,
            finished_at: now,
            details,
        };
        let snapshot = ended.try_snapshot();
        self.count(finish, entry.is_own_id.then_some(entry.id), effects);
        self.remember(ended, effects);
        (entry.item, snapshot)
    }

    /// What an operation's end means to all but the window.
    #[inline]
    fn count(&mut self, finish: Finish, own_id: Option<OperationId>, effects: &mut Effects<S>) {
        self.tally.count(finish);
        effects.own_ids.extend(own_id);
    }

    /// What has ended can be seen from now on.
    #[expect(
        clippy::inline_always,
        reason = "its record is written where it stays, instead of being moved there"
    )]
    #[inline(always)]
    fn remember(&mut self, ended: Record<S::Key>, effects: &mut Effects<S>) {
        if effects.announces_finish {
            effects.finished.extend(ended.try_snapshot());
        }
        self.window.push(ended);
    }
}
