//! The machine that puts batches together: a plain struct that is told the time and never waits.
//!
//! ```text
//!  first item        full, heavy, boundary, flush, close, another key      a slot is free
//! ------------> open ------------------------------------------> due, shut --------------> claimed --> ended
//!                 |      max_delay, no room                                    ^
//!                 +----------------------------> due, open (goes on filling) --+
//! ```

mod epochs;
mod keys;
mod leaving;
mod pending;

#[cfg(test)]
mod model;
#[cfg(test)]
mod play;

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use self::epochs::Epochs;
use self::keys::Keys;
use self::pending::Batches;
pub(crate) use self::pending::Waiter;
use crate::replies::Token;
use crate::{BatcherOptions, FlushReason};

/// How batches of one key go together, and whether items are weighed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Manner {
    /// A key has one batch at a time, in order.
    pub(crate) is_serial: bool,
    pub(crate) weighs: bool,
}

pub(crate) struct State<T, K> {
    limits: BatcherOptions,
    manner: Manner,
    batches: Batches<T>,
    keys: Keys<K>,
    /// Batches that may be handled now, in this order.
    ready: VecDeque<usize>,
    epochs: Epochs,
    items: usize,
    in_flight: usize,
    arrivals: u64,
    turns: u64,
}

/// An item that is to go into a batch.
pub(crate) struct Entry<'a, T, K> {
    /// Taken when the key is new.
    pub(crate) key: &'a mut Option<K>,
    pub(crate) hash: u64,
    pub(crate) item: T,
    pub(crate) weight: u64,
    /// Whether it ends its batch.
    pub(crate) ends: bool,
    /// The hash of its identity, where items have one.
    pub(crate) identity: Option<u64>,
    /// Who waits for its outcome.
    pub(crate) token: Option<Token>,
}

/// What was found of an item before it goes in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    key: Option<usize>,
    /// The item of the same identity, and its batch.
    same: Option<(usize, usize)>,
}

/// Where an item went.
pub(crate) struct Put<T> {
    pub(crate) place: Place,
    /// When the batch that it began is due, if time makes it so.
    pub(crate) deadline: Option<Instant>,
    /// The item, if one of the same identity is there already.
    pub(crate) surplus: Option<T>,
}

/// Where somebody who waits for an item's outcome is to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    at: usize,
    number: u64,
    arrival: u64,
}

/// A batch that was given a slot. Its buffers are swapped with those of the batch, so they are reused.
pub(crate) struct Claim<T> {
    pub(crate) items: Vec<T>,
    pub(crate) waiters: Vec<Waiter>,
    pub(crate) reason: FlushReason,
    key: usize,
    epoch: u64,
}

impl<T> Claim<T> {
    pub(crate) const fn new() -> Self {
        Self { items: Vec::new(), waiters: Vec::new(), reason: FlushReason::Items, key: 0, epoch: 0 }
    }
}

impl Look {
    /// Whether the item joins one that is there already, and so needs no room.
    pub(crate) const fn joins(self) -> bool {
        self.same.is_some()
    }
}

impl<T, K: Eq> State<T, K> {
    pub(crate) fn new(limits: BatcherOptions, manner: Manner) -> Self {
        Self {
            limits,
            manner,
            batches: Batches::new(),
            keys: Keys::new(),
            ready: VecDeque::new(),
            epochs: Epochs::default(),
            items: 0,
            in_flight: 0,
            arrivals: 0,
            turns: 0,
        }
    }

    /// Whether an item of this weight can be in any batch.
    pub(crate) fn is_too_heavy(&self, weight: u64) -> bool {
        self.limits.max_weight.is_some_and(|max| weight > max)
    }

    /// The batch that takes an item which neither begins, fills nor ends it: what most items do, so it is found without a
    /// decision.
    pub(crate) fn find_quickly(&mut self, hash: u64, key: &K, weight: u64) -> Option<usize> {
        let own = self.keys.find(hash, key)?;
        let open = self.keys.get(own)?.open?;
        let pending = self.batches.get(open);
        let is_light = self.limits.max_weight.is_none_or(|max| pending.weight.saturating_add(weight) < max);
        (pending.items.len() + 1 < self.limits.max_items && is_light).then_some(open)
    }

