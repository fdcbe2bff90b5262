//! The sink without its lock: history and state change together, in one order for everybody.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use crate::cause::Lineage;
use crate::history::{History, Record};
use crate::interest::{Interest, Interested, Wakes};
use crate::ledger::Ledgers;
use crate::signal::{SinkId, Visited};
use crate::topics::{TopicKey, Topics};
use crate::{OperationId, PatternSet, Raised, Signal, SignalId, SignalKind, SignalOptions};

pub(crate) struct State {
    pub(crate) id: SinkId,
    pub(crate) options: SignalOptions,
    pub(crate) topics: Topics,
    pub(crate) history: History,
    pub(crate) ledgers: Ledgers,
    interests: Slab<Interest>,
    clock: Instant,
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
    pub(crate) lineage: Lineage,
    pub(crate) visited: Option<Arc<Visited>>,
}

impl<'a> Raise<'a> {
    /// Something that nothing caused and nobody forwarded.
    pub(crate) const fn root(topic: TopicKey, payload: Option<&'a str>) -> Self {
        Self { topic, payload, operation: None, lineage: Lineage::ROOT, visited: None }
    }
}

impl State {
    pub(crate) fn new(options: SignalOptions, now: Instant) -> Self {
        Self {
            id: SinkId(SINKS.fetch_add(1, Ordering::Relaxed)),
            options,
            topics: Topics::new(),
            history: History::default(),
            ledgers: Ledgers::default(),
            interests: Slab::new(),
            clock: now,
            newest: 0,
            displaced: 0,
        }
    }

    /// Applies age. Every use of the state begins here. The sink's clock never goes backwards, whatever reading a
    /// caller brings.
    pub(crate) fn advance(&mut self, now: Instant, wakes: &mut Wakes) {
        self.clock = self.clock.max(now);
        while let Some(topic) = self.topics.aged(self.clock, self.options.max_age) {
            self.lower(topic, wakes);
        }
        self.shrink_history();
    }

    /// The topic of this name; a new one learns who looks at it. The caller must pin or raise it.
    pub(crate) fn topic(&mut self, name: &str, key: Option<&str>) -> TopicKey {
        let (topic, is_new) = self.topics.intern(name, key, self.clock);
        if is_new {
            let mean = |(_, interest): &(usize, &Interest)| interest.patterns.matches(name);
            let interests = self.interests.iter().filter(mean).map(|(at, _)| at).collect();
            self.topics.get_mut(topic).interests = interests;
        }
        topic
    }

    pub(crate) fn raise(&mut self, raise: &Raise<'_>, wakes: &mut Wakes) -> Signal {
        let topic = raise.topic;
        let signal = self.record(raise, SignalKind::Raised);
        if !self.topics.get(topic).is_history_only() {
            let epoch = self.topics.add(topic, signal.id, self.clock);
            if let Some(operation) = raise.operation {
                let topics = &self.topics;
                self.ledgers.add(operation, topic, epoch, |entry| topics.epoch(entry.topic) == entry.epoch);
            }
            while let Some(oldest) = self.topics.excess(self.options.max_raised) {
                self.displaced += 1;
                self.lower(oldest, wakes);
            }
        }
        self.show(topic, &signal, wakes);
        signal
    }

    /// Raises an event about the sink itself, which no callback is told.
    pub(crate) fn note(&mut self, name: &str, payload: &str, wakes: &mut Wakes) -> Signal {
        let topic = self.topic(name, None);
        let signal = self.record(&Raise::root(topic, Some(payload)), SignalKind::Raised);
        let mut own = Wakes::default();
        self.show(topic, &signal, &mut own);
        wakes.add_wakers(own);
        signal
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
        let own = self.ledgers.take(operation, topic, epoch);
        if own {
            // The retraction is recorded first: while the history shows it, the topic cannot vanish.
            let retraction = Raise { operation: Some(operation), ..Raise::root(topic, payload) };
            let signal = self.record(&retraction, SignalKind::Retracted);
            self.topics.take_back(topic, epoch, 1);
            self.show(topic, &signal, wakes);
        }
        own
    }

