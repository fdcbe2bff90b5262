//! One engine under every coordinator: a lock around the core, workers that run bodies, and a keeper for time and
//! signals.

mod attempt_end;
mod board;
mod core;
mod deferral;
mod effects;
mod gates;
mod in_line;
mod inbox;
mod keeper;
mod manner;
mod pace;
mod ready;
mod reflexes;
mod room;
mod seats;
mod slot;
mod tally;
mod worker;

use std::fmt;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, OnceLock};
use std::task::Waker;
use std::time::Duration;

use dayfly_signal::{OperationId, SignalSink, Watch};
use tokio::runtime::{self, RuntimeFlavor};
use tokio::time::Instant;

pub(crate) use self::attempt_end::AttemptEnd;
use self::board::Board;
use self::core::{Core, Setup};
use self::effects::Effects;
use self::gates::Gates;
use self::in_line::InLine;
use self::inbox::{Accepted, Inbox, Refused};
pub(crate) use self::manner::Manner;
use self::ready::Hub;
use self::reflexes::Reflexes;
use self::room::NoRoom;
pub(crate) use self::tally::Finish;
use crate::gate::Rules;
use crate::latch::Latch;
use crate::observers::Observers;
use crate::schedule::Schedule;
use crate::sync::{AtomicU64, Mutex, MutexGuard, Notify, Ordering, PoisonError};
use crate::ticket::Kill;
use crate::window::Window;
use crate::{
    CoordinatorOptions, DrainReport, Echo, EnqueueError, Operation, OperationSnapshot, OperationState,
    PinError, Stats, TryEnqueueError,
};

pub(crate) struct Engine<S: Schedule> {
    core: Mutex<Core<S>>,
    inbox: Mutex<Inbox<S::Item, S::Key>>,
    discard: fn(S::Item, Finish),
    key_text: fn(&S::Key) -> Option<String>,
    signals: SignalSink,
    runtime: runtime::Handle,
    /// Starts the worker with this number. It knows the body's type, so that nothing else has to.
    start_worker: Box<dyn Fn(Arc<Self>, usize) + Send + Sync>,
    /// Workers as those see them who have something for them to do.
    hubs: Box<[Arc<Hub>]>,
    boards: Box<[Arc<Board>]>,
    /// Changes whenever what was claimed may have to go back: by a control, or by a signal that gates.
    word: AtomicU64,
    watch: Option<Watch>,
    /// Tells the keeper that a deadline, a wait or the end has changed.
    keeper: Notify,
    ending: Arc<Ending>,
    /// Tells those who wait for it that nothing is pending and nothing runs.
    idle: Notify,
    _reflexes: Reflexes,
    on_finish: Observers<S::Key>,
    on_evict: Observers<S::Key>,
}

/// What a worker is to do after a visit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Visit {
    /// Go on, and come again.
    Claimed,
    /// Sleep until it is told that there is something to do.
    Rests,
    /// Go: everything has ended.
    Ended,
}

/// The end, for those who wait for it.
struct Ending {
    reached: Latch,
    report: OnceLock<DrainReport>,
}

/// What a key has to be for the engine.
pub(crate) trait Key: Eq + Hash + Clone + Send + Sync + 'static {}

impl<K: Eq + Hash + Clone + Send + Sync + 'static> Key for K {}