    /// Puts an item into a batch that was [found](Self::find_quickly), after which nothing has changed.
    pub(crate) fn put_quickly(
        &mut self,
        open: usize,
        item: T,
        weight: u64,
        token: Option<Token>,
    ) -> Option<Place> {
        let pending = self.batches.get_mut(open);
        let at = pending.items.len();
        pending.items.push(item);
        pending.weight = pending.weight.saturating_add(weight);
        if self.manner.weighs {
            pending.weights.push(weight);
        }
        self.items += 1;
        token.map(|token| self.wait(open, at, Some(token)))
    }

    /// Looks where an item would go. Compares keys and items, which is foreign code, and so changes nothing.
    pub(crate) fn look(
        &mut self,
        hash: u64,
        key: &K,
        identity: Option<u64>,
        mut is_same: impl FnMut(&T) -> bool,
    ) -> Look {
        let key = self.keys.find(hash, key);
        let open = key.and_then(|key| self.keys.get(key)).and_then(|own| own.open);
        let same = open.zip(identity).and_then(|(open, identity)| {
            let batch = self.batches.get(open);
            let same = batch.same.find(identity, |same| is_same(&batch.items[same.at]))?;
            Some((open, same.at))
        });
        Look { key, same }
    }

    /// Puts an item where the look, after which nothing has changed, says.
    pub(crate) fn put(
        &mut self,
        entry: Entry<'_, T, K>,
        look: Look,
        now: impl FnOnce() -> Instant,
    ) -> Put<T> {
        let Entry { key, hash, item, weight, ends, identity, token } = entry;
        if let Some((batch, at)) = look.same {
            let place = self.wait(batch, at, token);
            if ends {
                self.shut(batch, FlushReason::Boundary);
            }
            return Put { place, deadline: None, surplus: Some(item) };
        }
        let own = match (look.key, key.take()) {
            (Some(own), unneeded) => {
                *key = unneeded;
                own
            }
            (None, Some(new)) => self.keys.insert(hash, new),
            // Every entry brings its key.
            (None, None) => 0,
        };
        self.keys.note(own);
        let (batch, deadline) = self.batch_for(own, weight, now);
        let pending = self.batches.get_mut(batch);
        let at = pending.items.len();
        pending.items.push(item);
        pending.weight = pending.weight.saturating_add(weight);
        if self.manner.weighs {
            pending.weights.push(weight);
        }
        if let Some(identity) = identity {
            pending.insert_same(identity, at);
        }
        let (items, weighs) = (pending.items.len(), pending.weight);
        self.items += 1;
        let place = if token.is_some() || identity.is_some() {
            self.wait(batch, at, token)
        } else {
            Place { at: batch, number: self.batches.number(batch), arrival: 0 }
        };
        if items >= self.limits.max_items {
            self.shut(batch, FlushReason::Items);
        } else if self.limits.max_weight.is_some_and(|max| weighs >= max) {
            self.shut(batch, FlushReason::Weight);
        } else if ends {
            self.shut(batch, FlushReason::Boundary);
        } else if self.limits.max_delay == Some(Duration::ZERO) {
            self.fall_due(batch, FlushReason::Delay);
        } else {
            return Put { place, deadline, surplus: None };
        }
        Put { place, deadline: None, surplus: None }
    }

    /// The batch of the key that has room for so much more, and when it is due if it begins now.
    fn batch_for(
        &mut self,
        key: usize,
        weight: u64,
        now: impl FnOnce() -> Instant,
    ) -> (usize, Option<Instant>) {
        if let Some(open) = self.keys.get(key).and_then(|own| own.open) {
            let after = self.batches.get(open).weight.saturating_add(weight);
            if self.limits.max_weight.is_none_or(|max| after <= max) {
                return (open, None);
            }
            self.shut(open, FlushReason::Weight);
        }
        if self.batches.filling() >= self.limits.max_keys
            && let Some(oldest) = self.batches.oldest()
        {
            self.shut(oldest, FlushReason::Keys);
        }
        // Where every batch is due with its first item, no time is counted from there.
        let opened_at = (self.limits.max_delay != Some(Duration::ZERO)).then(now);
        let epoch = self.epochs.begin();
        let batch = self.batches.begin(key, epoch, opened_at);
        if let Some(own) = self.keys.get(key) {
            own.open = Some(batch);
        }
        (batch, opened_at.zip(self.limits.max_delay).and_then(|(opened, delay)| opened.checked_add(delay)))
    }