    /// Takes back all raises of a topic, whoever added them. Says whether there were any.
    pub(crate) fn retract_all(&mut self, topic: TopicKey, payload: Option<&str>, wakes: &mut Wakes) -> bool {
        self.topics.pin(topic);
        let any = self.topics.zero(topic);
        if any {
            let signal = self.record(&Raise::root(topic, payload), SignalKind::Retracted);
            self.show(topic, &signal, wakes);
        }
        self.topics.unpin(topic);
        any
    }

    pub(crate) fn hold(&mut self, topic: TopicKey, wakes: &mut Wakes) {
        let signal = self.record(&Raise::root(topic, None), SignalKind::Raised);
        self.topics.hold(topic, signal.id);
        self.show(topic, &signal, wakes);
    }

    pub(crate) fn release(&mut self, topic: TopicKey, wakes: &mut Wakes) {
        let signal = self.record(&Raise::root(topic, None), SignalKind::Retracted);
        self.topics.release(topic);
        self.show(topic, &signal, wakes);
    }

    /// Removes the events that `goes` picks and takes all raises of the topics that `lowers` picks back.
    /// What remains is one `sink.cleared` event that carries the number removed.
    pub(crate) fn clear(
        &mut self,
        goes: impl Fn(&Signal) -> bool,
        lowers: impl Fn(&str) -> bool,
        wakes: &mut Wakes,
    ) -> usize {
        let chosen = self.topics.iter().filter(|(_, topic)| lowers(&topic.label.name));
        let chosen: Vec<TopicKey> = chosen.map(|(key, _)| key).collect();
        let mut lowered = false;
        for topic in chosen {
            lowered |= self.lower(topic, wakes);
        }
        self.remove(goes, lowered, wakes)
    }

    /// Removes the events of one operation and takes the raises back that it added.
    pub(crate) fn clear_operation(&mut self, operation: OperationId, wakes: &mut Wakes) -> usize {
        let mut lowered = false;
        for entry in self.ledgers.take_all(operation) {
            if self.topics.epoch(entry.topic) != entry.epoch {
                continue;
            }
            self.topics.pin(entry.topic);
            if self.topics.take_back(entry.topic, entry.epoch, entry.raises) {
                tell(&self.topics, &mut self.interests, entry.topic, wakes);
                lowered = true;
            }
            self.topics.unpin(entry.topic);
        }
        self.remove(|signal| signal.operation == Some(operation), lowered, wakes)
    }

    pub(crate) fn raised(&self, patterns: &PatternSet) -> Vec<Raised> {
        let meant = self.topics.iter().filter(|(_, topic)| patterns.matches(&topic.label.name));
        meant.filter_map(|(_, topic)| topic.raised(self.options.max_age)).collect()
    }

    /// Counts raises by walking the events of the topics that are meant, and no others.
    pub(crate) fn count(&self, patterns: &PatternSet, within: Duration) -> usize {
        let meant = self.topics.iter().filter(|(_, topic)| patterns.matches(&topic.label.name));
        meant.map(|(_, topic)| self.count_from(topic.newest_event, within)).sum()
    }

    fn count_from(&self, newest: u64, within: Duration) -> usize {
        let young = |record: &&Record| self.clock.saturating_duration_since(record.signal.at) < within;
        let next = |id| self.history.get(id).filter(young);
        std::iter::successors(next(newest), |record| next(record.before)).count()
    }

    pub(crate) fn listen(&mut self, interest: Interest) -> usize {
        let at = self.interests.insert(interest);
        let patterns = &self.interests[at].patterns;
        for (_, topic) in self.topics.iter_mut() {
            if patterns.matches(&topic.label.name) {
                topic.interests.push(at);
            }
        }
        at
    }

    pub(crate) fn interest(&mut self, at: usize) -> &mut Interested {
        &mut self.interests[at].of
    }

