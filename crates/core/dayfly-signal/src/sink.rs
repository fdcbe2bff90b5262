//! The shell around the state: one lock, Tokio's clock, and wake-ups after the lock is free.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::clock::ticks;
use crate::history::Ancestry;
use crate::interest::{Interest, Interested, Mailbox, Tally, Wakes};
use crate::published::board;
use crate::state::{Raise, State};
use crate::sync::{Mutex, MutexGuard, PoisonError};
use crate::window::CountWindow;
use crate::{
    AsyncHandler, Blocked, Counter, Draft, Hold, Listener, OperationId, PatternSet, Query, Raised, Signal,
    SignalHandle, SignalId, SignalKind, SignalOptions, SignalSource, Subscription, Watch,
};

/// Where signals are raised, remembered and waited for.
///
/// A sink is cheap to clone, and every clone is the same sink: share one among all who coordinate. It keeps two
/// views apart. The **history** is a bounded window of events; counting and queries look there. The **state** says
/// of each name whether it is raised now; gates and waiters look there. A raise adds one to the state,
/// `retract` takes it back, and what is not raised again for [`max_age`](SignalOptions::max_age) ages out.
///
/// No method blocks for longer than a short critical section, none allocates for names it knows already (a
/// payload aside), and none needs a runtime, except those that wait.
#[derive(Clone)]
pub struct SignalSink {
    state: Arc<Mutex<State>>,
}

impl SignalSink {
    /// An empty sink.
    #[must_use]
    pub fn new(options: SignalOptions) -> Self {
        Self { state: Arc::new(Mutex::new(State::new(options, Instant::now()))) }
    }

