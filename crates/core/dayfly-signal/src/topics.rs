//! Interned names, what is raised, and in which order it was raised.
//!
//! A *topic* is a name with its key. It stays interned while the history shows it, a handle names it, or it is
//! raised. Topics whose raises count stand in a list from the one raised longest ago to the newest, so ageing
//! and the bound on raised names both take from the front.

use std::hash::BuildHasher;
use std::sync::Arc;
use std::time::Duration;

use hashbrown::{DefaultHashBuilder, HashTable};
use slab::Slab;
use tokio::time::Instant;

use crate::SignalId;
use crate::signal::{Label, Raised};

/// A topic's place in the table. It may be reused after the topic has left.
pub(crate) type TopicKey = usize;

/// A link of the list that leads nowhere.
const NOWHERE: TopicKey = usize::MAX;

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) label: Arc<Label>,
    /// Who looks at this name: keys of the interests whose patterns mean it.
    pub(crate) interests: Vec<usize>,
    /// Handles and history events that keep the topic interned.
    pins: usize,
    /// The newest raise that the history shows, where a walk over this topic's events begins; 0 for none.
    pub(crate) newest_event: u64,
    count: u64,
    holds: usize,
    newest: SignalId,
    counted_at: Instant,
    /// Names one life of the count. Whoever wants to take a raise back must name the life that it was added to.
    epoch: u64,
    older: TopicKey,
    newer: TopicKey,
}

#[derive(Debug)]
pub(crate) struct Topics {
    slots: Slab<Topic>,
    index: HashTable<TopicKey>,
    hasher: DefaultHashBuilder,
    oldest: TopicKey,
    newest: TopicKey,
    counted: usize,
    epochs: u64,
}

impl Topics {
    pub(crate) fn new() -> Self {
        Self {
            slots: Slab::new(),
            index: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            oldest: NOWHERE,
            newest: NOWHERE,
            counted: 0,
            epochs: 0,
        }
    }

    pub(crate) fn get(&self, key: TopicKey) -> &Topic {
        &self.slots[key]
    }

