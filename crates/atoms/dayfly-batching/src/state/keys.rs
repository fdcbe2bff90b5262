//! The keys that have a batch. What is kept of a key goes with its last one.

use std::collections::VecDeque;

use hashbrown::HashTable;

/// Places of keys that are kept when no key is left.
const KEPT: usize = 64;

pub(super) struct Keys<K> {
    places: Vec<Option<OfKey<K>>>,
    free: Vec<usize>,
    by_hash: HashTable<usize>,
    /// The one that was asked for last: items of one key often come in a row.
    latest: Option<usize>,
}

/// The batches of one key.
pub(super) struct OfKey<K> {
    key: K,
    hash: u64,
    /// The one that still takes items.
    pub(super) open: Option<usize>,
    /// Whether one waits for a slot or has one, where a key has one batch at a time.
    pub(super) is_busy: bool,
    /// Those that are due after that one.
    pub(super) line: VecDeque<usize>,
}

impl<K: Eq> Keys<K> {
    pub(super) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), by_hash: HashTable::new(), latest: None }
    }

    /// Compares keys, and so runs foreign code; changes nothing.
    pub(super) fn find(&self, hash: u64, key: &K) -> Option<usize> {
        let is =
            |at: &usize| self.places[*at].as_ref().is_some_and(|own| own.hash == hash && own.key == *key);
        match self.latest {
            Some(latest) if is(&latest) => Some(latest),
            _ => self.by_hash.find(hash, is).copied(),
        }
    }

    pub(super) fn insert(&mut self, hash: u64, key: K) -> usize {
        let own = OfKey { key, hash, open: None, is_busy: false, line: VecDeque::new() };
        let at = if let Some(at) = self.free.pop() {
            self.places[at] = Some(own);
            at
        } else {
            self.places.push(Some(own));
            self.places.len() - 1
        };
        let places = &self.places;
        self.by_hash.insert_unique(hash, at, |at| places[*at].as_ref().map_or(0, |own| own.hash));
        at
    }

    pub(super) const fn note(&mut self, at: usize) {
        self.latest = Some(at);
    }

    pub(super) fn get(&mut self, at: usize) -> Option<&mut OfKey<K>> {
        self.places[at].as_mut()
    }

    /// The key, if nothing is left of it. It is foreign, so it is dropped where no lock is held.
    pub(super) fn retire(&mut self, at: usize) -> Option<K> {
        let is_idle = |own: &mut OfKey<K>| own.open.is_none() && !own.is_busy && own.line.is_empty();
        let own = self.places[at].take_if(is_idle)?;
        if let Ok(entry) = self.by_hash.find_entry(own.hash, |other| *other == at) {
            entry.remove();
        }
        self.latest = self.latest.filter(|latest| *latest != at);
        self.free.push(at);
        if self.free.len() == self.places.len() && self.places.len() > KEPT {
            // A flood of keys leaves no memory behind.
            *self = Self::new();
        }
        Some(own.key)
    }

    pub(super) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }
}
