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

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::{OperationId, SignalSink};
use hashbrown::HashMap;
use tokio::time::Instant;

use super::attempt_end::{AttemptEnd, Finished};
use super::deferral::Deferral;
use super::effects::{Claim, Effects, Start};
use super::gates::Gates;
use super::running::Running;
use super::tally::{Finish, Tally};
use crate::gate::{Gate, earlier};
use crate::operation::Attempt;
use crate::schedule::{Queued, Schedule};
use crate::window::Window;
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
    /// Operations that wait for the time of their next attempt.
    waiting: BTreeMap<(Instant, OperationId), Queued<S::Item, S::Key>>,
    running: HashMap<OperationId, Running<S::Key>>,
    window: Window<S::Key>,
    tally: Tally,
    gates: Gates<S::Key>,
    deferral: Deferral,
    signals: SignalSink,
    key_text: fn(&S::Key) -> Option<String>,
    limit: usize,
    /// Workers that exist; each runs at most one operation, so the limit on them is the limit on those.
    workers: usize,
    /// Workers that have been asked for and have not made their first claim.
    arriving: usize,
    peak_pending: usize,
    paused: bool,
    phase: Phase,
    cancel_at: Option<Instant>,
    grace: Duration,
}

impl<S: Schedule> Core<S>
where
    S::Key: Clone,
{
    pub(super) fn new(schedule: S, setup: Setup<S::Key>) -> Self {
        Self {
            schedule,
            waiting: BTreeMap::new(),
            running: HashMap::new(),
            window: setup.window,
            tally: Tally::default(),
            gates: setup.gates,
            deferral: Deferral::new(setup.max_deferral),
            signals: setup.signals,
            key_text: setup.key_text,
            limit: setup.limit,
            workers: 0,
            arriving: 0,
            peak_pending: 0,
            paused: false,
            phase: Phase::Open,
            cancel_at: None,
            grace: setup.grace,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Whether intake has ended and every operation has.
    pub(super) fn has_ended(&self) -> bool {
        !self.is_open() && self.is_idle()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.running.is_empty() && self.pending() == 0
    }

    pub(super) fn accept(&mut self, key: S::Key, item: S::Item, now: Instant) -> OperationId {
        let id = OperationId::next();
        self.tally.report.accepted += 1;
        self.schedule.push(Queued { id, key, item, enqueued_at: now, ready_at: now, attempts: 0 });
        self.note_peak();
        id
    }

    /// How many workers to start so that what may run does.
    pub(super) fn wanted_workers(&mut self, now: Instant) -> usize {
        self.look_at_gates(now);
        if self.paused || (self.gates.are_shut() && self.deferral.is_settled()) {
            return 0;
        }
        let unserved = self.schedule.ready().saturating_sub(self.arriving);
        let wanted = unserved.min(self.limit.saturating_sub(self.workers));
        self.workers += wanted;
        self.arriving += wanted;
        wanted
    }

    /// A worker has come for its first claim.
    pub(super) fn arrived(&mut self) {
        self.arriving -= 1;
    }

    /// The next start, decided in the same breath as it is made: pause, limit and gates are looked at right here.
    pub(super) fn claim(&mut self, now: Instant, effects: &mut Effects<S>) -> Claim<S> {
        self.look_at_gates(now);
        let next = if self.paused || self.workers > self.limit {
            None
        } else {
            let (deferral, gates) = (&mut self.deferral, &self.gates);
            self.schedule.next(now, |entry| {
                deferral.bound(gates.of(&entry.key), now, || {
                    gates.deferred_at(&entry.key).max(Some(entry.ready_at)).unwrap_or(entry.ready_at)
                })
            })
        };
        effects.nudge_keeper |= self.deferral.has_new_due();
        let Some((mut entry, gate)) = next else {
            self.workers -= 1;
            return Claim::Nothing;
        };
        effects.left_queue.push(entry.key.clone());
        if gate == Gate::Cancelled {
            self.schedule.ended(&entry.key);
            self.end_unstarted(entry, Finish::Skipped, now, effects);
            return Claim::Skipped;
        }
        entry.attempts += 1;
        let source = self.signals.source(entry.id);
        let attempt = Arc::new(Attempt::new(entry.key, self.key_text, entry.attempts, source));
        let running =
            Running { attempt: Arc::clone(&attempt), enqueued_at: entry.enqueued_at, started_at: now };
        self.running.insert(entry.id, running);
        Claim::Run(Start { id: entry.id, attempt, item: entry.item })
    }

    /// A running attempt has ended; its body is gone already. One that is to go on has its place in the queue.
    pub(super) fn finish(
        &mut self,
        id: OperationId,
        end: AttemptEnd<S::Item>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        let Some(running) = self.running.remove(&id) else { return };
        running.attempt.shared.finish();
        let key = running.attempt.key.clone();
        match end {
            AttemptEnd::Finished(Finished { finish, error, answer }) => {
                self.schedule.ended(&key);
                effects.answers.extend(answer);
                self.record(&running, id, finish, error, now, effects);
            }
            AttemptEnd::Again { item, after } => {
                let entry = running.queued_again(id, key, item);
                if running.attempt.shared.is_killed() || self.is_cancelling() {
                    self.schedule.ended(&entry.key);
                    self.record(&running, id, Finish::Cancelled, None, now, effects);
                    effects.left_queue.push(entry.key.clone());
                    effects.discarded.push((entry.item, Finish::Cancelled));
                } else {
                    self.tally.again += 1;
                    self.schedule.again(&entry.key);
                    let due = far_enough(now, after);
                    self.waiting.insert((due, id), Queued { ready_at: due, ..entry });
                    effects.nudge_keeper = true;
                    self.note_peak();
                    self.return_due(now);
                }
            }
        }
    }

    /// A worker is gone without a claim that told it so: its task was dropped or panicked.
    pub(super) fn lost_worker(&mut self, had_arrived: bool, now: Instant, effects: &mut Effects<S>) {
        self.workers -= 1;
        if !had_arrived {
            // Only a runtime that shuts down drops a task that it never polled. There is no point in asking it for
            // another worker.
            self.arriving -= 1;
            self.cancel(now, effects);
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
            effects.killed.extend(self.running.values().map(|running| Arc::clone(&running.attempt)));
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
        effects.cancelled.extend(self.running.values().map(|running| Arc::clone(&running.attempt)));
    }

    /// Ends one operation: removed if it has not started, dropped at its next suspension if it runs.
    pub(super) fn kill(&mut self, id: OperationId, now: Instant, effects: &mut Effects<S>) -> bool {
        if let Some(running) = self.running.get(&id) {
            effects.killed.push(Arc::clone(&running.attempt));
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

    /// The schedule, for what only its own shell knows to ask of it.
    pub(super) fn schedule_mut(&mut self) -> &mut S {
        &mut self.schedule
    }

    pub(super) fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            pending: self.pending() as u64,
            peak_pending: self.peak_pending as u64,
            waiting: self.waiting.len() as u64,
            running: self.running.len() as u64,
            max_concurrency: self.limit,
            paused: self.paused,
            closed: !self.is_open(),
            ..self.tally.stats()
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
        match self.running.get(&id) {
            Some(running) => Some(running.snapshot(id, OperationState::Running)),
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
            self.window.iter().filter(|snapshot| wanted(snapshot.state)).cloned().collect();
        if wanted(OperationState::Running) {
            let running = self.running.iter();
            list.extend(running.map(|(&id, running)| running.snapshot(id, OperationState::Running)));
        }
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

    fn note_peak(&mut self) {
        self.peak_pending = self.peak_pending.max(self.pending());
    }

    fn pending(&self) -> usize {
        self.schedule.len() + self.waiting.len()
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
        let snapshot = OperationSnapshot {
            id: entry.id,
            key: entry.key.clone(),
            state: finish.state(),
            attempt: entry.attempts,
            enqueued_at: entry.enqueued_at,
            started_at: None,
            finished_at: Some(now),
            error: None,
            signals: Vec::new(),
        };
        self.remember(finish, snapshot, now, effects);
        effects.discarded.push((entry.item, finish));
    }

    fn record(
        &mut self,
        running: &Running<S::Key>,
        id: OperationId,
        finish: Finish,
        error: Option<Arc<str>>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        let ended = running.snapshot(id, finish.state());
        let ended = OperationSnapshot { finished_at: Some(now), error, ..ended };
        self.remember(finish, ended, now, effects);
    }

    /// The one place where an operation ends.
    fn remember(
        &mut self,
        finish: Finish,
        ended: OperationSnapshot<S::Key>,
        now: Instant,
        effects: &mut Effects<S>,
    ) {
        self.tally.count(finish);
        if effects.announces_finish {
            effects.finished.push(ended.clone());
        }
        self.window.push(ended);
        self.shrink_window(now, effects);
    }

    fn shrink_window(&mut self, now: Instant, effects: &mut Effects<S>) {
        while let Some(left) = self.window.evict(now) {
            effects.evicted.push(left);
        }
    }
}

/// What a core is made of, its schedule aside.
pub(super) struct Setup<K> {
    pub(super) window: Window<K>,
    pub(super) gates: Gates<K>,
    pub(super) max_deferral: Option<(Duration, AfterDeferral)>,
    pub(super) signals: SignalSink,
    pub(super) key_text: fn(&K) -> Option<String>,
    pub(super) limit: usize,
    pub(super) grace: Duration,
}

/// `after` from now; what lies beyond the clock's range is cut to a year, which nobody will see the end of.
pub(super) fn far_enough(now: Instant, after: Duration) -> Instant {
    now.checked_add(after).unwrap_or_else(|| now + Duration::from_secs(365 * 24 * 3_600))
}
