//! Interned names, what is raised, and in which order it was raised.
//!
//! A *topic* is a name with its key. It stays interned while the history shows it, a handle names it, or it is
//! raised. Topics whose raises count stand in a list from the one raised longest ago to the newest, so ageing
//! and the bound on raised names both take from the front.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};
use slab::Slab;

use crate::clock::Ticks;
use crate::signal::Label;
use crate::{SignalId, SignalKind};

/// A topic's place in the table. It may be reused after the topic has left. Half the width of a pointer, since every
/// event of the history names one.
pub(crate) type TopicKey = u32;

/// A link of the list that leads nowhere.
const NOWHERE: TopicKey = TopicKey::MAX;

#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) label: Arc<Label>,
    /// Who looks at this name: keys of the interests whose patterns mean it.
    pub(crate) interests: Vec<usize>,
    /// Names under `sink.` tell about the sink itself: they have a history and no state.
    pub(crate) is_history_only: bool,
    /// Handles and history events that keep the topic interned.
    pins: usize,
    /// The newest raise that the history shows, where a walk over this topic's events begins; 0 for none.
    pub(crate) newest_event: u64,
    count: u64,
    holds: usize,
    newest: SignalId,
    /// The newest raise that is no hold, which is the newest again when the last hold is gone.
    newest_raise: SignalId,
    counted_at: Ticks,
    /// Names one life of the count. Whoever wants to take a raise back must name the life that it was added to.
    epoch: u64,
    older: TopicKey,
    newer: TopicKey,
}

