//! One engine under every coordinator: a lock around the core, workers that run bodies, and a keeper for time and
//! signals.

mod attempt_end;
mod board;
mod core;
mod deferral;
mod effects;
mod entrance;
mod gates;
mod in_line;
mod in_place;
mod inbox;
mod keeper;
mod key_rooms;
mod line;
mod lists;
mod lookout;
mod lookouts;
mod manner;
mod pace;
mod ready;
mod reflexes;
mod room;
mod seats;
mod slot;
mod staff;
mod tally;
mod visit;
mod waiting;
mod worker;

use std::fmt;
use std::hash::Hash;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dayfly_signal::{GateRules, OperationId, SignalSink, Watch};
use tokio::runtime::{self, RuntimeFlavor};

pub(crate) use self::attempt_end::{Answer, AttemptEnd, AttemptEndOf};
use self::board::Board;
use self::core::{Core, Setup};
use self::gates::Gates;
use self::inbox::Inbox;
pub(crate) use self::inbox::Offer;
pub(crate) use self::key_rooms::KEPT_KEYS;
use self::manner::Discard;
pub(crate) use self::manner::Manner;
use self::ready::Hub;
use self::reflexes::Reflexes;
pub(crate) use self::room::Room;
use self::staff::{Staff, Workers};
use crate::contain::{contain, wake_each};
use crate::crew::Crew;
use crate::latch::Latch;
use crate::observers::Observers;
use crate::schedule::{Queued, Schedule};
use crate::sync::{AtomicU64, AtomicUsize, Mutex, MutexGuard, Notify, Ordering, PoisonError};
use crate::ticket::Kill;
use crate::window::Window;
use crate::{
    CoordinatorOptions, DrainReport, Echo, Fixed, Operation, OperationSnapshot, OperationState, PinError,
    Stats,
};

pub(crate) struct Engine<S: Schedule> {
    core: Mutex<Core<S>>,
    inbox: Mutex<Inbox<S::Item, S::Key>>,
    discard: Discard<S::Item, S::Key>,
    key_text: fn(&S::Key) -> Option<String>,
    /// The options of the start.
    options: CoordinatorOptions,
    signals: SignalSink,
    runtime: runtime::Handle,
    /// The workers. They know the body's type, so that nothing else has to.
    staff: Box<dyn Staff<S>>,
    /// Workers as those see them who have something for them to do.
    hubs: Box<[Arc<Hub>]>,
    /// Who drives the workers; the runtime where this is absent.
    crew: Option<Arc<Crew>>,
    /// Changes whenever what was claimed may have to go back: by a control, or by a signal that gates.
    word: AtomicU64,
    watch: Option<Watch>,
    /// Tells the keeper that a deadline, a wait or the end has changed.
    keeper: Notify,
    /// Tells those who wait for it that intake has ended; whether it has, the room knows.
    closed: Latch,
    ending: Arc<Ending>,
    /// How many calls are telling observers and tickets of what ended. An end counts once all of them are done.
    telling: AtomicUsize,
    /// Tells those who wait for it that nothing is pending and nothing runs, and how many they are: most of the time,
    /// nobody.
    idle: Notify,
    idlers: AtomicUsize,
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
        Fut: Future<Output = AttemptEndOf<S>> + Send + 'static,
    {
        let window = Window::new(&options);
        let rules = GateRules::new()
            .cancel_on(&options.cancel_on)
            .defer_on(&options.defer_on)
            .resume_on(&options.resume_on)
            .keyed(manner.keys_gate);
        let gates = Gates::new(rules, manner.lanes, manner.lane_of, manner.key_text, signals);
        // The keeper needs a watch of its own: the gates read theirs before each claim, workers before each start.
        let patterns = gates.patterns();
        let watch = || (!patterns.is_empty()).then(|| signals.watch(patterns.clone()));
        let runtime = runtime::Handle::current();
        let workers = match (&manner.crew, runtime.runtime_flavor()) {
            (Some(crew), _) => crew.size(),
            (None, RuntimeFlavor::CurrentThread) => 1,
            (None, _) => runtime.metrics().num_workers().max(1),
        };
        let boards: Box<[Arc<Board>]> = (0..workers).map(|_| Arc::default()).collect();
        let setup = Setup {
            window,
            gates,
            max_deferral: options.max_deferral,
            boards: boards.to_vec(),
            limit: options.max_concurrency,
            grace: options.cancel_grace,
        };
        let keepers = watch();
        let hubs: Box<[Arc<Hub>]> = (0..workers).map(|_| Arc::default()).collect();
        let engine = Arc::new_cyclic(|engine| Self {
            core: Mutex::new(Core::new(schedule, setup)),
            inbox: Mutex::new(Inbox::new(options.queue_capacity, manner.max_queued, hubs.clone())),
            discard: manner.discard,
            key_text: manner.key_text,
            crew: manner.crew.map(Arc::new),
            signals: signals.clone(),
            runtime,
            staff: Box::new(Workers::new(body, &boards, &hubs)),
            hubs,
            word: AtomicU64::new(0),
            watch: watch(),
            keeper: Notify::new(),
            telling: AtomicUsize::new(0),
            closed: Latch::new(),
            ending: Arc::new(Ending { reached: Latch::new(), report: OnceLock::new() }),
            idle: Notify::new(),
            idlers: AtomicUsize::new(0),
            _reflexes: Reflexes::start(
                engine.clone(),
                signals,
                options.drain_on.clone(),
                options.clear_on.clone(),
            ),
            on_finish: Observers::default(),
            on_evict: Observers::default(),
            options,
        });
        keeper::start(Arc::clone(&engine), keepers);
        engine
    }

