//! Room of each key, and the place at which everybody finds what is known of it: a key is looked up once for each
//! operation, when that comes in.
//!
//! ```text
//!            enter                leave: it starts               release
//! nobody's ---------> has queued ------------------> has started ---------> nobody's
//! ```
//!
//! A key has its place from its first queued operation until the schedule has no work of it any more. From there on
//! the place is the next key's.

use std::hash::{BuildHasher, Hash};
use std::task::Waker;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::line::{Line, Lines, Ticket};
use super::lookouts::Lookouts;
use super::room::NoRoom;
use crate::contain::drop_each;

pub(super) struct KeyRooms<K> {
    capacity: PerKey<K>,
    places: HashTable<usize>,
    hasher: DefaultHashBuilder,
    rooms: Vec<KeyRoom<K>>,
    free: Vec<usize>,
    /// Keys that have lost their place. Their drop is foreign code, for where locks are free.
    gone: Vec<K>,
}

/// How many places a key has.
pub(crate) type PerKey<K> = Box<dyn Fn(&K) -> usize + Send + Sync>;

/// The queued operations of one key.
struct KeyRoom<K> {
    /// Absent while the place is nobody's.
    key: Option<K>,
    hash: u64,
    /// Places in the queue that are taken.
    taken: usize,
    /// Whether the schedule knows of the key, so that this has to stay.
    has_started: bool,
    line: Line,
    /// Absent while there are none.
    lookouts: Option<Box<Lookouts>>,
}

/// As many keys as this had work at once may have it again at no cost.
pub(crate) const KEPT_KEYS: usize = 4_096;

impl<K: Eq + Hash + Clone> KeyRooms<K> {
    pub(super) fn new(capacity: PerKey<K>) -> Self {
        Self {
            capacity,
            places: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            rooms: Vec::new(),
            free: Vec::new(),
            gone: Vec::new(),
        }
    }

    pub(super) fn place_of(&self, key: &K) -> Option<usize> {
        self.find(self.hasher.hash_one(key), key)
    }

    pub(super) fn key_of(&self, at: usize) -> Option<&K> {
        self.rooms.get(at)?.key.as_ref()
    }

    /// Takes a place in the queue, if the key has one and nobody stands in line for it.
    pub(super) fn enter(&mut self, key: &K) -> Result<usize, NoRoom> {
        let capacity = (self.capacity)(key);
        let at = self.settle_in(key);
        let room = &mut self.rooms[at];
        if room.free(capacity) == 0 {
            self.vacate_unused(at);
            return Err(NoRoom::KeyFull);
        }
        room.taken += 1;
        Ok(at)
    }

    /// Takes a place in the queue, or the line for one. Says also whether it is the line.
    pub(super) fn join(&mut self, key: &K, ticket: Ticket, lines: &mut Lines) -> (usize, bool) {
        let capacity = (self.capacity)(key);
        let at = self.settle_in(key);
        let room = &mut self.rooms[at];
        let waits = room.free(capacity) == 0;
        if waits {
            lines.join(&mut room.line, ticket);
        } else {
            room.taken += 1;
        }
        (at, waits)
    }

    /// A producer leaves the line. That makes no room: there is a line only while every place is taken.
    pub(super) fn step_out(&mut self, at: usize, ticket: Ticket, lines: &mut Lines) {
        lines.leave(&mut self.rooms[at].line, ticket);
        self.vacate_unused(at);
    }

    /// An operation is back in the queue, whether or not there is room.
    pub(super) fn come_back(&mut self, at: usize) {
        self.rooms[at].taken += 1;
    }

    /// An operation leaves the queue for the schedule to know of it, until the key is [released](Self::release). Its
    /// place goes to the first in line, whose ticket this returns.
    pub(super) fn leave(&mut self, at: usize, lines: &mut Lines, wakers: &mut Vec<Waker>) -> Option<Ticket> {
        self.rooms[at].has_started = true;
        self.give(at, lines, wakers)
    }

    /// A place is given back that nothing was queued at.
    pub(super) fn give_back(
        &mut self,
        at: usize,
        lines: &mut Lines,
        wakers: &mut Vec<Waker>,
    ) -> Option<Ticket> {
        let next = self.give(at, lines, wakers);
        self.vacate_unused(at);
        next
    }

    /// The schedule has no work of the key any more.
    pub(super) fn release(&mut self, at: usize) {
        self.rooms[at].has_started = false;
        self.vacate_unused(at);
    }

    /// How many of the key's places are free, and how many there are.
    pub(super) fn free(&self, key: &K) -> (usize, usize) {
        let capacity = (self.capacity)(key);
        let free = self.place_of(key).map_or(capacity, |at| self.rooms[at].free(capacity));
        (free, capacity)
    }

    pub(super) fn is_full(&self, key: &K) -> bool {
        self.free(key).0 == 0
    }