    pub(crate) fn get_mut(&mut self, key: TopicKey) -> &mut Topic {
        &mut self.slots[key]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TopicKey, &Topic)> {
        self.slots.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = (TopicKey, &mut Topic)> {
        self.slots.iter_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn find(&self, name: &str, key: Option<&str>) -> Option<TopicKey> {
        let hash = self.hasher.hash_one((name, key));
        self.index.find(hash, |&at| self.slots[at].is(name, key)).copied()
    }

    /// The topic of this name and key, made if it is not there. A new one still has no interests.
    pub(crate) fn intern(&mut self, name: &str, key: Option<&str>, now: Instant) -> (TopicKey, bool) {
        let hash = self.hasher.hash_one((name, key));
        if let Some(&at) = self.index.find(hash, |&at| self.slots[at].is(name, key)) {
            return (at, false);
        }
        let label = Arc::new(Label { name: name.into(), key: key.map(Into::into) });
        let at = self.slots.insert(Topic::new(label, now));
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, at, |&at| slots[at].hash(hasher));
        (at, true)
    }

    pub(crate) fn pin(&mut self, key: TopicKey) {
        self.slots[key].pins += 1;
    }

    pub(crate) fn unpin(&mut self, key: TopicKey) {
        self.slots[key].pins -= 1;
        self.forget_if_unused(key);
    }

    /// Adds one raise. Returns the life of the count that it went into.
    pub(crate) fn add(&mut self, key: TopicKey, id: SignalId, now: Instant) -> u64 {
        if self.slots[key].count == 0 {
            self.epochs += 1;
            self.slots[key].epoch = self.epochs;
        } else {
            self.unlink(key);
        }
        self.link_newest(key);
        let topic = &mut self.slots[key];
        topic.count += 1;
        topic.newest = id;
        topic.counted_at = now;
        topic.epoch
    }

    /// Takes `raises` back, if the count still is in the life that they were added to. Says whether it did.
    pub(crate) fn take_back(&mut self, key: TopicKey, epoch: u64, raises: u64) -> bool {
        let current = self.slots.get(key).filter(|topic| topic.count > 0 && topic.epoch == epoch);
        let Some(left) = current.map(|topic| topic.count.saturating_sub(raises)) else { return false };
        self.slots[key].count = left;
        if left == 0 {
            self.unlink(key);
            self.forget_if_unused(key);
        }
        true
    }

    /// Takes all raises of a topic back, holds aside. Says whether there were any.
    pub(crate) fn zero(&mut self, key: TopicKey) -> bool {
        let epoch = self.slots[key].epoch;
        self.take_back(key, epoch, u64::MAX)
    }

    pub(crate) fn hold(&mut self, key: TopicKey, id: SignalId) {
        let topic = &mut self.slots[key];
        topic.holds += 1;
        topic.newest = id;
    }

    pub(crate) fn release(&mut self, key: TopicKey) {
        self.slots[key].holds -= 1;
        self.forget_if_unused(key);
    }

    /// The topic that was raised longest ago, if its raises have reached `max_age`.
    pub(crate) fn aged(&self, now: Instant, max_age: Duration) -> Option<TopicKey> {
        let oldest = self.slots.get(self.oldest)?;
        (now.saturating_duration_since(oldest.counted_at) >= max_age).then_some(self.oldest)
    }

    /// The topic that was raised longest ago, if more than `most` are raised.
    pub(crate) fn excess(&self, most: usize) -> Option<TopicKey> {
        (self.counted > most).then_some(self.oldest)
    }

    /// The life that the topic's count is in now; 0, which no life has, when it does not count.
    pub(crate) fn epoch(&self, key: TopicKey) -> u64 {
        self.slots.get(key).filter(|topic| topic.count > 0).map_or(0, |topic| topic.epoch)
    }

    fn forget_if_unused(&mut self, key: TopicKey) {
        let topic = &self.slots[key];
        if topic.pins == 0 && topic.count == 0 && topic.holds == 0 {
            let hash = topic.hash(&self.hasher);
            if let Ok(entry) = self.index.find_entry(hash, |&at| at == key) {
                entry.remove();
            }
            self.slots.remove(key);
        }
    }

    fn link_newest(&mut self, key: TopicKey) {
        let before = std::mem::replace(&mut self.newest, key);
        self.slots[key].older = before;
        self.slots[key].newer = NOWHERE;
        match self.slots.get_mut(before) {
            Some(topic) => topic.newer = key,
            None => self.oldest = key,
        }
        self.counted += 1;
    }

    fn unlink(&mut self, key: TopicKey) {
        let (older, newer) = (self.slots[key].older, self.slots[key].newer);
        match self.slots.get_mut(older) {
            Some(topic) => topic.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer) {
            Some(topic) => topic.older = older,
            None => self.newest = older,
        }
        self.counted -= 1;
    }
}

impl Topic {
    fn new(label: Arc<Label>, now: Instant) -> Self {
        Self {
            label,
            interests: Vec::new(),
            pins: 0,
            newest_event: 0,
            count: 0,
            holds: 0,
            newest: SignalId(0),
            counted_at: now,
            epoch: 0,
            older: NOWHERE,
            newer: NOWHERE,
        }
    }

    fn is(&self, name: &str, key: Option<&str>) -> bool {
        *self.label.name == *name && self.label.key.as_deref() == key
    }

    fn hash(&self, hasher: &DefaultHashBuilder) -> u64 {
        hasher.hash_one((&*self.label.name, self.label.key.as_deref()))
    }

    /// Names under `sink.` tell about the sink itself: they have a history and no state.
    pub(crate) fn is_history_only(&self) -> bool {
        self.label.name.starts_with("sink.")
    }

    /// The topic as a raised one, or `None` when it is not raised. Ageing must have been applied.
    pub(crate) fn raised(&self, max_age: Duration) -> Option<Raised> {
        if (self.count == 0 && self.holds == 0) || self.is_history_only() {
            return None;
        }
        // An age that reaches beyond the clock's range never ends.
        let expires_at = if self.holds > 0 { None } else { self.counted_at.checked_add(max_age) };
        Some(Raised { label: Arc::clone(&self.label), newest: self.newest, expires_at })
    }
}
