//! Some of a store's entries, as one lock guards them. It has no lock and no clock itself.

use std::collections::BTreeSet;
use std::hash::BuildHasher;
use std::time::SystemTime;

use bytes::Bytes;
use hashbrown::HashTable;

use crate::deadline::Deadline;
use crate::entry::Entry;
use crate::error::Conflict;
use crate::etag::Etag;
use crate::key::Key;
use crate::nonce::Nonce;
use crate::precondition::Precondition;
use crate::put::PutOptions;
use crate::scan::Scan;

/// An entry and its name. Its etag is the number of its write; the origin is that of the shard.
///
/// It fills one cache line: how many of them a call touches is what it costs.
#[derive(Debug)]
#[repr(align(64))]
pub(super) struct Slot {
    pub(super) key: Key,
    value: Bytes,
    write: u64,
    /// What most entries have not. Once there it stays, for the next write.
    rare: Option<Box<Rare>>,
}

#[derive(Debug, Default)]
struct Rare {
    nonce: Option<Nonce>,
    deadline: Option<Deadline>,
}

impl Slot {
    fn deadline(&self) -> Option<Deadline> {
        self.rare.as_ref().and_then(|rare| rare.deadline)
    }

    fn nonce(&self) -> Option<Nonce> {
        self.rare.as_ref().and_then(|rare| rare.nonce)
    }

    pub(super) fn is_expired(&self, now: SystemTime) -> bool {
        self.deadline().is_some_and(|deadline| deadline.is_past(now))
    }

    /// Replaces what most entries have not; gives the deadline that it had.
    fn replace_rare(&mut self, new: Rare) -> Option<Deadline> {
        match &mut self.rare {
            Some(rare) => std::mem::replace(&mut **rare, new).deadline,
            None if new.nonce.is_some() || new.deadline.is_some() => {
                self.rare = Some(Box::new(new));
                None
            }
            None => None,
        }
    }
}

/// Entries by hash, and their indexes.
///
/// What every call touches fills one cache line together with the shard's lock; the indexes stand elsewhere.
#[derive(Debug)]
pub(super) struct Shard {
    slots: HashTable<Slot>,
    origin: u64,
    /// Counts writes below the shard's own bits, so that the shards of one origin never make the same etag.
    writes: u64,
    index: Box<Index>,
}

/// Entries with a deadline by deadline; and all by name, from the first listing on.
#[derive(Debug, Default)]
struct Index {
    expiring: BTreeSet<(Deadline, Key)>,
    order: Option<BTreeSet<Key>>,
}

/// What came of a write.
#[derive(Debug)]
pub(super) enum Wrote {
    /// It was done, with this etag.
    Done(Etag),
    /// Its precondition does not hold.
    Refused(Conflict),
    /// The time has to be known for it. Nothing was changed.
    NeedsTime,
}

/// What came of a deletion.
#[derive(Debug)]
pub(super) enum Deleted {
    /// It was done; this was removed, and it could be read until then, or not.
    Done(Option<Slot>, bool),
    /// Its precondition does not hold.
    Refused(Conflict),
    /// The time has to be known for it. Nothing was changed.
    NeedsTime,
}

/// There is an entry with a deadline, so the time has to be known. A clock is somebody else's code and is not read under
/// the lock.
struct NeedsTime;

impl Shard {
    pub(super) fn new(origin: u64, shard: usize) -> Self {
        Self { slots: HashTable::new(), origin, writes: (shard as u64) << 56, index: Box::default() }
    }

    /// What is kept under this key, be it expired or not.
    #[inline]
    pub(super) fn get(&self, hash: u64, key: &Key) -> Option<Entry> {
        self.slots.find(hash, |slot| slot.key == *key).map(|slot| entry(self.origin, slot))
    }

    /// Writes an entry, if the precondition holds, as a write of its own. The value that it replaces takes the place of the
    /// new one, for the caller to drop without the lock; when nothing is written, that stays there.
    #[inline]
    pub(super) fn put(
        &mut self,
        hash: u64,
        key: &Key,
        value: &mut Bytes,
        options: &PutOptions,
        now: Option<SystemTime>,
        hasher: &impl BuildHasher,
    ) -> Wrote {
        let slot = self.slots.find_mut(hash, |slot| slot.key == *key);
        let current = match &slot {
            Some(slot) => match live(self.origin, slot, now) {
                Ok(current) => current,
                Err(NeedsTime) => return Wrote::NeedsTime,
            },
            None => None,
        };
        if let Err(conflict) = options.precondition.check(current.as_ref()) {
            return Wrote::Refused(conflict);
        }
        let due = match (options.time_to_live, now) {
            (None, _) => None,
            (Some(time), Some(now)) => Deadline::after(now, time),
            (Some(_), None) => return Wrote::NeedsTime,
        };
        self.writes += 1;
        let write = self.writes;
        let rare = Rare { nonce: options.nonce, deadline: due };
        let was_due = if let Some(slot) = slot {
            std::mem::swap(&mut slot.value, value);
            slot.write = write;
            slot.replace_rare(rare)
        } else {
            self.insert(hash, key, std::mem::take(value), rare, hasher);
            None
        };
        if was_due.is_some() || due.is_some() {
            self.reschedule(key, was_due, due);
        }
        Wrote::Done(Etag::numbered(self.origin, write))
    }