    /// Somebody waits for so many free places, while some are taken. What was known of its task before comes back.
    pub(super) fn look_out(
        &mut self,
        key: &K,
        places: usize,
        ticket: Ticket,
        waker: &Waker,
    ) -> Option<Waker> {
        let at = self.place_of(key)?;
        let lookouts = self.rooms[at].lookouts.get_or_insert_with(|| Box::new(Lookouts::new()));
        lookouts.wait(places, ticket, waker)
    }

    /// Somebody waits for free places no more. What was known of its task comes back.
    pub(super) fn look_away(&mut self, key: &K, places: usize, ticket: Ticket) -> Option<Waker> {
        let at = self.place_of(key)?;
        let room = &mut self.rooms[at];
        let known = room.lookouts.as_mut()?.leave(places, ticket);
        room.dismiss_nobody();
        known
    }

    /// Ends every wait.
    pub(super) fn close(&mut self, wakers: &mut Vec<Waker>) {
        for at in 0..self.rooms.len() {
            let room = &mut self.rooms[at];
            room.line = Line::default();
            if let Some(mut lookouts) = room.lookouts.take() {
                lookouts.tell_all(wakers);
            }
            self.vacate_unused(at);
        }
    }

    /// Keys that have lost their place since this was last asked.
    pub(super) fn take_gone(&mut self, gone: &mut Vec<K>) {
        if !self.gone.is_empty() {
            gone.append(&mut self.gone);
        }
    }

    fn find(&self, hash: u64, key: &K) -> Option<usize> {
        self.places.find(hash, |&at| self.rooms[at].key.as_ref() == Some(key)).copied()
    }

    /// Where the key is known, which it is from now on. Whoever asks uses the place, or [vacates](Self::vacate_unused) it.
    fn settle_in(&mut self, key: &K) -> usize {
        let hash = self.hasher.hash_one(key);
        if let Some(at) = self.find(hash, key) {
            return at;
        }
        // Foreign code comes first: if it panics, nothing has changed.
        let room = KeyRoom {
            key: Some(key.clone()),
            hash,
            taken: 0,
            has_started: false,
            line: Line::default(),
            lookouts: None,
        };
        let at = if let Some(at) = self.free.pop() {
            self.rooms[at] = room;
            at
        } else {
            self.rooms.push(room);
            self.rooms.len() - 1
        };
        let rooms = &self.rooms;
        self.places.insert_unique(hash, at, |&at| rooms[at].hash);
        at
    }

    fn give(&mut self, at: usize, lines: &mut Lines, wakers: &mut Vec<Waker>) -> Option<Ticket> {
        let room = &mut self.rooms[at];
        room.taken -= 1;
        if room.line.is_empty() && room.lookouts.is_none() {
            return None;
        }
        let capacity = room.key.as_ref().map_or(0, &self.capacity);
        if room.taken >= capacity {
            return None;
        }
        let next = lines.next(&mut room.line);
        if next.is_some() {
            room.taken += 1;
        } else if let Some(lookouts) = &mut room.lookouts {
            lookouts.tell(capacity - room.taken, capacity, wakers);
            room.dismiss_nobody();
        }
        next
    }

    /// Takes the place from a key that nobody has anything to do with.
    fn vacate_unused(&mut self, at: usize) {
        let room = &mut self.rooms[at];
        let is_waited_for = !room.line.is_empty() || room.lookouts.is_some();
        if room.taken > 0 || room.has_started || is_waited_for {
            return;
        }
        let Some(key) = room.key.take() else { return };
        if std::mem::needs_drop::<K>() {
            self.gone.push(key);
        }
        if let Ok(entry) = self.places.find_entry(room.hash, |&found| found == at) {
            entry.remove();
        }
        self.free.push(at);
        if self.places.is_empty() && self.rooms.len() > KEPT_KEYS {
            // What many keys needed at once is not kept when there are none.
            (self.places, self.rooms, self.free) = (HashTable::new(), Vec::new(), Vec::new());
        }
    }
}

impl<K> Drop for KeyRooms<K> {
    fn drop(&mut self) {
        // Two keys that panic while one buffer is dropped would end the process.
        drop_each(self.rooms.drain(..).map(|room| room.key));
        drop_each(self.gone.drain(..));
    }
}

impl<K> KeyRoom<K> {
    /// The places that whoever comes now may take.
    fn free(&self, capacity: usize) -> usize {
        if self.line.is_empty() { capacity.saturating_sub(self.taken) } else { 0 }
    }

    /// Keeps no list of nobody.
    fn dismiss_nobody(&mut self) {
        if self.lookouts.as_ref().is_some_and(|lookouts| lookouts.is_empty()) {
            self.lookouts = None;
        }
    }
}

#[cfg(test)]
impl<K> KeyRooms<K> {
    /// Keys for whose room somebody stands in line.
    pub(super) fn waited_for(&self) -> impl Iterator<Item = &K> {
        let in_line = self.rooms.iter().filter(|room| !room.line.is_empty());
        in_line.filter_map(|room| room.key.as_ref())
    }

    /// How many keys have a place.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}
