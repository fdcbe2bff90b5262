//! Visits to the core: under its lock the change, after it what the change asked for.
//!
//! Every visit takes over first what the inbox has, and lets producers and workers know last what has changed.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;

use tokio::time::Instant;

use super::attempt_end::Answer;
use super::core::Core;
use super::effects::Effects;
use super::inbox::Inbox;
use super::lists::each;
use super::{Engine, Key};
use crate::contain::{clear, contain, drop_one, wake_each};
use crate::schedule::Schedule;
use crate::sync::Ordering;

/// What a worker is to do after a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Visit {
    /// Go on, and come again.
    Claimed,
    /// Sleep until it is told that there is something to do.
    Rests,
    /// Go: everything has ended.
    Ended,
}

/// What a change has brought to an end.
pub(super) struct End {
    is_idle: bool,
    has_ended: bool,
    /// Whether somebody has to be told before those may go on who wait for an end.
    tells: bool,
}

/// Somebody is being told of what ended, until this is dropped.
struct Telling<'a, S>(&'a Engine<S>)
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static;

impl<S> Drop for Telling<'_, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        self.0.stop_telling();
    }
}

impl<S> Engine<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    /// Changes what workers have claimed under: they give back what they have not started.
    pub(super) fn control<R>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Core<S>, Instant, &mut Effects<S>) -> R,
    ) -> R {
        self.change(|core, now, effects| {
            let answer = change(core, now, effects);
            self.word.fetch_add(1, Ordering::AcqRel);
            answer
        })
    }

    /// Looks at the core, or changes it.
    pub(super) fn change<R>(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Core<S>, Instant, &mut Effects<S>) -> R,
    ) -> R {
        let mut effects = Effects::default();
        self.ask_observers(&mut effects);
        let now = Instant::now();
        let mut core = self.lock_core();
        self.absorb(&mut core);
        // A key that panics while its owner asks for something is the owner's; what else the visit brings is not lost.
        let answer = catch_unwind(AssertUnwindSafe(|| change(&mut core, now, &mut effects)));
        core.shrink_window(now, &mut effects);
        let end = self.publish(&mut core, &mut effects, &mut self.lock_inbox(), true);
        drop(core);
        self.carry_out(&mut effects, &end);
        answer.unwrap_or_else(|panic| resume_unwind(panic))
    }

    /// A worker's visit. `serve` says whether there was anything to do; the second and third value are what the gates
    /// said and what the clock read.
    pub(super) fn serve(
        self: &Arc<Self>,
        worker: usize,
        effects: &mut Effects<S>,
        serve: impl FnOnce(&mut Core<S>, Instant, &mut Effects<S>) -> bool,
    ) -> (Visit, u64, Instant) {
        self.ask_observers(effects);
        let now = Instant::now();
        // Before anything that they decide is looked at, so that a change in between is not missed.
        let word = self.word();
        let mut core = self.lock_core();
        self.absorb(&mut core);
        let came = serve(&mut core, now, effects);
        core.shrink_window(now, effects);
        let mut inbox = self.lock_inbox();
        // It is here, so what it leaves is for somebody else.
        inbox.rise(worker);
        let rests = !came && (inbox.is_empty() || !core.may_start());
        let end = self.publish(&mut core, effects, &mut inbox, rests);
        if rests {
            inbox.rest(worker);
        }
        let has_ended = end.has_ended;
        drop((inbox, core));
        self.carry_out(effects, &end);
        let visit = if has_ended {
            Visit::Ended
        } else if rests {
            Visit::Rests
        } else {
            Visit::Claimed
        };
        (visit, word, now)
    }

    /// A worker of a crew is about to run a body for as long as that takes. Producers are let in when there is room for
    /// many, and otherwise soon: waking one for each start costs more than short bodies do.
    pub(super) fn tell_starts(&self, worker: usize, now: Instant, effects: &mut Effects<S>) {
        let mut core = self.lock_core();
        core.note_starts_of(worker, effects);
        let mut inbox = self.lock_inbox();
        inbox.settle(effects, false);
        if inbox.room().keeps_waiting() {
            effects.nudge_keeper |= core.let_in_soon(now);
        }
        drop((inbox, core));
        wake_each(effects.producers.drain(..));
        if std::mem::take(&mut effects.nudge_keeper) {
            self.keeper.notify_one();
        }
    }

    fn absorb(&self, core: &mut Core<S>) {
        let mut inbox = self.lock_inbox();
        core.absorb(|supply| inbox.swap(supply));
    }

    /// Lets producers and workers know what has changed. With `eager`, a producer is let in as soon as there is any room.
    pub(super) fn publish(
        &self,
        core: &mut Core<S>,
        effects: &mut Effects<S>,
        inbox: &mut Inbox<S::Item, S::Key>,
        eager: bool,
    ) -> End {
        core.release_keys(effects);
        inbox.settle(effects, eager);
        let may_start = core.may_start();
        inbox.set_tells_workers(may_start);
        let unknown = usize::from(may_start && !inbox.is_empty());
        for _ in 0..core.startable() + unknown {
            let Some(worker) = inbox.pick_idle() else { break };
            effects.workers.push(worker);
        }
        let is_idle = core.is_idle() && inbox.is_empty();
        let has_ended = is_idle && !core.is_open();
        if !effects.cancelled.is_empty() {
            // Also when it is the keeper who cancels: what was claimed must not start any more.
            self.word.fetch_add(1, Ordering::AcqRel);
        }
        let tells = has_ended || effects.tell();
        if tells {
            self.telling.fetch_add(1, Ordering::AcqRel);
        }
        if has_ended {
            // After that: whoever finds the report finds everybody counted who still tells. Only the first report counts,
            // and nothing changes after it.
            self.ending.report.get_or_init(|| core.report());
        }
        End { is_idle, has_ended, tells }
    }

    /// Lets those go who wait for the end or for an idle moment, unless somebody is still being told of what ended.
    fn stop_telling(&self) {
        if self.telling.fetch_sub(1, Ordering::AcqRel) > 1 {
            return;
        }
        self.tell_idle();
        // Looked at again: the end may have come, with somebody to tell of it, since the count was taken.
        let is_told = self.ending.report.get().is_some() && self.telling.load(Ordering::Acquire) == 0;
        if is_told && !self.ending.reached.is_set() {
            self.ending.reached.set();
            self.keeper.notify_one();
            self.hubs.iter().filter(|hub| hub.has_started()).for_each(|hub| hub.nudge());
        }
    }

    pub(super) fn ask_observers(&self, effects: &mut Effects<S>) {
        effects.announces_finish = self.on_finish.any();
        effects.announces_evict = self.on_evict.any();
    }

    pub(super) fn carry_out(self: &Arc<Self>, effects: &mut Effects<S>, end: &End) {
        let telling = end.tells.then(|| Telling(self));
        effects.told_workers += effects.workers.len();
        each(&mut effects.workers, |worker| self.tell(worker));
        if !effects.producers.is_empty() {
            wake_each(effects.producers.drain(..));
        }
        each(&mut effects.cancelled, |grip| grip.shared.cancel(grip.generation));
        each(&mut effects.killed, |grip| grip.shared.kill(grip.generation));
        if std::mem::take(&mut effects.nudge_keeper) {
            self.keeper.notify_one();
        }
        // Keys are foreign when they are copied, keys, values and items when they are dropped: a panic of one must not
        // keep the others.
        each(&mut effects.finished, |snapshot| {
            self.on_finish.tell(&snapshot, &self.signals);
            drop_one(snapshot);
        });
        if effects.announces_evict {
            let records = effects.evicted.iter().filter_map(|record| contain(|| record.snapshot()));
            records.for_each(|snapshot| {
                self.on_evict.tell(&snapshot, &self.signals);
                drop_one(snapshot);
            });
        }
        clear(&mut effects.evicted);
        clear(&mut effects.gone);
        each(&mut effects.answers, |answer| {
            contain(|| answer.give());
        });
        each(&mut effects.discarded, |(item, operation)| {
            contain(|| match operation {
                Some(operation) => (self.discard)(item, &operation),
                None => drop(item),
            });
        });
        drop(telling);
        if end.is_idle {
            self.tell_idle();
        }
    }

    /// Lets those look who wait for an idle moment.
    fn tell_idle(&self) {
        // Whoever is not counted yet looks after this, at what the change before has left.
        if self.idlers.load(Ordering::Relaxed) > 0 {
            self.idle.notify_waiters();
        }
    }
}
