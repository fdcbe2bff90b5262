//! Batches that no handler has taken yet, in places that are reused with their buffers.

use hashbrown::HashTable;
use tokio::time::Instant;

use super::Claim;
use crate::FlushReason;
use crate::replies::Token;

/// Free places that keep their buffers; those beyond give the memory back.
const KEPT: usize = 64;

/// One batch that fills, or waits for a slot.
pub(super) struct Pending<T> {
    /// Drawn when the batch begins, and never drawn again; absent while the place is free.
    number: Option<u64>,
    pub(super) items: Vec<T>,
    /// What each item weighs; empty where nobody weighs.
    pub(super) weights: Vec<u64>,
    pub(super) weight: u64,
    pub(super) waiters: Vec<Waiter>,
    /// Where the items stand, by their identity; empty where items have none.
    pub(super) same: HashTable<Same>,
    pub(super) key: usize,
    /// Absent where its first item makes it due.
    pub(super) opened_at: Option<Instant>,
    pub(super) epoch: u64,
    /// Whether items may still come in.
    pub(super) is_open: bool,
    /// Whether it may be handled as soon as a slot is free.
    pub(super) is_due: bool,
    /// Its place among those that may be handled: later ones have larger turns.
    pub(super) turn: u64,
    pub(super) reason: FlushReason,
    /// Its neighbours among those that are not due yet, by their beginning.
    earlier: Option<usize>,
    later: Option<usize>,
}

/// An item's identity, as far as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Same {
    hash: u64,
    pub(super) at: usize,
}

/// Somebody who wants an item's outcome, or wants it handled without waiting for that.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiter {
    /// Where the item stands in its batch.
    pub(crate) at: usize,
    /// Absent when nobody waits.
    pub(crate) token: Option<Token>,
    /// Larger than that of everybody who came before.
    pub(super) arrival: u64,
}

pub(super) struct Batches<T> {
    places: Vec<Pending<T>>,
    free: Vec<usize>,
    numbers: u64,
    first: Option<usize>,
    last: Option<usize>,
    /// How many are not due yet.
    filling: usize,
}

impl<T> Batches<T> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), numbers: 0, first: None, last: None, filling: 0 }
    }

    /// Begins a batch, which is the last among those that are not due.
    pub(super) fn begin(&mut self, key: usize, epoch: u64, opened_at: Option<Instant>) -> usize {
        let at = self.free.pop().unwrap_or_else(|| {
            self.places.push(Pending::new());
            self.places.len() - 1
        });
        self.numbers += 1;
        let earlier = self.last.replace(at);
        match earlier {
            Some(earlier) => self.places[earlier].later = Some(at),
            None => self.first = Some(at),
        }
        self.filling += 1;
        let batch = &mut self.places[at];
        batch.number = Some(self.numbers);
        batch.weight = 0;
        (batch.key, batch.epoch, batch.opened_at) = (key, epoch, opened_at);
        (batch.is_open, batch.is_due) = (true, false);
        (batch.earlier, batch.later) = (earlier, None);
        at
    }

    /// It leaves the list of those that are not due.
    pub(super) fn unlist(&mut self, at: usize) {
        let (earlier, later) = (self.places[at].earlier.take(), self.places[at].later.take());
        match earlier {
            Some(earlier) => self.places[earlier].later = later,
            None => self.first = later,
        }
        match later {
            Some(later) => self.places[later].earlier = earlier,
            None => self.last = earlier,
        }
        self.filling -= 1;
    }

    /// The place is free again. What was in it has been taken out.
    pub(super) fn end(&mut self, at: usize) {
        let batch = &mut self.places[at];
        (batch.number, batch.is_open) = (None, false);
        batch.weights.clear();
        batch.same.clear();
        if self.free.len() >= KEPT {
            (batch.items, batch.weights, batch.waiters) = (Vec::new(), Vec::new(), Vec::new());
            batch.same = HashTable::new();
        }
        self.free.push(at);
    }

    pub(super) fn get(&self, at: usize) -> &Pending<T> {
        &self.places[at]
    }

    pub(super) fn get_mut(&mut self, at: usize) -> &mut Pending<T> {
        &mut self.places[at]
    }

    /// Whether this very batch is still here.
    pub(super) fn is(&self, at: usize, number: u64) -> bool {
        self.places.get(at).is_some_and(|batch| batch.number == Some(number))
    }

    pub(super) fn number(&self, at: usize) -> u64 {
        self.places[at].number.unwrap_or(0)
    }

    /// The one that was begun first, of those that are not due.
    pub(super) const fn oldest(&self) -> Option<usize> {
        self.first
    }

    /// The next one that was begun, of those that are not due.
    pub(super) fn after(&self, at: usize) -> Option<usize> {
        self.places[at].later
    }

    pub(super) const fn filling(&self) -> usize {
        self.filling
    }

    pub(super) const fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// Where batches may be.
    pub(super) fn places(&self) -> std::ops::Range<usize> {
        0..self.places.len()
    }

    pub(super) fn is_taken(&self, at: usize) -> bool {
        self.places[at].number.is_some()
    }

    /// Every one that is here.
    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Pending<T>> {
        self.places.iter_mut().filter(|batch| batch.number.is_some())
    }
}

impl<T> Pending<T> {
    const fn new() -> Self {
        Self {
            number: None,
            items: Vec::new(),
            weights: Vec::new(),
            weight: 0,
            waiters: Vec::new(),
            same: HashTable::new(),
            key: 0,
            opened_at: None,
            epoch: 0,
            is_open: false,
            is_due: false,
            turn: 0,
            reason: FlushReason::Items,
            earlier: None,
            later: None,
        }
    }

    /// Takes out the item that this waiter alone wants, or only the waiter when others want the item too.
    pub(super) fn withdraw(&mut self, arrival: u64) -> Option<T> {
        let waiter = self.waiters.binary_search_by_key(&arrival, |waiter| waiter.arrival).ok()?;
        let at = self.waiters.remove(waiter).at;
        let is_shared = self.waiters.iter().any(|other| other.at == at);
        if is_shared {
            return None;
        }
        for other in self.waiters.iter_mut().filter(|other| other.at > at) {
            other.at -= 1;
        }
        self.same.retain(|own| own.at != at);
        for own in self.same.iter_mut().filter(|own| own.at > at) {
            own.at -= 1;
        }
        let weight = if self.weights.is_empty() { 1 } else { self.weights.remove(at) };
        self.weight = self.weight.saturating_sub(weight);
        Some(self.items.remove(at))
    }

    /// Notes an identity that no other item of the batch has.
    pub(super) fn insert_same(&mut self, hash: u64, at: usize) {
        self.same.insert_unique(hash, Same { hash, at }, |own| own.hash);
    }

    /// Moves the first `count` items and those who wait for them into the empty buffers of a claim.
    pub(super) fn split(&mut self, count: usize, claim: &mut Claim<T>) {
        claim.items.extend(self.items.drain(..count));
        claim.waiters.extend(self.waiters.extract_if(.., |waiter| waiter.at < count));
        for waiter in &mut self.waiters {
            waiter.at -= count;
        }
        let weight = if self.weights.is_empty() {
            count as u64
        } else {
            self.weights.drain(..count).fold(0, u64::saturating_add)
        };
        self.weight = self.weight.saturating_sub(weight);
        // Nothing more goes in, so nobody looks for identities any more.
        self.same.clear();
        self.is_open = false;
    }
}
