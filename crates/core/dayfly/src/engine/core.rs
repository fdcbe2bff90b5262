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

mod ending;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::{OperationId, Verdict};
use tokio::time::Instant;

use self::ending::NO_SIGNALS;
pub(super) use self::ending::{Ended, Returns};
use super::board::{Board, Progress};
use super::deferral::{Deferral, earlier};
use super::effects::Effects;
use super::gates::Gates;
use super::seats::{Claimed, Next, Seats};
use super::tally::{Finish, Tally};
use super::waiting::Waiting;
use crate::contain::{copy, drop_one};
use crate::schedule::{Queued, Schedule};
use crate::window::{Record, Window};
use crate::{
    AfterDeferral, CoordinatorOptions, DrainReport, Echo, OperationSnapshot, OperationState, PinError, Stats,
};

/// How far the coordinator has come towards its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Work is taken in.
    Open,
    /// Intake has ended; what was accepted is finished.
    Closed,
    /// What had not started has ended; what runs is let run, once.
    Finishing,
    /// What runs has been told to stop, and is dropped at the deadline.
    Cancelling { deadline: Instant },
    /// What still runs is being dropped.
    Killing,
}

/// How long producers stand in line at most although there is room, with bodies that may block.
const LET_IN_AFTER: Duration = Duration::from_millis(1);

pub(super) struct Core<S: Schedule> {
    schedule: S,
    /// What the inbox handed over, on its way into the schedule.
    supply: VecDeque<Queued<S::Item, S::Key>>,
    /// Operations that wait for the time of their next attempt.
    waiting: Waiting<S::Item, S::Key>,
    seats: Seats<S::Key>,
    window: Window<S::Key>,
    tally: Tally,
    gates: Gates<S::Key>,
    deferral: Deferral,
    limit: usize,
    paused: bool,
    phase: Phase,
    cancel_at: Option<Instant>,
    /// When producers are to be let in at the latest that stand in line although there is room.
    let_in_at: Option<Instant>,
    grace: Duration,
}

