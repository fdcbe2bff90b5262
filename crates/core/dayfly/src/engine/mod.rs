//! One engine under every coordinator: a lock around the core, workers that run bodies, and a keeper for time and
//! signals.

mod attempt_end;
mod core;
mod deferral;
mod effects;
mod gates;
mod keeper;
mod manner;
mod reflexes;
mod room;
mod running;
mod tally;
mod worker;

use std::fmt;
use std::hash::Hash;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use dayfly_signal::{OperationId, SignalSink};
use tokio::runtime;
use tokio::sync::Notify;
use tokio::time::Instant;

pub(crate) use self::attempt_end::AttemptEnd;
use self::core::{Core, Setup};
use self::effects::Effects;
use self::gates::Gates;
pub(crate) use self::manner::Manner;
use self::reflexes::Reflexes;
use self::room::{NoRoom, Place, Room};
pub(crate) use self::tally::Finish;
use crate::gate::Rules;
use crate::latch::Latch;
use crate::observers::Observers;
use crate::schedule::Schedule;
use crate::ticket::Kill;
use crate::window::Window;
use crate::{
    CoordinatorOptions, DrainReport, Echo, EnqueueError, Operation, OperationSnapshot, OperationState,
    PinError, Stats, TryEnqueueError,
};

pub(crate) struct Engine<S: Schedule> {
    core: Mutex<Core<S>>,
    room: Room<S::Key>,
    discard: fn(S::Item, Finish),
    signals: SignalSink,
    runtime: runtime::Handle,
    /// Starts one more worker. It knows the body's type, so that nothing else has to.
    start_worker: Box<dyn Fn(Arc<Self>) + Send + Sync>,
    /// Tells the keeper that a deadline, a wait or the end has changed.
    keeper: Notify,
    ending: Arc<Ending>,
    /// Tells those who wait for it that nothing is pending and nothing runs.
    idle: Notify,
    _reflexes: Reflexes,
    on_finish: Observers<S::Key>,
    on_evict: Observers<S::Key>,
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
        // The keeper needs a watch of its own: the gates read theirs before each start.
        let patterns = gates.patterns();
        let watch = (!patterns.is_empty()).then(|| signals.watch(patterns));
        let setup = Setup {
            window,
            gates,
            max_deferral: options.max_deferral,
            signals: signals.clone(),
            key_text: manner.key_text,
            limit: options.max_concurrency,
            grace: options.cancel_grace,
        };
        let body = Arc::new(body);
        let engine = Arc::new_cyclic(|engine| Self {
            core: Mutex::new(Core::new(schedule, setup)),
            room: Room::new(options.queue_capacity, manner.max_queued),
            discard: manner.discard,
            signals: signals.clone(),
            runtime: runtime::Handle::current(),
            start_worker: Box::new(move |engine| worker::start(engine, Arc::clone(&body))),
            keeper: Notify::new(),
            ending: Arc::new(Ending { reached: Latch::new(), report: OnceLock::new() }),
            idle: Notify::new(),
            _reflexes: Reflexes::start(engine.clone(), signals, options.drain_on, options.clear_on),
            on_finish: Observers::default(),
            on_evict: Observers::default(),
        });
        keeper::start(Arc::clone(&engine), watch);
        engine
    }

    pub(crate) async fn enqueue(
        self: &Arc<Self>,
        key: S::Key,
        item: S::Item,
    ) -> Result<OperationId, EnqueueError<S::Item>> {
        match self.room.enter(&key).await {
            Some(place) => self.accept(place, &key, item).map_err(EnqueueError::Closed),
            None => Err(EnqueueError::Closed(item)),
        }
    }

    pub(crate) fn try_enqueue(
        self: &Arc<Self>,
        key: &S::Key,
        item: S::Item,
    ) -> Result<OperationId, TryEnqueueError<S::Item>> {
        match self.room.try_enter(key) {
            Ok(place) => self.accept(place, key, item).map_err(TryEnqueueError::Closed),
            Err(NoRoom::Full) => Err(TryEnqueueError::Full(item)),
            Err(NoRoom::KeyFull) => Err(TryEnqueueError::KeyFull(item)),
            Err(NoRoom::Closed) => Err(TryEnqueueError::Closed(item)),
        }
    }

    fn accept(
        self: &Arc<Self>,
        place: Place<'_, S::Key>,
        key: &S::Key,
        item: S::Item,
    ) -> Result<OperationId, S::Item> {
        self.change(|core, now, _| {
            if !core.is_open() {
                return Err(item);
            }
            place.hand_over();
            Ok(core.accept(key.clone(), item, now))
        })
    }

    pub(crate) fn close(self: &Arc<Self>) {
        self.change(|core, _, _| core.close());
        self.room.close();
        self.keeper.notify_one();
    }

    /// Closes. What has not ended at `deadline` is cancelled.
    pub(crate) fn close_within(self: &Arc<Self>, limit: Option<Duration>) {
        self.change(|core, now, _| core.close_by(limit.and_then(|limit| now.checked_add(limit))));
        self.room.close();
        self.keeper.notify_one();
    }

    pub(crate) fn cancel(self: &Arc<Self>) {
        self.change(Core::cancel);
        self.room.close();
        self.keeper.notify_one();
    }

    pub(crate) fn kill(self: &Arc<Self>, id: OperationId) -> bool {
        self.change(|core, now, effects| core.kill(id, now, effects))
    }

    pub(crate) fn set_paused(self: &Arc<Self>, paused: bool) {
        self.change(|core, _, _| core.set_paused(paused));
    }

    /// Asks the schedule something, or changes it; what it had deferred is looked at again.
    pub(crate) fn schedule<R>(self: &Arc<Self>, ask: impl FnOnce(&mut S) -> R) -> R {
        self.change(|core, _, _| {
            let answer = ask(core.schedule_mut());
            core.schedule_mut().reopen();
            answer
        })
    }

    pub(crate) fn set_limit(self: &Arc<Self>, limit: usize) {
        self.change(|core, _, _| core.set_limit(limit));
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

    pub(crate) async fn idle(&self) {
        loop {
            // Made before the look, so that an idle moment in between is not missed.
            let told = self.idle.notified();
            if self.lock().is_idle() {
                return;
            }
            told.await;
        }
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats()
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

    /// The one way to change the core: under the lock the change, after it what the change asked for.
    fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut Core<S>, Instant, &mut Effects<S>) -> R) -> R {
        let mut effects = Effects { announces_finish: self.on_finish.any(), ..Effects::default() };
        let (result, workers, is_idle, report) = {
            let mut core = self.lock();
            let now = Instant::now();
            let result = change(&mut core, now, &mut effects);
            let report = core.has_ended().then(|| core.report());
            (result, core.wanted_workers(now), core.is_idle(), report)
        };
        for _ in 0..workers {
            (self.start_worker)(Arc::clone(self));
        }
        self.carry_out(effects);
        if is_idle {
            self.idle.notify_waiters();
        }
        if let Some(report) = report {
            // Only the first report counts, and nothing changes after it.
            if self.ending.report.set(report).is_ok() {
                self.ending.reached.set();
                self.keeper.notify_one();
            }
        }
        result
    }

    fn carry_out(&self, effects: Effects<S>) {
        effects.left_queue.iter().for_each(|key| self.room.leave(key));
        effects.cancelled.iter().for_each(|attempt| attempt.shared.cancel());
        effects.killed.iter().for_each(|attempt| attempt.shared.kill());
        if effects.nudge_keeper {
            self.keeper.notify_one();
        }
        effects.finished.iter().for_each(|snapshot| self.on_finish.tell(snapshot, &self.signals));
        if self.on_evict.any() {
            effects.evicted.iter().for_each(|snapshot| self.on_evict.tell(snapshot, &self.signals));
        }
        // Values and items are foreign when they are dropped: a panic of one must not keep the others.
        for answer in effects.answers {
            drop(catch_unwind(AssertUnwindSafe(answer)));
        }
        for (item, finish) in effects.discarded {
            drop(catch_unwind(AssertUnwindSafe(|| (self.discard)(item, finish))));
        }
    }

    /// Keys, items and signals are foreign code; whatever of it panicked, the core's own steps are whole.
    fn lock(&self) -> MutexGuard<'_, Core<S>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