    fn wait(&mut self, batch: usize, at: usize, token: Option<Token>) -> Place {
        self.arrivals += 1;
        let arrival = self.arrivals;
        self.batches.get_mut(batch).waiters.push(Waiter { at, token, arrival });
        Place { at: batch, number: self.batches.number(batch), arrival }
    }

    /// Nothing more goes into the batch, which is due.
    fn shut(&mut self, batch: usize, reason: FlushReason) {
        let pending = self.batches.get_mut(batch);
        pending.is_open = false;
        let key = pending.key;
        if let Some(own) = self.keys.get(key)
            && own.open == Some(batch)
        {
            own.open = None;
        }
        self.fall_due(batch, reason);
    }

    /// The batch may be handled as soon as a slot is free. Whether more may go in until then does not change.
    fn fall_due(&mut self, batch: usize, reason: FlushReason) {
        let pending = self.batches.get_mut(batch);
        if pending.is_due {
            return;
        }
        pending.is_due = true;
        pending.reason = reason;
        let key = pending.key;
        self.batches.unlist(batch);
        match self.keys.get(key) {
            Some(own) if self.manner.is_serial && own.is_busy => own.line.push_back(batch),
            Some(own) => {
                own.is_busy = self.manner.is_serial;
                self.line_up(batch);
            }
            None => self.line_up(batch),
        }
    }

    /// The batch waits for a slot, behind all others.
    fn line_up(&mut self, batch: usize) {
        self.turns += 1;
        self.batches.get_mut(batch).turn = self.turns;
        self.ready.push_back(batch);
    }

    /// What has waited for long enough is due. Returns when the next one is.
    pub(crate) fn tick(&mut self, now: Instant) -> Option<Instant> {
        let delay = self.limits.max_delay?;
        while let Some(oldest) = self.batches.oldest() {
            let due = self.batches.get(oldest).opened_at.and_then(|opened| opened.checked_add(delay));
            if due.is_none_or(|due| due > now) {
                return due;
            }
            self.fall_due(oldest, FlushReason::Delay);
        }
        None
    }

    /// No more items have room: what has begun to fill may leave.
    pub(crate) fn make_room(&mut self) {
        while self.ready.is_empty()
            && let Some(oldest) = self.batches.oldest()
        {
            self.fall_due(oldest, FlushReason::Room);
        }
    }

    /// Everything is due, and nothing more goes into what has begun.
    pub(crate) fn shut_all(&mut self, reason: FlushReason) {
        while let Some(oldest) = self.batches.oldest() {
            self.shut(oldest, reason);
        }
        // What is due may still take items, too.
        for batch in self.batches.places() {
            if self.batches.is_taken(batch) && self.batches.get(batch).is_open {
                self.shut(batch, reason);
            }
        }
    }

    /// As [`shut_all`](Self::shut_all); returns the mark that is reached when all of that has ended.
    pub(crate) fn flush(&mut self) -> u64 {
        self.shut_all(FlushReason::Flush);
        self.epochs.mark()
    }

    pub(crate) fn has_reached(&self, mark: u64) -> bool {
        self.epochs.has_reached(mark)
    }

    pub(crate) fn set_limits(&mut self, limits: &BatcherOptions) {
        self.limits.clone_from(limits);
        let mut next = self.batches.oldest();
        while let Some(batch) = next {
            next = self.batches.after(batch);
            let pending = self.batches.get(batch);
            if pending.items.len() >= limits.max_items {
                self.shut(batch, FlushReason::Items);
            } else if limits.max_weight.is_some_and(|max| pending.weight >= max) {
                self.shut(batch, FlushReason::Weight);
            }
        }
        while self.batches.filling() > limits.max_keys
            && let Some(oldest) = self.batches.oldest()
        {
            self.shut(oldest, FlushReason::Keys);
        }
    }

    /// Items that no handler has.
    pub(crate) const fn items(&self) -> usize {
        self.items
    }

    pub(crate) const fn in_flight(&self) -> usize {
        self.in_flight
    }

    pub(crate) const fn max_in_flight(&self) -> usize {
        self.limits.max_in_flight
    }

    pub(crate) fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is nothing, neither here nor with a handler.
    pub(crate) const fn is_empty(&self) -> bool {
        self.batches.len() == 0 && self.in_flight == 0
    }
}