    /// Raises a signal: `"api.failure"`, `"rate-limit:500ms"`, a [`Draft`] with a key, or a [`SignalHandle`].
    ///
    /// Never fails and never waits. Reads the clock once.
    pub fn raise<'a>(&self, draft: impl Into<Draft<'a>>) -> SignalId {
        self.raise_for(draft.into(), None, Instant::now())
    }

    /// Raises a signal in answer to `event`, as the next one in its chain of causes.
    ///
    /// # Errors
    /// [`Blocked`] says why it may not follow: the chain is too deep, the name stands in it already, or the cause is
    /// terminal. Nothing was raised then.
    pub fn raise_caused<'a>(&self, draft: impl Into<Draft<'a>>, event: &Signal) -> Result<SignalId, Blocked> {
        let draft = draft.into();
        self.change(|state, wakes| {
            let ancestry = Ancestry::behind(event, draft, state)?;
            let topic = self.resolve(state, draft);
            let raise = Raise { ancestry: Some(ancestry), ..Raise::root(topic, draft.payload_text()) };
            Ok(state.raise(raise, wakes))
        })
    }

    /// Calls `callback` with every event that `patterns` mean, from now on, until the listener is dropped.
    ///
    /// It runs in the raiser's call and at the raiser's cost, after the sink has changed and never under its lock. What
    /// it raises is caused by the event that it is told, and delivered after it; where it may not follow, a
    /// `sink.blocked` event stands in its place. A panic is contained, the other callbacks are still called, and a
    /// `sink.callback.panicked` event tells of it; no callback is told of these two events.
    pub fn listen(
        &self,
        patterns: impl Into<PatternSet>,
        callback: impl Fn(&Signal) + Send + Sync + 'static,
    ) -> Listener {
        let (patterns, of) = (patterns.into(), Interested::Listener(Arc::new(callback)));
        let at = self.change(|state, _| state.listen(Interest { patterns, of }));
        Listener { sink: self.clone(), at }
    }

    /// Hands every event that `patterns` mean to an async handler, from now on, until it is dropped.
    ///
    /// It runs in a task of its own on the current runtime, one event after the other in their order. At most
    /// `capacity` events wait for it; beyond that the oldest is dropped and counted. A panic costs its event only. What
    /// it raises is caused by nothing; to extend the chain, use [`raise_caused`](Self::raise_caused).
    ///
    /// # Panics
    /// When `capacity` is zero, and outside of a Tokio runtime.
    pub fn handle_async<F, Fut>(
        &self,
        patterns: impl Into<PatternSet>,
        capacity: usize,
        handler: F,
    ) -> AsyncHandler
    where
        F: Fn(Signal) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        assert!(capacity > 0, "the capacity of a handler must be at least 1");
        AsyncHandler::spawn(self.open_mailbox(patterns.into(), capacity), handler)
    }

    /// Raises what `patterns` mean in `other` too, as long as the listener lives.
    ///
    /// A forwarded event keeps its name, key, payload, operation and place in the chain of causes, and carries the
    /// sinks it came through, so sinks that forward to each other come to an end. Retractions are not forwarded: in
    /// the other sink a raise ages out, or is taken back there.
    pub fn forward(&self, patterns: impl Into<PatternSet>, other: &Self) -> Listener {
        let other = other.clone();
        self.listen(patterns, move |signal| other.receive(signal))
    }

    /// Takes all raises of this name (and key, if the draft has one) back, whoever added them; holds stay.
    ///
    /// Says whether there were any. Subscribers see the retraction; the history still shows the raises.
    pub fn retract<'a>(&self, draft: impl Into<Draft<'a>>) -> bool {
        let draft = draft.into();
        self.change(|state, wakes| {
            let topic = self.known(state, draft)?;
            Some(state.retract_all(topic, draft.payload_text(), wakes))
        })
        .unwrap_or(false)
    }

    /// Raises a name for as long as the guard lives, without ageing: for modes such as `maintenance`.
    ///
    /// A payload in the draft is not kept. Several holds of one name are independent of each other.
    #[must_use = "the hold ends when the guard is dropped"]
    pub fn hold<'a>(&self, draft: impl Into<Draft<'a>>) -> Hold {
        let draft = draft.into();
        let topic = self.change(|state, wakes| {
            let topic = self.resolve(state, draft);
            state.hold(topic, wakes);
            topic
        });
        Hold { sink: self.clone(), topic }
    }

    /// Resolves a name once, so that raising it later looks nothing up. The name stays interned meanwhile.
    #[must_use]
    pub fn handle<'a>(&self, draft: impl Into<Draft<'a>>) -> SignalHandle {
        let draft = draft.into();
        let (topic, label) = self.change(|state, _| {
            let topic = self.resolve(state, draft);
            state.topics.pin(topic);
            (topic, Arc::clone(&state.topics.get(topic).label))
        });
        SignalHandle::new(self.clone(), topic, label)
    }

    /// The means of one operation to raise signals under its id and to take its own raises back.
    #[must_use]
    pub fn source(&self, operation: OperationId) -> SignalSource {
        SignalSource::new(self.clone(), operation)
    }

    /// Whether any name that `patterns` mean is raised now, under whatever key.
    #[must_use]
    pub fn is_raised(&self, patterns: impl Into<PatternSet>) -> bool {
        !self.state(patterns).is_empty()
    }

    /// The names that are raised now and that `patterns` mean, in no stated order.
    #[must_use]
    pub fn state(&self, patterns: impl Into<PatternSet>) -> Vec<Raised> {
        self.raised_now(&patterns.into())
    }

    /// How many raises that `patterns` mean the history shows that are younger than `within`.
    ///
    /// Costs the events of these names. For a figure that is read often, register a [`counter`](Self::counter).
    #[must_use]
    pub fn count(&self, patterns: impl Into<PatternSet>, within: Duration) -> usize {
        let patterns = patterns.into();
        self.change(|state, _| state.count(&patterns, within))
    }

    /// Registers a window over the raises that `patterns` mean; reading it costs no walk over events.
    ///
    /// It starts with what the history shows already.
    #[must_use]
    pub fn counter(&self, patterns: impl Into<PatternSet>, within: Duration) -> Counter {
        let patterns = patterns.into();
        let mut window = CountWindow::new(ticks(within));
        let (writer, reader) = board();
        let (at, origin) = self.change(|state, _| {
            for record in state.history.iter().filter(|record| record.kind == SignalKind::Raised) {
                if patterns.matches(&state.topics.get(record.topic).label.name) {
                    window.push(record.id.0, record.at);
                }
            }
            let mut tally = Tally { window, writer };
            tally.publish(state.max_age);
            (state.listen(Interest { patterns, of: Interested::Counter(tally) }), state.clock.origin())
        });
        Counter { sink: self.clone(), at, reader, origin }
    }

    /// The events in the history that are meant, oldest first, retractions included.
    #[must_use]
    pub fn history(&self, query: impl Into<Query>) -> Vec<Signal> {
        let query = query.into();
        self.change(|state, _| state.shown(&query).map(|record| state.signal(record)).collect())
    }

    /// The events with these ids, in this order, without those that the history does not show any more.
    ///
    /// Resolves all of them under one lock, each without a search unless a part of the history was cleared.
    #[must_use]
    pub fn events(&self, ids: &[SignalId]) -> Vec<Signal> {
        self.change(|state, _| state.events(ids).collect())
    }

    /// Like [`events`](Self::events), into a list that the caller has already, and without a look at the clock: for who
    /// has just raised them. What nobody has noticed yet to be too old is still found.
    pub fn events_into(&self, ids: &[SignalId], events: &mut Vec<Signal>) {
        if ids.is_empty() {
            return;
        }
        events.extend(self.lock().events(ids));
    }

    /// Whether the history shows an event that is meant.
    #[must_use]
    pub fn has(&self, query: impl Into<Query>) -> bool {
        let query = query.into();
        self.change(|state, _| state.shown(&query).next().is_some())
    }

    /// How many events the history holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.change(|state, _| state.history.len())
    }

    /// Whether the history holds no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of the newest event: a place from which [`subscribe_from`](Self::subscribe_from) goes on.
    #[must_use]
    pub fn newest(&self) -> SignalId {
        SignalId(self.lock().newest())
    }

    /// How many names left the state because more than [`max_raised`](SignalOptions::max_raised) were raised.
    #[must_use]
    pub fn displaced(&self) -> u64 {
        self.lock().displaced()
    }

    /// Empties the history and takes all raises back; holds stay. Returns how many events went.
    ///
    /// What remains is one `sink.cleared` event with that number; on an empty sink, nothing.
    pub fn clear(&self) -> usize {
        self.change(|state, wakes| state.clear(|_| true, wakes))
    }

    /// Like [`clear`](Self::clear), for the names that `patterns` mean.
    pub fn clear_matching(&self, patterns: impl Into<PatternSet>) -> usize {
        let patterns = patterns.into();
        self.change(|state, wakes| state.clear(|name| patterns.matches(name), wakes))
    }

    /// Removes the events that one operation raised and takes its raises back; those of others stay.
    pub fn clear_operation(&self, operation: OperationId) -> usize {
        self.change(|state, wakes| state.clear_operation(operation, wakes))
    }

    /// Sets the capacity of the history, at once; 0 is taken as 1. The maximum age stays as it is.
    pub fn set_capacity(&self, events: usize) {
        self.change(|state, _| state.set_capacity(events));
    }

    /// Sets the maximum age, at once. The capacity stays as it is.
    ///
    /// # Panics
    /// When `age` is zero: nothing could ever be raised.
    pub fn set_max_age(&self, age: Duration) {
        assert!(!age.is_zero(), "max_age must be longer than zero");
        self.change(|state, wakes| state.set_max_age(age, wakes));
    }

    /// Waits until a name that `patterns` mean is raised; returns at once when one is.
    ///
    /// This looks at the state, not at events: a raise that is taken back before the waiter runs may go unseen.
    /// To see every event, [`subscribe`](Self::subscribe).
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn raised(&self, patterns: impl Into<PatternSet>) -> Raised {
        let mut watch = self.watch(patterns);
        loop {
            if let Some(raised) = watch.state().pop() {
                return raised;
            }
            watch.changed().await;
        }
    }

    /// Waits until no name that `patterns` mean is raised, be it by retraction or by ageing; returns at once when
    /// none is.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn cleared(&self, patterns: impl Into<PatternSet>) {
        let mut watch = self.watch(patterns);
        loop {
            let state = watch.state();
            if state.is_empty() {
                return;
            }
            // Nothing is cleared by age before the last one is; a hold does not age at all.
            let expiries: Option<Vec<Instant>> = state.iter().map(Raised::expires_at).collect();
            match expiries.and_then(|all| all.into_iter().max()) {
                // Elapsed or changed: either way the state is read again.
                Some(expiry) => drop(timeout_at(expiry, watch.changed()).await),
                None => watch.changed().await,
            }
        }
    }

    /// Watches the state of the names that `patterns` mean: the building block of gates.
    #[must_use]
    pub fn watch(&self, patterns: impl Into<PatternSet>) -> Watch {
        Watch::new(self.clone(), patterns.into())
    }

    /// Subscribes to the events that `patterns` mean, from now on.
    #[must_use]
    pub fn subscribe(&self, patterns: impl Into<PatternSet>) -> Subscription {
        let capacity = self.lock().options.subscription_capacity;
        self.open_mailbox(patterns.into(), capacity)
    }

    fn open_mailbox(&self, patterns: PatternSet, capacity: usize) -> Subscription {
        let of = Interested::Subscription(Mailbox::new(capacity));
        let at = self.change(|state, _| state.listen(Interest { patterns, of }));
        Subscription { sink: self.clone(), at }
    }

    /// Subscribes to the events after `seen`, beginning with those that the history still shows.
    ///
    /// When some of them have left the history already, the first thing that the subscription yields is
    /// [`Lagged`](crate::Lagged) with the number of events that are missing, of whatever name.
    #[must_use]
    pub fn subscribe_from(&self, seen: SignalId, patterns: impl Into<PatternSet>) -> Subscription {
        let patterns = patterns.into();
        self.change(|state, _| {
            let mut mailbox = Mailbox::new(state.options.subscription_capacity);
            let all = state.newest().saturating_sub(seen.0);
            let shown = state.history.after(seen.0).count() as u64;
            mailbox.lagged = all.saturating_sub(shown);
            for record in state.history.after(seen.0) {
                if patterns.matches(&state.topics.get(record.topic).label.name) {
                    mailbox.push(state.signal(record));
                }
            }
            let at = state.listen(Interest { patterns, of: Interested::Subscription(mailbox) });
            Subscription { sink: self.clone(), at }
        })
    }

    pub(crate) fn raised_now(&self, patterns: &PatternSet) -> Vec<Raised> {
        self.change(|state, _| state.raised(patterns))
    }

    pub(crate) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.state, &other.state)
    }

    /// Changes or reads the state after age has been applied; wakes whoever waits once the lock is free.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut State, &mut Wakes) -> R) -> R {
        self.change_at(Instant::now(), change)
    }

    pub(crate) fn change_at<R>(&self, now: Instant, change: impl FnOnce(&mut State, &mut Wakes) -> R) -> R {
        let mut wakes = Wakes::default();
        let result = {
            let mut state = self.lock();
            state.advance(now, &mut wakes);
            change(&mut state, &mut wakes)
        };
        wakes.carry_out(self);
        result
    }

    /// No foreign code runs under this lock, so a poisoned one still guards a sound state.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for SignalSink {
    fn default() -> Self {
        Self::new(SignalOptions::new())
    }
}

impl fmt::Debug for SignalSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("SignalSink")
            .field("events", &state.history.len())
            .field("names", &state.topics.len())
            .finish_non_exhaustive()
    }
}
