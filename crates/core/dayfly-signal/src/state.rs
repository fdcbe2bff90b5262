//! The sink without its lock: history and state change together, in one order for everybody.
//!
//! This file is the way of a raise, which is kept short: no reading is converted twice, age is looked at only when
//! something is due, and a name that nobody looks at is done once its event is recorded and counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use crate::clock::{Clock, NEVER, Ticks, ticks};
use crate::history::{Ancestry, History, Record};
use crate::interest::{Interest, Shown, Wakes};
use crate::ledger::{LedgerKey, Ledgers};
use crate::signal::SinkId;
use crate::topics::{Entered, TopicKey, Topics};
use crate::{OperationId, SignalId, SignalKind, SignalOptions};

pub(crate) struct State {
    pub(crate) id: SinkId,
    pub(crate) options: SignalOptions,
    pub(crate) topics: Topics,
    pub(crate) history: History,
    pub(crate) ledgers: Ledgers,
    pub(crate) interests: Slab<Interest>,
    pub(crate) clock: Clock,
    /// The options' greatest age.
    pub(crate) max_age: Ticks,
    /// Nothing ages out before this moment. Something that has left otherwise may make it too early, never too late.
    due: Ticks,
    newest: u64,
    displaced: u64,
}

/// Sinks are told apart by number; they never run out.
static SINKS: AtomicU64 = AtomicU64::new(1);

/// Where a raise goes and what it says.
pub(crate) struct Raise<'a> {
    pub(crate) topic: TopicKey,
    pub(crate) payload: Option<&'a str>,
    pub(crate) operation: Option<OperationId>,
    /// Where the raise is noted as the operation's own.
    pub(crate) ledger: Option<LedgerKey>,
    pub(crate) ancestry: Option<Box<Ancestry>>,
}

impl<'a> Raise<'a> {
    /// Something that nothing caused and nobody forwarded.
    pub(crate) const fn root(topic: TopicKey, payload: Option<&'a str>) -> Self {
        Self { topic, payload, operation: None, ledger: None, ancestry: None }
    }
}

impl State {
    pub(crate) fn new(options: SignalOptions, now: Instant) -> Self {
        Self {
            id: SinkId(SINKS.fetch_add(1, Ordering::Relaxed)),
            max_age: ticks(options.max_age),
            options,
            topics: Topics::new(),
            history: History::new(),
            ledgers: Ledgers::default(),
            interests: Slab::new(),
            clock: Clock::new(now),
            due: NEVER,
            newest: 0,
            displaced: 0,
        }
    }