impl<S: Schedule> Core<S>
where
    S::Key: Clone,
{
    pub(super) fn new(schedule: S, setup: Setup<S::Key>) -> Self {
        Self {
            schedule,
            supply: VecDeque::new(),
            waiting: Waiting::new(),
            seats: Seats::new(setup.boards.into_iter()),
            window: setup.window,
            tally: Tally::default(),
            gates: setup.gates,
            deferral: Deferral::new(setup.max_deferral),
            limit: setup.limit,
            paused: false,
            phase: Phase::Open,
            cancel_at: None,
            let_in_at: None,
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
        if self.supply.is_empty() {
            return;
        }
        self.tally.report.accepted += self.supply.len() as u64;
        self.schedule.push_all(&mut self.supply);
    }

    /// Takes in one operation that does not come through the inbox.
    pub(super) fn accept(&mut self, entry: Queued<S::Item, S::Key>) {
        self.tally.report.accepted += 1;
        self.schedule.push(entry);
    }

    /// Whether nothing runs or is queued, and whatever is accepted now starts at once.
    pub(super) fn is_free(&mut self, now: Instant) -> bool {
        let is_empty = self.seats.taken() == 0 && self.schedule.len() == 0;
        if !is_empty || self.paused || !self.is_open() {
            return false;
        }
        self.look_at_gates(now);
        self.gates.are_open()
    }

    /// Whether something that is accepted now could start, or be skipped, at once.
    pub(super) fn may_start(&self) -> bool {
        !self.paused && (self.has_slot() || self.gates.cancel_all()) && !self.is_shut()
    }

    fn has_slot(&self) -> bool {
        self.seats.taken() < self.limit
    }

    /// How many operations could start now, as far as the schedule knows; at least 1 when any could.
    pub(super) fn startable(&self) -> usize {
        let most =
            if self.gates.cancel_all() { usize::MAX } else { self.limit.saturating_sub(self.seats.taken()) };
        if self.may_start() { self.schedule.ready().min(most) } else { 0 }
    }

    fn is_shut(&self) -> bool {
        self.gates.are_shut() && self.deferral.is_settled()
    }

    /// Gives back the places of what has started since the last look.
    pub(super) fn note_starts(&mut self, effects: &mut Effects<S>) {
        for worker in 0..self.seats.workers() {
            self.note_starts_of(worker, effects);
        }
    }

    /// Has the keeper come soon, which lets producers in as whoever comes does. Says whether it has to be told.
    pub(super) fn let_in_soon(&mut self, now: Instant) -> bool {
        let is_new = self.let_in_at.is_none();
        self.let_in_at.get_or_insert(now + LET_IN_AFTER);
        is_new
    }

    pub(super) fn note_starts_of(&mut self, worker: usize, effects: &mut Effects<S>) {
        self.seats.leave_queue(worker, &mut effects.left_queue);
    }

    /// Tells which keys have no work any more.
    pub(super) fn release_keys(&mut self, effects: &mut Effects<S>) {
        self.schedule.take_released(&mut effects.released);
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
        let gates_are_open = self.gates.are_open();
        // What is skipped needs no slot.
        let skips_all = self.gates.cancel_all();
        for _ in 0..most.min(self.schedule.most_at_once()) {
            if self.paused || !(skips_all || self.has_slot()) {
                break;
            }
            let (deferral, gates) = (&mut self.deferral, &self.gates);
            let next = self.schedule.next(now, |entry| {
                if gates_are_open {
                    return Verdict::Open;
                }
                deferral.bound(gates.of(&entry.key), now, || {
                    gates.deferred_at(&entry.key).max(Some(entry.ready_at)).unwrap_or(entry.ready_at)
                })
            });
            let Some((entry, gate)) = next else { break };
            came = true;
            if gate == Verdict::Cancelled {
                self.schedule.ended(&entry.key, entry.place);
                self.end_queued(entry, Finish::Skipped, now, effects);
            } else if let Some(key) = copy(&entry.key) {
                self.seats.claim(worker, entry, key, now, claimed);
            } else {
                self.schedule.ended(&entry.key, entry.place);
                self.end_forgotten(entry, effects);
            }
        }
        effects.nudge_keeper |= self.deferral.has_new_due();
        came
    }

    /// Does what time and signals ask for. Says when it must be called again if nothing happens before.
    pub(super) fn tick(&mut self, now: Instant, effects: &mut Effects<S>) -> Option<Instant> {
        self.return_due(now);
        self.look_at_gates(now);
        self.let_in_at = self.let_in_at.filter(|at| *at > now);
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
            Phase::Open | Phase::Closed | Phase::Finishing | Phase::Killing => self.cancel_at,
        };
        let deadline = earlier(deadline, self.let_in_at);
        earlier(
            earlier(deadline, self.waiting.first_due()),
            earlier(self.gates.recheck_at(), self.deferral.due()),
        )
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
        self.end_unstarted_ones(now, effects);
        self.phase = Phase::Cancelling { deadline: far_enough(now, self.grace) };
        effects.cancelled.extend(self.seats.iter().map(|sitting| sitting.grip()));
    }

    /// Ends intake, and ends what has not started. What runs ends by itself; nothing of it is tried again.
    pub(super) fn cancel_unstarted(&mut self, now: Instant, effects: &mut Effects<S>) {
        if !self.ends_unstarted() {
            self.end_unstarted_ones(now, effects);
            self.phase = Phase::Finishing;
        }
    }

    /// Ends what is queued, and what waits for its next attempt.
    fn end_unstarted_ones(&mut self, now: Instant, effects: &mut Effects<S>) {
        for entry in self.waiting.take_all() {
            self.schedule.gave_up(&entry.key, entry.place);
            self.end_queued(entry, Finish::Cancelled, now, effects);
        }
        for entry in self.schedule.take_all() {
            self.end_queued(entry, Finish::Cancelled, now, effects);
        }
    }

    /// Ends one operation: removed if it has not started, dropped at its next suspension if it runs.
    pub(super) fn kill(&mut self, id: OperationId, now: Instant, effects: &mut Effects<S>) -> bool {
        if let Some(sitting) = self.seats.find(id) {
            if sitting.progress == Progress::Completed {
                return false;
            }
            // One that was claimed and has not started comes back unstarted, and ends then. Marked at once: it may come
            // back before the lock is free for long enough to wake anybody, and would go on under another generation.
            sitting.shared.doom(sitting.occupant.generation);
            effects.killed.push(sitting.grip());
            return true;
        }
        let waiting = self.waiting.remove(id);
        if let Some(entry) = &waiting {
            self.schedule.gave_up(&entry.key, entry.place);
        }
        let entry = waiting.or_else(|| self.schedule.remove(id));
        let found = entry.is_some();
        if let Some(entry) = entry {
            self.end_queued(entry, Finish::Cancelled, now, effects);
        }
        found
    }

    /// Ends an operation's wait for its next attempt, also the wait that one in a worker's hands will ask for.
    pub(super) fn hasten(&mut self, id: OperationId, now: Instant) -> bool {
        if let Some(entry) = self.waiting.remove(id) {
            self.schedule.due(Queued { ready_at: now, ..entry });
            return true;
        }
        self.seats.set_next(id, Next::AtOnce)
    }

    /// Ends an operation as failed that waits for its next attempt, or that asks for one when it comes out of a worker's
    /// hands.
    pub(super) fn give_up(
        &mut self,
        id: OperationId,
        error: &Arc<str>,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> bool {
        let Some(entry) = self.waiting.remove(id) else {
            return self.seats.set_next(id, Next::Failed(Arc::clone(error)));
        };
        self.schedule.gave_up(&entry.key, entry.place);
        let details = self.window.details(Some(Arc::clone(error)), NO_SIGNALS);
        let ended = self.end(entry, Finish::Failed, details, now, effects);
        effects.discarded.push(ended);
        true
    }

    /// Ends what `take` takes out of the schedule, and hands the items back.
    pub(super) fn take_out(
        &mut self,
        take: impl FnOnce(&mut S) -> Vec<Queued<S::Item, S::Key>>,
        now: Instant,
        effects: &mut Effects<S>,
    ) -> Vec<S::Item> {
        let taken = take(&mut self.schedule);
        let end = |entry| {
            let (item, operation) = self.end(entry, Finish::Cancelled, None, now, effects);
            drop_one(operation);
            item
        };
        taken.into_iter().map(end).collect()
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

    /// Follows what of the options can be followed at any time.
    pub(super) fn follow(&mut self, options: &CoordinatorOptions) {
        self.limit = options.max_concurrency;
        self.grace = options.cancel_grace;
        self.deferral.set_bound(options.max_deferral);
        self.schedule.reopen();
        self.window.follow(options);
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
            Some(sitting) => sitting.snapshot(now),
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
        // While it is still pinned, so that it is not taken for one that aged out before.
        self.shrink_window(now, effects);
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
        let sitting = self.seats.iter().filter_map(|sitting| sitting.snapshot(now));
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

    fn is_cancelling(&self) -> bool {
        matches!(self.phase, Phase::Cancelling { .. } | Phase::Killing)
    }

    /// Whether nothing starts any more, not even for another attempt.
    fn ends_unstarted(&self) -> bool {
        self.is_cancelling() || self.phase == Phase::Finishing
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
    pub(super) boards: Vec<Arc<Board>>,
    pub(super) limit: usize,
    pub(super) grace: Duration,
}

/// `after` from now; what lies beyond the clock's range is cut to a year, which nobody will see the end of.
pub(super) fn far_enough(now: Instant, after: Duration) -> Instant {
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3_600))
}