    /// Puts an entry where there is none, as the latest write. Apart, so that a swap does not carry what only this needs.
    #[inline(never)]
    fn insert(&mut self, hash: u64, key: &Key, value: Bytes, rare: Rare, hasher: &impl BuildHasher) {
        let mut slot = Slot { key: key.clone(), value, write: self.writes, rare: None };
        slot.replace_rare(rare);
        self.slots.insert_unique(hash, slot, |slot| hasher.hash_one(&slot.key));
        if let Some(order) = &mut self.index.order {
            order.insert(key.clone());
        }
    }

    fn reschedule(&mut self, key: &Key, was_due: Option<Deadline>, due: Option<Deadline>) {
        if let Some(was_due) = was_due {
            self.index.expiring.remove(&(was_due, key.clone()));
        }
        if let Some(due) = due {
            self.index.expiring.insert((due, key.clone()));
        }
    }

    /// Removes an entry, if the precondition holds.
    pub(super) fn delete(
        &mut self,
        hash: u64,
        key: &Key,
        precondition: &Precondition,
        now: Option<SystemTime>,
    ) -> Deleted {
        let place = self.slots.find_entry(hash, |slot| slot.key == *key).ok();
        let current = match &place {
            Some(place) => match live(self.origin, place.get(), now) {
                Ok(current) => current,
                Err(NeedsTime) => return Deleted::NeedsTime,
            },
            None => None,
        };
        if let Err(conflict) = precondition.check(current.as_ref()) {
            return Deleted::Refused(conflict);
        }
        let was_there = current.is_some();
        let removed = place.map(|place| place.remove().0);
        if let Some(slot) = &removed {
            self.forget(slot);
        }
        Deleted::Done(removed, was_there)
    }

    /// Removes at most so many entries that have expired.
    pub(super) fn sweep(&mut self, now: SystemTime, most: usize, hasher: &impl BuildHasher) -> Vec<Slot> {
        let mut removed = Vec::new();
        while removed.len() < most
            && let Some((deadline, _)) = self.index.expiring.first()
            && deadline.is_past(now)
            && let Some((_, key)) = self.index.expiring.pop_first()
        {
            if let Ok(place) = self.slots.find_entry(hasher.hash_one(&key), |slot| slot.key == key) {
                let slot = place.remove().0;
                self.forget(&slot);
                removed.push(slot);
            }
        }
        removed
    }

    /// Removes everything.
    pub(super) fn clear(&mut self) -> Vec<Slot> {
        self.index.expiring.clear();
        if let Some(order) = &mut self.index.order {
            order.clear();
        }
        std::mem::take(&mut self.slots).into_iter().collect()
    }

    /// The first entries that are asked for, in their order, those before a certain name only. The first call sorts the
    /// names; from then on they stay sorted.
    pub(super) fn page(
        &mut self,
        scan: &Scan,
        before: Option<&Key>,
        most: usize,
        now: SystemTime,
        hasher: &impl BuildHasher,
    ) -> Vec<(Key, Entry)> {
        let (slots, origin) = (&self.slots, self.origin);
        let names = self
            .index
            .order
            .get_or_insert_with(|| slots.iter().map(|slot| slot.key.clone()).collect::<BTreeSet<Key>>());
        let Some((low, high)) = scan.range() else { return Vec::new() };
        let asked_for =
            names.range::<str, _>((low.as_ref().map(String::as_str), high.as_ref().map(String::as_str)));
        let find = |key: &Key| {
            let slot = slots.find(hasher.hash_one(key), |slot| slot.key == *key)?;
            (!slot.is_expired(now)).then(|| (key.clone(), entry(origin, slot)))
        };
        if scan.reverse {
            let asked_for = asked_for.rev().take_while(|key| before.is_none_or(|before| *key > before));
            asked_for.filter_map(find).take(most).collect()
        } else {
            let asked_for = asked_for.take_while(|key| before.is_none_or(|before| *key < before));
            asked_for.filter_map(find).take(most).collect()
        }
    }

    fn forget(&mut self, slot: &Slot) {
        if let Some(deadline) = slot.deadline() {
            self.index.expiring.remove(&(deadline, slot.key.clone()));
        }
        if let Some(order) = &mut self.index.order {
            order.remove(&slot.key);
        }
    }
}

fn entry(origin: u64, slot: &Slot) -> Entry {
    let etag = Etag::numbered(origin, slot.write);
    Entry { value: slot.value.clone(), etag, nonce: slot.nonce(), deadline: slot.deadline() }
}

/// The etag of an entry that can be read, or nothing when it has expired.
fn live(origin: u64, slot: &Slot, now: Option<SystemTime>) -> Result<Option<Etag>, NeedsTime> {
    let etag = Etag::numbered(origin, slot.write);
    match (slot.deadline(), now) {
        (None, _) => Ok(Some(etag)),
        (Some(deadline), Some(now)) => Ok((!deadline.is_past(now)).then_some(etag)),
        (Some(_), None) => Err(NeedsTime),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_fills_one_cache_line() {
        assert_eq!((size_of::<Slot>(), align_of::<Slot>()), (64, 64));
    }
}