    /// Applies age. Every use of the state begins here. The sink's clock never goes backwards, whatever reading a
    /// caller brings.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant, wakes: &mut Wakes) {
        if self.clock.advance(now) && self.clock.now() >= self.due {
            self.age(wakes);
        }
    }

    /// Lets go what is too old, and finds out what is due next.
    #[cold]
    fn age(&mut self, wakes: &mut Wakes) {
        let (now, max_age) = (self.clock.now(), self.max_age);
        self.due = NEVER;
        while let Some((topic, raised_at)) = self.topics.raised_longest_ago() {
            if now - raised_at < max_age {
                self.due = raised_at.saturating_add(max_age);
                break;
            }
            self.lower(topic, wakes);
        }
        while let Some(raised_at) = self.history.oldest_at() {
            if now - raised_at < max_age {
                self.due = self.due.min(raised_at.saturating_add(max_age));
                break;
            }
            self.forget_oldest();
        }
    }

    pub(crate) fn set_max_age(&mut self, age: Duration, wakes: &mut Wakes) {
        self.options.max_age = age;
        self.max_age = ticks(age);
        self.age(wakes);
        // Whoever waits for something to age out has set a timer for the old age, and the counts that are published
        // say for how long they hold.
        for (_, interest) in &mut self.interests {
            interest.state_changed(wakes);
            interest.publish(self.max_age);
        }
    }

    pub(crate) fn set_capacity(&mut self, events: usize) {
        self.options.capacity = events.max(1);
        while self.history.len() > self.options.capacity {
            self.forget_oldest();
        }
    }

    /// The topic of this name; a new one learns who looks at it. The caller must pin or raise it.
    pub(crate) fn topic(&mut self, name: &str, key: Option<&str>) -> TopicKey {
        let (topic, is_new) = self.topics.intern(name, key);
        if is_new {
            let mean = |(_, interest): &(usize, &Interest)| interest.patterns.matches(name);
            let interests = self.interests.iter().filter(mean).map(|(at, _)| at).collect();
            self.topics.get_mut(topic).interests = interests;
        }
        topic
    }

    #[inline]
    pub(crate) fn raise(&mut self, raise: Raise<'_>, wakes: &mut Wakes) -> SignalId {
        let (topic, id) = (raise.topic, self.next_id());
        let entered = self.topics.raise(topic, id, self.clock.now());
        if let Some(ledger) = raise.ledger.filter(|_| entered.epoch > 0) {
            let topics = &self.topics;
            self.ledgers.add(ledger, topic, entered.epoch, |entry| topics.epoch(entry.topic) == entry.epoch);
        }
        self.record(raise, (id, SignalKind::Raised, entered));
        while let Some(oldest) = self.topics.excess(self.options.max_raised) {
            self.displaced += 1;
            self.lower(oldest, wakes);
        }
        if !self.topics.get(topic).interests.is_empty() {
            self.show_newest(topic, wakes);
        }
        id
    }

    /// Raises an event about the sink itself, which no callback is told.
    pub(crate) fn note(&mut self, name: &str, payload: &str, wakes: &mut Wakes) -> SignalId {
        let topic = self.topic(name, None);
        let id = self.record_uncounted(Raise::root(topic, Some(payload)), SignalKind::Raised);
        let mut own = Wakes::default();
        self.show_newest(topic, &mut own);
        wakes.add_wakers(own);
        id
    }

    /// Takes back one raise that `operation` added. Says whether there was one.
    pub(crate) fn retract_own(
        &mut self,
        topic: TopicKey,
        operation: OperationId,
        payload: Option<&str>,
        wakes: &mut Wakes,
    ) -> bool {
        let epoch = self.topics.epoch(topic);
        let own = self.ledgers.take(operation, epoch);
        if own {
            // The retraction is recorded first: while the history shows it, the topic cannot vanish.
            let retraction = Raise { operation: Some(operation), ..Raise::root(topic, payload) };
            self.record_uncounted(retraction, SignalKind::Retracted);
            self.topics.take_back(topic, epoch, 1);
            self.show_newest(topic, wakes);
        }
        own
    }

    /// Takes back all raises of a topic, whoever added them. Says whether there were any.
    pub(crate) fn retract_all(&mut self, topic: TopicKey, payload: Option<&str>, wakes: &mut Wakes) -> bool {
        self.topics.pin(topic);
        let any = self.topics.zero(topic);
        if any {
            self.record_uncounted(Raise::root(topic, payload), SignalKind::Retracted);
            self.show_newest(topic, wakes);
        }
        self.topics.unpin(topic);
        any
    }

    pub(crate) fn hold(&mut self, topic: TopicKey, wakes: &mut Wakes) {
        let id = self.record_uncounted(Raise::root(topic, None), SignalKind::Raised);
        self.topics.hold(topic, id);
        self.show_newest(topic, wakes);
    }

    pub(crate) fn release(&mut self, topic: TopicKey, wakes: &mut Wakes) {
        self.record_uncounted(Raise::root(topic, None), SignalKind::Retracted);
        self.topics.release(topic);
        self.show_newest(topic, wakes);
    }

    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    pub(crate) const fn displaced(&self) -> u64 {
        self.displaced
    }

    fn next_id(&mut self) -> SignalId {
        self.newest += 1;
        SignalId(self.newest)
    }

    /// Records an event that changes no count by itself: a retraction, a hold, or a note about the sink.
    fn record_uncounted(&mut self, raise: Raise<'_>, kind: SignalKind) -> SignalId {
        let id = self.next_id();
        let entered = self.topics.pin_event(raise.topic, id, kind);
        self.record(raise, (id, kind, entered));
        id
    }

    /// Appends an event to the history, in the place of the oldest one where the history is full.
    #[inline]
    fn record(
        &mut self,
        raise: Raise<'_>,
        (id, kind, Entered { before, .. }): (SignalId, SignalKind, Entered),
    ) {
        let at = self.clock.now();
        self.due = self.due.min(at.saturating_add(self.max_age));
        let payload = raise.payload.map(Arc::from);
        let Raise { topic, operation, ancestry, .. } = raise;
        if self.history.len() < self.options.capacity {
            let record = Record { id, at, before, operation, payload, ancestry, topic, kind };
            self.history.push(record, self.options.capacity);
        } else if let Some(place) = self.history.recycle() {
            // One field after the other goes straight into the place. A record that is built first and moved then costs
            // as much as all the rest of a raise.
            place.id = id;
            place.at = at;
            place.before = before;
            place.operation = operation;
            place.payload = payload;
            place.ancestry = ancestry;
            place.kind = kind;
            let gone = std::mem::replace(&mut place.topic, topic);
            self.forget_event(gone);
        }
    }

    fn forget_oldest(&mut self) {
        if let Some(gone) = self.history.pop_oldest() {
            self.forget_event(gone.topic);
        }
    }

    /// The history does not show its oldest event any more, which was of this topic.
    #[inline]
    fn forget_event(&mut self, topic: TopicKey) {
        if !self.topics.get(topic).interests.is_empty() {
            self.tell_counters(topic);
        }
        self.topics.unpin(topic);
    }

    /// The counters of a topic must not hold what the history does not show.
    fn tell_counters(&mut self, topic: TopicKey) {
        let (oldest, now) = (self.history.oldest(), self.clock.now());
        for &at in &self.topics.get(topic).interests {
            self.interests[at].forget(now, oldest, self.max_age);
        }
    }

    /// Takes all raises of a topic back without an event: it aged out, was displaced or was cleared.
    pub(crate) fn lower(&mut self, topic: TopicKey, wakes: &mut Wakes) -> bool {
        self.topics.pin(topic);
        let lowered = self.topics.zero(topic);
        if lowered {
            self.tell_watches(topic, wakes);
        }
        self.topics.unpin(topic);
        lowered
    }

    /// Tells the watches of a topic that its state is another one.
    pub(crate) fn tell_watches(&mut self, topic: TopicKey, wakes: &mut Wakes) {
        for &at in &self.topics.get(topic).interests {
            self.interests[at].state_changed(wakes);
        }
    }

    /// Shows the newest event, which is of this topic, to those who look at the topic.
    fn show_newest(&mut self, topic: TopicKey, wakes: &mut Wakes) {
        let topic = self.topics.get(topic);
        let Some(record) = self.history.newest() else { return };
        let build = || record.signal(&topic.label, self.id, self.clock.origin());
        let mut shown = Shown { id: record.id, at: record.at, kind: record.kind, signal: None, build };
        for &at in &topic.interests {
            self.interests[at].show(&mut shown, self.max_age, wakes);
        }
    }
}