impl<S> Engine<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    pub(crate) fn spawn<F, Fut>(
        options: CoordinatorOptions,
        signals: &SignalSink,
        schedule: S,
        manner: Manner<S::Item, S::Key>,
        body: F,
    ) -> Arc<Self>
    where
        F: Fn(S::Item, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = AttemptEnd<S::Item>> + Send + 'static,
    {
        let window = Window::new(&options);
        let rules = Rules {
            cancel: options.cancel_on,
            defer: options.defer_on,
            resume: options.resume_on,
            keyed: manner.keys_gate,
        };
        let gates = Gates::new(rules, manner.lanes, manner.lane_of, manner.key_text, signals);
        // The keeper needs a watch of its own: the gates read theirs before each claim, workers before each start.
        let patterns = gates.patterns();
        let watch = || (!patterns.is_empty()).then(|| signals.watch(patterns.clone()));
        let runtime = runtime::Handle::current();
        let workers = match runtime.runtime_flavor() {
            RuntimeFlavor::CurrentThread => 1,
            _ => runtime.metrics().num_workers().max(1),
        };
        let boards: Box<[Arc<Board>]> = (0..workers).map(|_| Arc::default()).collect();
        let setup = Setup {
            window,
            gates,
            max_deferral: options.max_deferral,
            signals: signals.clone(),
            boards: boards.to_vec(),
            limit: options.max_concurrency,
            grace: options.cancel_grace,
        };
        let body = Arc::new(body);
        let keepers = watch();
        let engine = Arc::new_cyclic(|engine| Self {
            core: Mutex::new(Core::new(schedule, setup)),
            inbox: Mutex::new(Inbox::new(options.queue_capacity, manner.max_queued, workers)),
            discard: manner.discard,
            key_text: manner.key_text,
            signals: signals.clone(),
            runtime,
            start_worker: Box::new(move |engine, index| worker::start(engine, index, Arc::clone(&body))),
            hubs: (0..workers).map(|_| Arc::default()).collect(),
            boards,
            word: AtomicU64::new(0),
            watch: watch(),
            keeper: Notify::new(),
            ending: Arc::new(Ending { reached: Latch::new(), report: OnceLock::new() }),
            idle: Notify::new(),
            _reflexes: Reflexes::start(engine.clone(), signals, options.drain_on, options.clear_on),
            on_finish: Observers::default(),
            on_evict: Observers::default(),
        });
        keeper::start(Arc::clone(&engine), keepers);
        engine
    }

    pub(crate) async fn enqueue(
        self: &Arc<Self>,
        key: S::Key,
        item: S::Item,
    ) -> Result<OperationId, EnqueueError<S::Item>> {
        match self.offer(key, item) {
            Ok(id) => Ok(id),
            Err(Refused { why: NoRoom::Closed, item, .. }) => Err(EnqueueError::Closed(item)),
            Err(Refused { key, item, .. }) => InLine { engine: self, key, item: Some(item), ticket: None }
                .await
                .map_err(EnqueueError::Closed),
        }
    }

    pub(crate) fn try_enqueue(
        self: &Arc<Self>,
        key: S::Key,
        item: S::Item,
    ) -> Result<OperationId, TryEnqueueError<S::Item>> {
        self.offer(key, item).map_err(|Refused { why, item, .. }| match why {
            NoRoom::Full => TryEnqueueError::Full(item),
            NoRoom::KeyFull => TryEnqueueError::KeyFull(item),
            NoRoom::Closed => TryEnqueueError::Closed(item),
        })
    }

    /// Takes an item in if there is room now.
    fn offer(self: &Arc<Self>, key: S::Key, item: S::Item) -> Result<OperationId, Refused<S::Item, S::Key>> {
        let mut offered = self.lock_inbox().offer(key, item);
        if let Err(Refused { why: NoRoom::Full | NoRoom::KeyFull, key, item }) = offered {
            // Workers tell of starts when they come by; somebody who is refused deserves a closer look.
            self.change(|core, _, effects| core.note_starts(effects));
            offered = self.lock_inbox().offer(key, item);
        }
        offered.map(|accepted| self.accepted(&accepted))
    }

    fn accepted(self: &Arc<Self>, accepted: &Accepted) -> OperationId {
        if let Some(worker) = accepted.tell {
            self.tell(worker);
        }
        accepted.id
    }

    /// Has a worker come that has nothing to do.
    fn tell(self: &Arc<Self>, worker: usize) {
        let hub = &self.hubs[worker];
        if hub.must_start() {
            (self.start_worker)(Arc::clone(self), worker);
        } else {
            hub.nudge();
        }
    }

    /// What the gates say now, as a figure that changes when they do.
    fn word(&self) -> u64 {
        // Both only ever grow, so their sum is the same only while both are.
        let signals = self.watch.as_ref().map_or(0, Watch::version);
        self.word.load(Ordering::Acquire).wrapping_add(signals)
    }

    pub(crate) fn close(self: &Arc<Self>) {
        self.close_within(None);
    }

    /// Closes. What has not ended after `limit` is cancelled.
    pub(crate) fn close_within(self: &Arc<Self>, limit: Option<Duration>) {
        self.shut();
        self.change(|core, now, _| core.close_by(limit.and_then(|limit| now.checked_add(limit))));
        self.keeper.notify_one();
    }

    pub(crate) fn cancel(self: &Arc<Self>) {
        self.shut();
        self.control(Core::cancel);
        self.keeper.notify_one();
    }

    /// Ends intake. It comes first, so that whatever was accepted is seen by whoever ends the rest.
    fn shut(&self) {
        let mut producers = Vec::new();
        self.lock_inbox().room().close(&mut producers);
        producers.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn kill(self: &Arc<Self>, id: OperationId) -> bool {
        self.control(|core, now, effects| core.kill(id, now, effects))
    }

    pub(crate) fn set_paused(self: &Arc<Self>, paused: bool) {
        self.control(|core, _, _| core.set_paused(paused));
    }

    /// Asks the schedule something.
    pub(crate) fn ask<R>(self: &Arc<Self>, ask: impl FnOnce(&S) -> R) -> R {
        self.change(|core, _, _| ask(core.schedule()))
    }

    /// Changes the schedule; what it had deferred is looked at again.
    pub(crate) fn reschedule<R>(self: &Arc<Self>, change: impl FnOnce(&mut S) -> R) -> R {
        self.control(|core, _, _| {
            let answer = change(core.schedule_mut());
            core.schedule_mut().reopen();
            answer
        })
    }

    pub(crate) fn set_limit(self: &Arc<Self>, limit: usize) {
        self.control(|core, _, _| core.set_limit(limit));
    }

    /// The end of everything that was accepted, from now on or at once if it has been reached.
    pub(crate) fn ended(&self) -> impl Future<Output = DrainReport> + Send + use<S> {
        let ending = Arc::clone(&self.ending);
        async move {
            ending.reached.wait().await;
            // The report is set before the end is announced.
            ending.report.get().copied().unwrap_or_default()
        }
    }

    pub(crate) async fn idle(self: &Arc<Self>) {
        loop {
            // Made before the look, so that an idle moment in between is not missed.
            let told = self.idle.notified();
            if self.change(|core, _, _| core.is_idle()) {
                return;
            }
            told.await;
        }
    }

    pub(crate) fn stats(self: &Arc<Self>) -> Stats {
        let stats = self.change(|core, _, _| core.stats());
        let peak = self.lock_inbox().peak();
        Stats { peak_pending: peak as u64, ..stats }
    }

    pub(crate) fn get(self: &Arc<Self>, id: OperationId) -> Option<OperationSnapshot<S::Key>> {
        self.change(|core, now, effects| core.get(id, now, effects))
    }

    pub(crate) fn list(
        self: &Arc<Self>,
        wanted: impl Fn(OperationState) -> bool,
    ) -> Vec<OperationSnapshot<S::Key>> {
        self.change(|core, now, effects| core.list(wanted, now, effects))
    }

    pub(crate) fn pin(self: &Arc<Self>, id: OperationId) -> Result<(), PinError> {
        self.change(|core, now, effects| core.pin(id, now, effects))
    }

    pub(crate) fn unpin(self: &Arc<Self>, id: OperationId) -> bool {
        self.change(|core, now, effects| core.unpin(id, now, effects))
    }

    pub(crate) fn echoes(self: &Arc<Self>) -> Vec<Echo> {
        self.change(Core::echoes)
    }

    pub(crate) const fn on_finish(&self) -> &Observers<S::Key> {
        &self.on_finish
    }

    pub(crate) const fn on_evict(&self) -> &Observers<S::Key> {
        &self.on_evict
    }

    pub(crate) const fn signals(&self) -> &SignalSink {
        &self.signals
    }

    /// Changes what workers have claimed under: they give back what they have not started.
    fn control<R>(self: &Arc<Self>, change: impl FnOnce(&mut Core<S>, Instant, &mut Effects<S>) -> R) -> R {
        self.change(|core, now, effects| {
            let answer = change(core, now, effects);
            self.word.fetch_add(1, Ordering::AcqRel);
            answer
        })
    }

    /// Looks at the core, or changes it.
    fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut Core<S>, Instant, &mut Effects<S>) -> R) -> R {
        let mut effects = Effects::default();
        self.ask_observers(&mut effects);
        let now = Instant::now();
        let mut core = self.lock_core();
        let answer = {
            self.absorb(&mut core);
            change(&mut core, now, &mut effects)
        };
        core.shrink_window(now, &mut effects);
        let end = Self::publish(&mut core, &mut effects, &mut self.lock_inbox(), true);
        drop(core);
        self.carry_out(&mut effects);
        self.announce(&end);
        answer
    }

    /// A worker's visit. `serve` says whether there was anything to do; the second and third value are what the gates
    /// said and what the clock read.
    fn serve(
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
        let rests = !came && (inbox.is_empty() || !core.may_start());
        let end = Self::publish(&mut core, effects, &mut inbox, rests);
        if rests {
            inbox.rest(worker);
        } else {
            inbox.rise(worker);
        }
        let has_ended = end.report.is_some();
        drop((inbox, core));
        self.carry_out(effects);
        self.announce(&end);
        let visit = if has_ended {
            Visit::Ended
        } else if rests {
            Visit::Rests
        } else {
            Visit::Claimed
        };
        (visit, word, now)
    }

    fn absorb(&self, core: &mut Core<S>) {
        let mut inbox = self.lock_inbox();
        core.absorb(|supply| inbox.swap(supply));
    }

    /// Lets producers and workers know what has changed. With `eager`, a producer is let in as soon as there is any room.
    fn publish(
        core: &mut Core<S>,
        effects: &mut Effects<S>,
        inbox: &mut Inbox<S::Item, S::Key>,
        eager: bool,
    ) -> End {
        inbox.settle(effects, eager);
        let may_start = core.may_start();
        inbox.set_tells_workers(may_start);
        let unknown = usize::from(may_start && !inbox.is_empty());
        for _ in 0..core.startable() + unknown {
            let Some(worker) = inbox.pick_idle() else { break };
            effects.workers.push(worker);
        }
        let is_idle = core.is_idle() && inbox.is_empty();
        End { is_idle, report: (is_idle && !core.is_open()).then(|| core.report()) }
    }

    fn announce(&self, end: &End) {
        if end.is_idle {
            self.idle.notify_waiters();
        }
        if let Some(report) = end.report {
            // Only the first report counts, and nothing changes after it.
            if self.ending.report.set(report).is_ok() {
                self.ending.reached.set();
                self.keeper.notify_one();
                self.hubs.iter().filter(|hub| hub.has_started()).for_each(|hub| hub.nudge());
            }
        }
    }

    fn ask_observers(&self, effects: &mut Effects<S>) {
        effects.announces_finish = self.on_finish.any();
        effects.announces_evict = self.on_evict.any();
    }

    fn carry_out(self: &Arc<Self>, effects: &mut Effects<S>) {
        effects.workers.drain(..).for_each(|worker| self.tell(worker));
        effects.producers.drain(..).for_each(Waker::wake);
        effects.cancelled.drain(..).for_each(|grip| grip.shared.cancel(grip.generation));
        effects.killed.drain(..).for_each(|grip| grip.shared.kill(grip.generation));
        if std::mem::take(&mut effects.nudge_keeper) {
            self.keeper.notify_one();
        }
        effects.finished.drain(..).for_each(|snapshot| self.on_finish.tell(&snapshot, &self.signals));
        if effects.announces_evict {
            effects.evicted.iter().for_each(|record| self.on_evict.tell(&record.snapshot(), &self.signals));
        }
        effects.evicted.clear();
        // Values and items are foreign when they are dropped: a panic of one must not keep the others.
        for answer in effects.answers.drain(..) {
            drop(catch_unwind(AssertUnwindSafe(answer)));
        }
        for (item, finish) in effects.discarded.drain(..) {
            drop(catch_unwind(AssertUnwindSafe(|| (self.discard)(item, finish))));
        }
    }

    /// Keys, items and signals are foreign code; whatever of it panicked, the core's own steps are whole.
    fn lock_core(&self) -> MutexGuard<'_, Core<S>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May be taken while the core's lock is held, never the other way round.
    fn lock_inbox(&self) -> MutexGuard<'_, Inbox<S::Item, S::Key>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a change has brought to an end.
struct End {
    is_idle: bool,
    report: Option<DrainReport>,
}

impl<S> Kill for Engine<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn kill_one(self: Arc<Self>, id: OperationId) {
        self.kill(id);
    }
}

impl<S: Schedule> fmt::Debug for Engine<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}