    pub(crate) fn unlisten(&mut self, at: usize) -> Interest {
        for (_, topic) in self.topics.iter_mut() {
            topic.interests.retain(|&interest| interest != at);
        }
        self.interests.remove(at)
    }

    /// Tells every watch to look again.
    pub(crate) fn touch_watches(&mut self, wakes: &mut Wakes) {
        for (_, interest) in &mut self.interests {
            interest.state_changed(wakes);
        }
    }

    pub(crate) const fn now(&self) -> Instant {
        self.clock
    }

    pub(crate) const fn newest(&self) -> u64 {
        self.newest
    }

    pub(crate) const fn displaced(&self) -> u64 {
        self.displaced
    }

    fn record(&mut self, raise: &Raise<'_>, kind: SignalKind) -> Signal {
        self.newest += 1;
        self.topics.pin(raise.topic);
        let topic = self.topics.get_mut(raise.topic);
        let signal = Signal {
            id: SignalId(self.newest),
            kind,
            sink: self.id,
            label: Arc::clone(&topic.label),
            payload: raise.payload.map(Arc::from),
            operation: raise.operation,
            at: self.clock,
            lineage: raise.lineage.clone(),
            visited: raise.visited.clone(),
        };
        let before = match kind {
            SignalKind::Raised => std::mem::replace(&mut topic.newest_event, self.newest),
            SignalKind::Retracted => 0,
        };
        self.history.push(Record { signal: signal.clone(), topic: raise.topic, before });
        self.shrink_history();
        signal
    }

    fn shrink_history(&mut self) {
        let SignalOptions { capacity, max_age, .. } = self.options;
        while let Some(gone) = self.history.pop_excess(capacity, self.clock, max_age) {
            self.topics.unpin(gone.topic);
        }
    }

    /// Takes all raises of a topic back without an event: it aged out, was displaced or was cleared.
    fn lower(&mut self, topic: TopicKey, wakes: &mut Wakes) -> bool {
        self.topics.pin(topic);
        let lowered = self.topics.zero(topic);
        if lowered {
            tell(&self.topics, &mut self.interests, topic, wakes);
        }
        self.topics.unpin(topic);
        lowered
    }

    fn show(&mut self, topic: TopicKey, signal: &Signal, wakes: &mut Wakes) {
        let oldest = self.history.oldest();
        for &at in &self.topics.get(topic).interests {
            self.interests[at].show(signal, oldest, wakes);
        }
    }

    fn remove(&mut self, goes: impl Fn(&Signal) -> bool, lowered: bool, wakes: &mut Wakes) -> usize {
        let gone = self.history.remove(|record| goes(&record.signal));
        if gone.is_empty() && !lowered {
            return 0;
        }
        for record in &gone {
            self.topics.unpin(record.topic);
        }
        self.relink();
        let cleared = self.topic("sink.cleared", None);
        let payload = gone.len().to_string();
        self.raise(&Raise::root(cleared, Some(&payload)), wakes);
        gone.len()
    }

    /// After a removal from the middle: walks and counters must not meet what is gone.
    fn relink(&mut self) {
        for (_, topic) in self.topics.iter_mut() {
            topic.newest_event = 0;
        }
        let topics = &mut self.topics;
        self.history.relink(|record| match record.signal.kind {
            SignalKind::Raised => {
                std::mem::replace(&mut topics.get_mut(record.topic).newest_event, record.signal.id.0)
            }
            SignalKind::Retracted => 0,
        });
        for (_, interest) in &mut self.interests {
            if let Interested::Counter(window) = &mut interest.of {
                window.retain(|id| self.history.get(id).is_some());
            }
        }
    }
}

/// Tells the watches of a topic that its state is another one.
fn tell(topics: &Topics, interests: &mut Slab<Interest>, topic: TopicKey, wakes: &mut Wakes) {
    for &at in &topics.get(topic).interests {
        interests[at].state_changed(wakes);
    }
}