    /// Starts every worker at once, instead of each when there is something for it to do.
    pub(crate) fn start_workers(self: &Arc<Self>) {
        (0..self.hubs.len()).for_each(|worker| self.tell(worker));
    }

    /// What the gates say now, as a figure that changes when they do.
    fn word(&self) -> u64 {
        // Both only ever grow, so their sum is the same only while both are.
        let signals = self.watch.as_ref().map_or(0, Watch::version);
        self.word.load(Ordering::Acquire).wrapping_add(signals)
    }

    /// Whether nothing is taken in any more.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock_inbox().room().is_closed()
    }

    pub(crate) async fn closed(&self) {
        self.closed.wait().await;
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

    /// Ends intake and what has not started. What runs is let run; what has not ended after `limit` is cancelled.
    pub(crate) fn cancel_unstarted(self: &Arc<Self>, limit: Option<Duration>) {
        self.shut();
        self.control(|core, now, effects| {
            core.cancel_unstarted(now, effects);
            core.close_by(limit.and_then(|limit| now.checked_add(limit)));
        });
        self.keeper.notify_one();
    }

    /// Ends intake. It comes first, so that whatever was accepted is seen by whoever ends the rest.
    fn shut(&self) {
        let mut producers = Vec::new();
        self.lock_inbox().room().close(&mut producers);
        wake_each(producers);
        // Whoever waits for this is as foreign: a waker that panics must not keep the core open.
        contain(|| self.closed.set());
    }

    pub(crate) fn kill(self: &Arc<Self>, id: OperationId) -> bool {
        self.control(|core, now, effects| core.kill(id, now, effects))
    }

    pub(crate) fn hasten(self: &Arc<Self>, id: OperationId) -> bool {
        self.change(|core, now, _| core.hasten(id, now))
    }

    pub(crate) fn give_up(self: &Arc<Self>, id: OperationId, error: &Arc<str>) -> bool {
        self.change(|core, now, effects| core.give_up(id, error, now, effects))
    }

    /// Ends what `take` takes out of the schedule, and hands the items back. The room knows the places of keys.
    pub(crate) fn take_out(
        self: &Arc<Self>,
        take: impl FnOnce(&mut S, &Room<S::Key>) -> Vec<Queued<S::Item, S::Key>>,
    ) -> Vec<S::Item> {
        self.change(|core, now, effects| {
            core.take_out(|schedule| take(schedule, self.lock_inbox().room()), now, effects)
        })
    }

    pub(crate) fn set_paused(self: &Arc<Self>, paused: bool) {
        self.control(|core, _, _| core.set_paused(paused));
    }

    /// Asks the schedule something. The room knows the places of keys.
    pub(crate) fn ask<R>(self: &Arc<Self>, ask: impl FnOnce(&S, &Room<S::Key>) -> R) -> R {
        self.change(|core, _, _| ask(core.schedule(), self.lock_inbox().room()))
    }

    /// Changes the schedule; what it had deferred is looked at again.
    pub(crate) fn reschedule<R>(self: &Arc<Self>, change: impl FnOnce(&mut S) -> R) -> R {
        self.control(|core, _, _| {
            let answer = change(core.schedule_mut());
            core.schedule_mut().reopen();
            answer
        })
    }

    pub(crate) fn check(&self, options: &CoordinatorOptions) -> Result<(), Fixed> {
        self.options.fixed_difference(options).map_or(Ok(()), |option| Err(Fixed { option }))
    }

    pub(crate) fn reconfigure(self: &Arc<Self>, options: &CoordinatorOptions) -> Result<(), Fixed> {
        self.check(options)?;
        let mut producers = Vec::new();
        self.lock_inbox().room().set_capacity(options.queue_capacity, &mut producers);
        wake_each(producers);
        self.control(|core, _, _| core.follow(options));
        self.keeper.notify_one();
        Ok(())
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
        struct Idler<'a>(&'a AtomicUsize);

        impl Drop for Idler<'_> {
            fn drop(&mut self) {
                self.0.fetch_sub(1, Ordering::Relaxed);
            }
        }

        self.idlers.fetch_add(1, Ordering::Relaxed);
        let _idler = Idler(&self.idlers);
        loop {
            // Made before the look, so that an idle moment in between is not missed.
            let told = self.idle.notified();
            let is_idle = self.change(|core, _, _| core.is_idle());
            // Changed to the same: whoever stops telling after this sees that somebody waits.
            if is_idle && self.telling.fetch_add(0, Ordering::AcqRel) == 0 {
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

    /// Keys, items and signals are foreign code; whatever of it panicked, the core's own steps are whole.
    fn lock_core(&self) -> MutexGuard<'_, Core<S>> {
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// May be taken while the core's lock is held, never the other way round.
    fn lock_inbox(&self) -> MutexGuard<'_, Inbox<S::Item, S::Key>> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
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
