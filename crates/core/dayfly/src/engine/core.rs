//! The engine without its lock, its tasks and its clock: every decision about operations is taken here.
//!
//! ```text
//! accept -> queued -> claim -> running -> finish -> window
//!              ^                  |
//!              |    due           | again
//!              +------- waiting <-+
//! ```
//!
//! What must not happen under a lock (waking, cancelling, dropping items) is put into [`Effects`].

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::{OperationId, Signal, SignalSink};
use tokio::time::Instant;

use super::attempt_end::{AttemptEnd, Finished};
use super::board::Board;
use super::deferral::Deferral;
use super::effects::Effects;
use super::gates::Gates;
use super::seats::{Claimed, Seats, Sitting};
use super::tally::{Finish, Tally};
use crate::gate::{Gate, earlier};
use crate::schedule::{Queued, Schedule};
use crate::window::{Record, Window};
use crate::{AfterDeferral, DrainReport, Echo, OperationSnapshot, OperationState, PinError, Stats};

/// How far the coordinator has come towards its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Work is taken in.
    Open,
    /// Intake has ended; what was accepted is finished.
    Closed,
    /// What runs has been told to stop, and is dropped at the deadline.
    Cancelling { deadline: Instant },
    /// What still runs is being dropped.
    Killing,
}

pub(super) struct Core<S: Schedule> {
    schedule: S,
    /// What the inbox handed over, on its way into the schedule.
    supply: VecDeque<Queued<S::Item, S::Key>>,
    /// Operations that wait for the time of their next attempt.
    waiting: BTreeMap<(Instant, OperationId), Queued<S::Item, S::Key>>,
    seats: Seats<S::Key>,
    window: Window<S::Key>,
    tally: Tally,
    gates: Gates<S::Key>,
    deferral: Deferral,
    signals: SignalSink,
    limit: usize,
    paused: bool,
    phase: Phase,
    cancel_at: Option<Instant>,
    grace: Duration,
}

/// What a worker has to tell: which of its operations have ended, and which it has not begun and gives back.
pub(super) struct Returns<S: Schedule> {
    pub(super) ended: Vec<Ended<S::Item>>,
    pub(super) unstarted: Vec<Claimed<S::Item, S::Key>>,
}

/// The end of one attempt; the body is gone already.
pub(super) struct Ended<T> {
    pub(super) seat: usize,
    pub(super) end: AttemptEnd<T>,
}