/// What a topic says to a new event of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entered {
    /// The raise that the history shows before it; 0 for none.
    pub(crate) before: u64,
    /// The life of the count that the raise went into; 0, which no life has, for an event that does not count.
    pub(crate) epoch: u64,
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

    #[inline]
    pub(crate) fn get(&self, key: TopicKey) -> &Topic {
        &self.slots[key as usize]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, key: TopicKey) -> &mut Topic {
        &mut self.slots[key as usize]
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (TopicKey, &Topic)> {
        self.slots.iter().map(|(at, topic)| (key_of(at), topic))
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Topic> {
        self.slots.iter_mut().map(|(_, topic)| topic)
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn find(&self, name: &str, key: Option<&str>) -> Option<TopicKey> {
        let hash = self.hasher.hash_one((name, key));
        self.index.find(hash, |&at| self.get(at).is(name, key)).copied()
    }

    /// The topic of this name and key, made if it is not there. A new one still has no interests.
    pub(crate) fn intern(&mut self, name: &str, key: Option<&str>) -> (TopicKey, bool) {
        let hash = self.hasher.hash_one((name, key));
        if let Some(&at) = self.index.find(hash, |&at| self.get(at).is(name, key)) {
            return (at, false);
        }
        let label = Arc::new(Label { name: name.into(), key: key.map(Into::into) });
        let at = key_of(self.slots.insert(Topic::new(label)));
        let (slots, hasher) = (&self.slots, &self.hasher);
        self.index.insert_unique(hash, at, |&at| slots[at as usize].hash(hasher));
        (at, true)
    }

    pub(crate) fn pin(&mut self, key: TopicKey) {
        self.get_mut(key).pins += 1;
    }

    #[inline]
    pub(crate) fn unpin(&mut self, key: TopicKey) {
        let topic = self.get_mut(key);
        topic.pins -= 1;
        if topic.pins == 0 {
            self.forget_if_unused(key);
        }
    }

    /// Pins the topic for an event of the history that is no raise of the count.
    pub(crate) fn pin_event(&mut self, key: TopicKey, id: SignalId, kind: SignalKind) -> Entered {
        let topic = self.get_mut(key);
        topic.pins += 1;
        let before = match kind {
            SignalKind::Raised => std::mem::replace(&mut topic.newest_event, id.0),
            SignalKind::Retracted => 0,
        };
        Entered { before, epoch: 0 }
    }

    /// Pins the topic for a raise and, if it has a state, adds one to its count.
    #[inline]
    pub(crate) fn raise(&mut self, key: TopicKey, id: SignalId, now: Ticks) -> Entered {
        let topic = &mut self.slots[key as usize];
        topic.pins += 1;
        let before = std::mem::replace(&mut topic.newest_event, id.0);
        if topic.is_history_only {
            return Entered { before, epoch: 0 };
        }
        let was_counted = topic.count > 0;
        if !was_counted {
            self.epochs += 1;
            topic.epoch = self.epochs;
        }
        topic.count += 1;
        topic.newest = id;
        topic.newest_raise = id;
        topic.counted_at = now;
        let epoch = topic.epoch;
        // A name that is raised again and again stays where it stands.
        if self.newest != key {
            self.move_to_newest(key, was_counted);
        }
        Entered { before, epoch }
    }

    /// Takes `raises` back, if the count still is in the life that they were added to. Says whether it did.
    pub(crate) fn take_back(&mut self, key: TopicKey, epoch: u64, raises: u64) -> bool {
        let current = self.slots.get_mut(key as usize);
        let Some(topic) = current.filter(|topic| topic.count > 0 && topic.epoch == epoch) else {
            return false;
        };
        topic.count = topic.count.saturating_sub(raises);
        if topic.count == 0 {
            self.unlink(key);
            self.forget_if_unused(key);
        }
        true
    }

    /// Takes all raises of a topic back, holds aside. Says whether there were any.
    pub(crate) fn zero(&mut self, key: TopicKey) -> bool {
        let epoch = self.get(key).epoch;
        self.take_back(key, epoch, u64::MAX)
    }

    pub(crate) fn hold(&mut self, key: TopicKey, id: SignalId) {
        let topic = self.get_mut(key);
        topic.holds += 1;
        topic.newest = id;
    }

    pub(crate) fn release(&mut self, key: TopicKey) {
        let topic = self.get_mut(key);
        topic.holds -= 1;
        if topic.holds == 0 {
            topic.newest = topic.newest_raise;
        }
        self.forget_if_unused(key);
    }

    /// The topic that was raised longest ago, and when that was.
    pub(crate) fn raised_longest_ago(&self) -> Option<(TopicKey, Ticks)> {
        self.slots.get(self.oldest as usize).map(|topic| (self.oldest, topic.counted_at))
    }

    /// The topic that was raised longest ago, if more than `most` are raised.
    #[inline]
    pub(crate) fn excess(&self, most: usize) -> Option<TopicKey> {
        (self.counted > most).then_some(self.oldest)
    }

    /// The life that the topic's count is in now; 0, which no life has, when it does not count.
    pub(crate) fn epoch(&self, key: TopicKey) -> u64 {
        self.slots.get(key as usize).filter(|topic| topic.count > 0).map_or(0, |topic| topic.epoch)
    }

    fn forget_if_unused(&mut self, key: TopicKey) {
        let topic = self.get(key);
        if topic.pins == 0 && topic.count == 0 && topic.holds == 0 {
            let hash = topic.hash(&self.hasher);
            if let Ok(entry) = self.index.find_entry(hash, |&at| at == key) {
                entry.remove();
            }
            self.slots.remove(key as usize);
        }
    }

    fn move_to_newest(&mut self, key: TopicKey, was_counted: bool) {
        if was_counted {
            self.unlink(key);
        }
        self.link_newest(key);
    }

    fn link_newest(&mut self, key: TopicKey) {
        let before = std::mem::replace(&mut self.newest, key);
        let topic = self.get_mut(key);
        (topic.older, topic.newer) = (before, NOWHERE);
        match self.slots.get_mut(before as usize) {
            Some(topic) => topic.newer = key,
            None => self.oldest = key,
        }
        self.counted += 1;
    }

    fn unlink(&mut self, key: TopicKey) {
        let Topic { older, newer, .. } = *self.get(key);
        match self.slots.get_mut(older as usize) {
            Some(topic) => topic.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer as usize) {
            Some(topic) => topic.older = older,
            None => self.newest = older,
        }
        self.counted -= 1;
    }
}

/// A table of four thousand million topics would not fit into memory.
fn key_of(at: usize) -> TopicKey {
    TopicKey::try_from(at).unwrap_or_else(|_| unreachable!("more topics than memory has room for"))
}

impl Topic {
    fn new(label: Arc<Label>) -> Self {
        Self {
            is_history_only: label.name.starts_with("sink."),
            label,
            interests: Vec::new(),
            pins: 0,
            newest_event: 0,
            count: 0,
            holds: 0,
            newest: SignalId(0),
            newest_raise: SignalId(0),
            counted_at: 0,
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

    /// The newest raise, if the topic is raised. Ageing must have been applied.
    pub(crate) fn raised(&self) -> Option<SignalId> {
        let is_raised = self.count > 0 || self.holds > 0;
        (is_raised && !self.is_history_only).then_some(self.newest)
    }

    /// How many raises and holds count. Ageing must have been applied.
    pub(crate) const fn raises(&self) -> u64 {
        self.count + self.holds as u64
    }

    /// When the newest raise that ages was raised; `None` while the topic is held, for a hold does not age.
    pub(crate) fn ages_from(&self) -> Option<Ticks> {
        (self.holds == 0).then_some(self.counted_at)
    }
}