impl<S: Schedule> Core<S>
where
    S::Key: Clone,
{
    pub(super) fn new(schedule: S, setup: Setup<S::Key>) -> Self {
        Self {
            schedule,
            supply: VecDeque::new(),
            waiting: BTreeMap::new(),
            seats: Seats::new(setup.boards.into_iter()),
            window: setup.window,
            tally: Tally::default(),
            gates: setup.gates,
            deferral: Deferral::new(setup.max_deferral),
            signals: setup.signals,
            limit: setup.limit,
            paused: false,
            phase: Phase::Open,
            cancel_at: None,
            grace: setup.grace,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether nothing that the core knows of is pending or runs.
    pub(super) fn is_idle(&self) -> bool {
        self.seats.taken() == 0 && self.schedule.len() == 0 && self.waiting.is_empty()
    }

    /// Takes over what the inbox has: every visit begins with this, so that what was accepted first is known first.
    pub(super) fn absorb(&mut self, take: impl FnOnce(&mut VecDeque<Queued<S::Item, S::Key>>)) {
        take(&mut self.supply);
        self.tally.report.accepted += self.supply.len() as u64;
        self.schedule.push_all(&mut self.supply);
    }

    /// Whether something that is accepted now could start at once.
    pub(super) fn may_start(&self) -> bool {
        !self.paused && self.seats.taken() < self.limit && !self.is_shut()
    }

    /// How many operations could start now, as far as the schedule knows; at least 1 when any could.
    pub(super) fn startable(&self) -> usize {
        if self.may_start() { self.schedule.ready().min(self.limit - self.seats.taken()) } else { 0 }
    }

    fn is_shut(&self) -> bool {
        self.gates.are_shut() && self.deferral.is_settled()
    }

    /// Takes in what a worker has to tell since its last visit.
    pub(super) fn settle(
        &mut self,
        worker: usize,
        returns: &mut Returns<S>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        self.note_starts_of(worker, effects);
        for Ended { seat, end } in returns.ended.drain(..) {
            self.finish((worker, seat), end, now, effects);
        }
        // The last comes first, so that the order of the claim is the order of the queue again.
        for claimed in returns.unstarted.drain(..).rev() {
            if let Some(occupant) = self.seats.vacate(worker, claimed.seat) {
                let is_killed = self.seats.shared(worker, claimed.seat).is_killed(occupant.generation);
                let entry = occupant.queued(claimed.item);
                if is_killed || self.is_cancelling() {
                    self.schedule.ended(&entry.key);
                    // Its turn had come when it was found killed, so its place is free already.
                    if !self.seats.has_left_queue(worker, claimed.turn) {
                        effects.left_queue.push(entry.key.clone());
                    }
                    self.end_unstarted(entry, Finish::Cancelled, now, effects);
                } else {
                    self.schedule.put_back(entry);
                }
            }
        }
    }

    /// Gives back the places of what has started since the last look.
    pub(super) fn note_starts(&mut self, effects: &mut Effects<S>) {
        for worker in 0..self.seats.workers() {
            self.note_starts_of(worker, effects);
        }
    }

    fn note_starts_of(&mut self, worker: usize, effects: &mut Effects<S>) {
        self.seats.leave_queue(worker, |key| effects.left_queue.push(key.clone()));
    }

    /// Claims the next starts for a worker whose hands are empty. What is skipped instead counts as one of them; says
    /// whether anything came of it.
    pub(super) fn claim(
        &mut self,
        worker: usize,
        most: usize,
        now: Instant,
        claimed: &mut VecDeque<Claimed<S::Item, S::Key>>,
        effects: &mut Effects<S>,
    ) -> bool {
        self.seats.begin(worker);
        self.look_at_gates(now);
        let mut came = false;
        for _ in 0..most.min(self.schedule.most_at_once()) {
            if self.paused || self.seats.taken() >= self.limit {
                break;
            }
            let (deferral, gates) = (&mut self.deferral, &self.gates);
            let next = self.schedule.next(now, |entry| {
                deferral.bound(gates.of(&entry.key), now, || {
                    gates.deferred_at(&entry.key).max(Some(entry.ready_at)).unwrap_or(entry.ready_at)
                })
            });
            let Some((entry, gate)) = next else { break };
            came = true;
            if gate == Gate::Cancelled {
                self.schedule.ended(&entry.key);
                effects.left_queue.push(entry.key.clone());
                self.end_unstarted(entry, Finish::Skipped, now, effects);
            } else {
                claimed.push_back(self.seats.claim(worker, entry, now));
            }
        }
        effects.nudge_keeper |= self.deferral.has_new_due();
        came
    }

    /// A running attempt has ended. One that is to go on has its place in the queue.
    fn finish(
        &mut self,
        (worker, seat): (usize, usize),
        end: AttemptEnd<S::Item>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        let Some(Sitting { occupant, shared, .. }) = self.seats.get(worker, seat) else { return };
        let recent = |signals: &mut Vec<Signal>| shared.recent.take(&self.signals, signals);
        let recent = (!shared.recent.is_empty()).then_some(recent);
        match end {
            AttemptEnd::Finished(Finished { finish, error, answer }) => {
                self.schedule.ended(&occupant.key);
                effects.answers.extend(answer);
                let ended = occupant.record(finish, self.window.details(error, recent), now);
                self.seats.free(worker, seat);
                self.remember(finish, ended, effects);
            }
            AttemptEnd::Again { item, .. }
                if self.is_cancelling() || shared.is_killed(occupant.generation) =>
            {
                self.schedule.ended(&occupant.key);
                let ended = occupant.record(Finish::Cancelled, self.window.details(None, recent), now);
                self.seats.free(worker, seat);
                self.remember(Finish::Cancelled, ended, effects);
                effects.discarded.push((item, Finish::Cancelled));
            }
            AttemptEnd::Again { item, after } => {
                // A record shows what its newest attempt raised.
                if let Some(recent) = recent {
                    recent(&mut Vec::new());
                }
                self.tally.again += 1;
                self.schedule.again(&occupant.key);
                effects.came_back.push(occupant.key.clone());
                let due = far_enough(now, after);
                if let Some(occupant) = self.seats.vacate(worker, seat) {
                    let entry = occupant.queued_again(item, due);
                    self.waiting.insert((due, entry.id), entry);
                }
                effects.nudge_keeper = true;
                self.return_due(now);
            }
        }
    }

    /// A worker's task is gone, and what it had in its hands with it.
    pub(super) fn lose(
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

    /// Does what time and signals ask for. Says when it must be called again if nothing happens before.
    pub(super) fn tick(&mut self, now: Instant, effects: &mut Effects<S>) -> Option<Instant> {
        self.return_due(now);
        self.look_at_gates(now);
        if self.cancel_at.is_some_and(|at| at <= now) {
            self.cancel(now, effects);
        }
        if let Phase::Cancelling { deadline } = self.phase
            && deadline <= now
        {
            self.phase = Phase::Killing;
            effects.killed.extend(self.seats.iter().map(|sitting| sitting.grip()));
        }
        let deadline = match self.phase {
            Phase::Cancelling { deadline } => Some(deadline),
            Phase::Open | Phase::Closed | Phase::Killing => self.cancel_at,
        };
        let due = self.waiting.keys().next().map(|&(due, _)| due);
        earlier(earlier(deadline, due), earlier(self.gates.recheck_at(), self.deferral.due()))
    }

    pub(super) fn close(&mut self) {
        if self.phase == Phase::Open {
            self.phase = Phase::Closed;
        }
    }

    /// Closes, and cancels what is left at `deadline`.
    pub(super) fn close_by(&mut self, deadline: Option<Instant>) {
        self.close();
        self.cancel_at = earlier(self.cancel_at, deadline);
    }

    /// Ends intake, ends what has not started, and tells what runs to stop.
    pub(super) fn cancel(&mut self, now: Instant, effects: &mut Effects<S>) {
        if self.is_cancelling() {
            return;
        }
        self.cancel_at = None;
        self.phase = Phase::Cancelling { deadline: far_enough(now, self.grace) };
        let waiting = std::mem::take(&mut self.waiting);
        for entry in waiting.into_values() {
            self.schedule.gave_up(&entry.key);
            self.end_queued(entry, now, effects);
        }
        for entry in self.schedule.take_all() {
            self.end_queued(entry, now, effects);
        }
        effects.cancelled.extend(self.seats.iter().map(|sitting| sitting.grip()));
    }

    /// Ends one operation: removed if it has not started, dropped at its next suspension if it runs.
    pub(super) fn kill(&mut self, id: OperationId, now: Instant, effects: &mut Effects<S>) -> bool {
        if let Some(sitting) = self.seats.find(id) {
            // One that was claimed and has not started comes back unstarted, and ends then. Marked at once: it may come
            // back before the lock is free for long enough to wake anybody, and would go on under another generation.
            sitting.shared.doom(sitting.occupant.generation);
            effects.killed.push(sitting.grip());
            return true;
        }
        let waits = self.waiting.keys().find(|(_, waiting)| *waiting == id).copied();
        let waiting = waits.and_then(|place| self.waiting.remove(&place));
        if let Some(entry) = &waiting {
            self.schedule.gave_up(&entry.key);
        }
        let entry = waiting.or_else(|| self.schedule.remove(id));
        let found = entry.is_some();
        if let Some(entry) = entry {
            self.end_queued(entry, now, effects);
        }
        found
    }

    pub(super) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
    }

    pub(super) fn schedule(&self) -> &S {
        &self.schedule
    }

    /// The schedule, for what only its own shell knows to ask of it.
    pub(super) fn schedule_mut(&mut self) -> &mut S {
        &mut self.schedule
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// The figures, with what only the inbox knows left out.
    pub(super) fn stats(&self) -> Stats {
        let counts = self.seats.counts();
        let settled = self.tally.stats();
        Stats {
            pending: (self.schedule.len() + self.waiting.len() + counts.unstarted) as u64,
            waiting: self.waiting.len() as u64,
            running: counts.running as u64,
            completed: settled.completed + counts.completed as u64,
            max_concurrency: self.limit,
            paused: self.paused,
            closed: !self.is_open(),
            ..settled
        }
    }

    pub(super) fn report(&self) -> DrainReport {
        self.tally.report
    }

    pub(super) fn get(
        &mut self,
        id: OperationId,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> Option<OperationSnapshot<S::Key>> {
        self.shrink_window(now, effects);
        match self.seats.find(id) {
            Some(sitting) => sitting.snapshot(&self.signals, now),
            None => self.window.get(id),
        }
    }

    pub(super) fn pin(
        &mut self,
        id: OperationId,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> Result<(), PinError> {
        match self.get(id, now, effects) {
            Some(_) => self.window.pin(id),
            None => Err(PinError::Unknown),
        }
    }

    pub(super) fn unpin(&mut self, id: OperationId, now: Instant, effects: &mut Effects<S>) -> bool {
        let (was_pinned, left) = self.window.unpin(id, now);
        effects.evicted.extend(left);
        was_pinned
    }

    pub(super) fn echoes(&mut self, now: Instant, effects: &mut Effects<S>) -> Vec<Echo> {
        self.shrink_window(now, effects);
        self.window.echoes(now)
    }

    /// Running and finished operations that `wanted` picks by their state, listed by id.
    pub(super) fn list(
        &mut self,
        wanted: impl Fn(OperationState) -> bool,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> Vec<OperationSnapshot<S::Key>> {
        self.shrink_window(now, effects);
        let mut list: Vec<_> =
            self.window.iter().filter(|record| wanted(record.state)).map(Record::snapshot).collect();
        let sitting = self.seats.iter().filter_map(|sitting| sitting.snapshot(&self.signals, now));
        list.extend(sitting.filter(|snapshot| wanted(snapshot.state)));
        list.sort_by_key(|snapshot| snapshot.id);
        list
    }

    /// Looks at the signals again if they may say something else, and then at what they had deferred.
    fn look_at_gates(&mut self, now: Instant) {
        let refreshed = self.gates.refresh(now);
        if self.deferral.is_due(now) || refreshed {
            self.deferral.restart();
            self.schedule.reopen();
        }
    }

    /// Returns to the schedule what has waited for long enough.
    fn return_due(&mut self, now: Instant) {
        while let Some(first) = self.waiting.first_entry().filter(|first| first.key().0 <= now) {
            self.schedule.due(first.remove());
        }
    }

    fn is_cancelling(&self) -> bool {
        matches!(self.phase, Phase::Cancelling { .. } | Phase::Killing)
    }

    fn end_queued(&mut self, entry: Queued<S::Item, S::Key>, now: Instant, effects: &mut Effects<S>) {
        effects.left_queue.push(entry.key.clone());
        self.end_unstarted(entry, Finish::Cancelled, now, effects);
    }

    fn end_unstarted(
        &mut self,
        entry: Queued<S::Item, S::Key>,
        finish: Finish,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        let ended = Record {
            id: entry.id,
            key: entry.key.clone(),
            state: finish.state(),
            attempt: entry.attempts,
            enqueued_at: entry.enqueued_at,
            started_at: None,
            finished_at: now,
            details: None,
        };
        self.remember(finish, ended, effects);
        effects.discarded.push((entry.item, finish));
    }

    /// The one place where an operation ends.
    fn remember(&mut self, finish: Finish, ended: Record<S::Key>, effects: &mut Effects<S>) {
        self.tally.count(finish);
        if effects.announces_finish {
            effects.finished.push(ended.snapshot());
        }
        self.window.push(ended);
    }

    /// Lets go what the window has no place for; every change ends with this.
    pub(super) fn shrink_window(&mut self, now: Instant, effects: &mut Effects<S>) {
        // A key's drop is foreign code, which must not run under the lock.
        let is_kept = effects.announces_evict || std::mem::needs_drop::<S::Key>();
        self.window.shrink(now, is_kept.then_some(&mut effects.evicted));
    }
}

/// What a core is made of, its schedule aside.
pub(super) struct Setup<K> {
    pub(super) window: Window<K>,
    pub(super) gates: Gates<K>,
    pub(super) max_deferral: Option<(Duration, AfterDeferral)>,
    pub(super) signals: SignalSink,
    pub(super) boards: Vec<Arc<Board>>,
    pub(super) limit: usize,
    pub(super) grace: Duration,
}

/// `after` from now; what lies beyond the clock's range is cut to a year, which nobody will see the end of.
pub(super) fn far_enough(now: Instant, after: Duration) -> Instant {
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3_600))
}
