//! Room for accepted operations, in all and of each key: pure bookkeeping, without a lock and without a wait.
//!
//! ```text
//!            no place of the key      no place in all
//! producer -> line of its key -> line of the queue -> granted -> its item goes in
//! ```
//!
//! A producer takes a place of its key first and a place of the queue second, and stands in line for either; whoever
//! comes later never overtakes. An operation that goes back to the queue for another attempt does not stand in line:
//! it takes its places at once, so more may be taken than there are, and nobody is let in until that is made up for.
//!
//! Who only wants to hear of room looks out for it. That takes no place and none in a line, so while anybody stands in the
//! line there is no room to be told of.

use std::collections::BTreeMap;
use std::hash::{BuildHasher, Hash};
use std::task::{Poll, Waker};

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use super::lookouts::{Lookouts, suffices};
use crate::contain::{contain, drop_each};

pub(super) struct Room<K> {
    capacity: usize,
    taken: usize,
    /// Of the taken places, those whose producer has not come for them yet.
    granted: usize,
    line: Line,
    lookouts: Lookouts,
    /// Absent where there are no keys.
    keys: Option<Keys<K>>,
    waiting: HashMap<Ticket, Waiting>,
    numbers: u64,
    closed: bool,
}

/// Each key that somebody has a place of, or stands in line for.
struct Keys<K> {
    capacity: PerKey<K>,
    rooms: HashTable<KeyRoom<K>>,
    hasher: DefaultHashBuilder,
}

/// How many places a key has.
pub(crate) type PerKey<K> = Box<dyn Fn(&K) -> usize + Send + Sync>;

/// The places of one key. They exist while one is taken or somebody stands in line; who looks out for some that are free
/// does so only while others are taken.
struct KeyRoom<K> {
    key: K,
    /// Kept, so that the table grows without asking keys, which are foreign.
    hash: u64,
    taken: usize,
    line: Line,
    lookouts: Lookouts,
}

/// A producer in line.
pub(super) type Ticket = u64;

/// Who stands in line, by the number that was drawn on joining it.
type Line = BTreeMap<u64, Ticket>;

struct Waiting {
    stage: Stage,
    waker: Option<Waker>,
}

/// How far a producer in line has come; a line is left by the number that was drawn for it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    ForKey(u64),
    ForTotal(u64),
    Granted,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoRoom {
    Full,
    KeyFull,
    Closed,
}

impl<K: Eq + Hash + Clone> Room<K> {
    pub(super) fn new(capacity: usize, per_key: Option<PerKey<K>>) -> Self {
        Self {
            capacity,
            taken: 0,
            granted: 0,
            line: Line::new(),
            lookouts: Lookouts::new(),
            keys: per_key.map(Keys::new),
            waiting: HashMap::new(),
            numbers: 0,
            closed: false,
        }
    }

    /// Takes a place if there is one now and nobody stands in line for it.
    pub(super) fn enter(&mut self, key: &K) -> Result<(), NoRoom> {
        if self.closed {
            return Err(NoRoom::Closed);
        }
        let has_room = self.taken < self.capacity && self.line.is_empty();
        match &mut self.keys {
            Some(keys) if has_room => keys.enter(key)?,
            Some(keys) if keys.is_full(key) => return Err(NoRoom::KeyFull),
            _ if has_room => {}
            _ => return Err(NoRoom::Full),
        }
        self.taken += 1;
        Ok(())
    }

    /// Joins the line.
    pub(super) fn join(&mut self, key: &K, wakers: &mut Vec<Waker>) -> Ticket {
        let ticket = self.draw();
        if self.closed {
            // A line that nobody leaves any more is not joined.
            return ticket;
        }
        let number = self.draw();
        let waits_for_key = self.keys.as_mut().is_some_and(|keys| keys.join(key, number, ticket));
        let stage = if waits_for_key {
            Stage::ForKey(number)
        } else {
            self.line.insert(number, ticket);
            Stage::ForTotal(number)
        };
        self.waiting.insert(ticket, Waiting { stage, waker: None });
        // Without this, one who joins while there is room would wait for the next who leaves.
        self.admit(wakers);
        ticket
    }

    /// Ready when the ticket has its places, which it hands over with that, or when the room was closed.
    /// What was known of its task before is `replaced`.
    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<Result<(), NoRoom>> {
        if self.closed {
            return Poll::Ready(Err(NoRoom::Closed));
        }
        match self.waiting.get_mut(&ticket) {
            None => Poll::Ready(Err(NoRoom::Closed)),
            Some(waiting) if waiting.stage == Stage::Granted => {
                self.waiting.remove(&ticket);
                self.granted -= 1;
                Poll::Ready(Ok(()))
            }
            Some(waiting) => {
                if !waiting.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
                    *replaced = waiting.waker.replace(waker.clone());
                }
                Poll::Pending
            }
        }
    }

    /// A producer gives up: its place in line, or the places that it was granted.
    pub(super) fn give_up(&mut self, ticket: Ticket, key: &K, wakers: &mut Vec<Waker>) {
        let Some(waiting) = self.waiting.remove(&ticket) else { return };
        match waiting.stage {
            Stage::ForKey(number) => {
                if let Some(keys) = &mut self.keys {
                    contain(|| keys.step_out(key, number));
                }
            }
            Stage::ForTotal(number) => {
                self.line.remove(&number);
                self.leave_key(key, wakers);
            }
            Stage::Granted => {
                self.granted -= 1;
                self.taken -= 1;
                self.leave_key(key, wakers);
            }
        }
        self.admit(wakers);
        // The last waker of a task is foreign when it is dropped, so it goes where locks are free.
        wakers.extend(waiting.waker);
    }

    /// An operation has left the queue. Who is let in for that is decided by [`admit`](Self::admit).
    pub(super) fn leave(&mut self, key: &K, wakers: &mut Vec<Waker>) {
        self.taken -= 1;
        self.leave_key(key, wakers);
        self.tell_lookouts(wakers);
    }

    /// An operation is back in the queue, whether or not there is room.
    pub(super) fn come_back(&mut self, key: &K) {
        self.taken += 1;
        if let Some(keys) = &mut self.keys {
            contain(|| keys.come_back(key));
        }
    }

    /// Lets in whom there is room for, first come, first served.
    pub(super) fn admit(&mut self, wakers: &mut Vec<Waker>) {
        while self.taken < self.capacity
            && let Some((_, ticket)) = self.line.pop_first()
        {
            self.taken += 1;
            self.granted += 1;
            if let Some(waiting) = self.waiting.get_mut(&ticket) {
                waiting.stage = Stage::Granted;
                wakers.extend(waiting.waker.take());
            }
        }
        self.tell_lookouts(wakers);
    }

    /// Whether so many places are free, of the key or in all, or it cannot be waited for that any more.
    pub(super) fn is_free(&self, key: Option<&K>, places: usize) -> bool {
        let (free, capacity) = match (key, &self.keys) {
            (Some(key), Some(keys)) => keys.free(key),
            _ => (self.free(), self.capacity),
        };
        self.closed || suffices(free, places, capacity)
    }

    /// Ready when so many places are free, of the key or in all, or when the room was closed. What was known of the
    /// waiting task before is `replaced`.
    pub(super) fn look_out(
        &mut self,
        key: Option<&K>,
        places: usize,
        ticket: Ticket,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<()> {
        if self.is_free(key, places) {
            *replaced = self.look_away(key, places, ticket);
            return Poll::Ready(());
        }
        if let Some(lookouts) = self.lookouts_of(key) {
            *replaced = lookouts.wait(places, ticket, waker);
        }
        Poll::Pending
    }

    /// Nobody is to be told of room under this ticket any more. What was known of its task comes back.
    pub(super) fn look_away(&mut self, key: Option<&K>, places: usize, ticket: Ticket) -> Option<Waker> {
        self.lookouts_of(key)?.leave(places, ticket)
    }

    /// Those who look out for places of the key, if any of them is taken, or for places in all.
    fn lookouts_of(&mut self, key: Option<&K>) -> Option<&mut Lookouts> {
        match (key, &mut self.keys) {
            (Some(key), Some(keys)) => keys.find(key).map(|room| &mut room.lookouts),
            _ => Some(&mut self.lookouts),
        }
    }

    fn tell_lookouts(&mut self, wakers: &mut Vec<Waker>) {
        if !self.lookouts.is_empty() {
            let free = self.free();
            self.lookouts.tell(free, self.capacity, wakers);
        }
    }

    /// The places that whoever comes now may take.
    fn free(&self) -> usize {
        if self.line.is_empty() { self.capacity.saturating_sub(self.taken) } else { 0 }
    }

    /// Whether a quarter of all places is free.
    pub(super) const fn has_much_room(&self) -> bool {
        self.capacity.saturating_sub(self.taken) >= self.capacity / 4
    }

    /// Whether somebody stands in line although there is room.
    pub(super) fn keeps_waiting(&self) -> bool {
        self.taken < self.capacity && !self.line.is_empty()
    }

    /// How many operations have a place; producers that were granted one and have not come for it do not count.
    pub(super) const fn occupied(&self) -> usize {
        self.taken - self.granted
    }

    pub(super) fn set_capacity(&mut self, places: usize, wakers: &mut Vec<Waker>) {
        self.capacity = places;
        self.admit(wakers);
    }

    /// Ends every wait for a place.
    pub(super) fn close(&mut self, wakers: &mut Vec<Waker>) {
        self.closed = true;
        self.taken -= std::mem::take(&mut self.granted);
        wakers.extend(self.waiting.drain().filter_map(|(_, waiting)| waiting.waker));
        self.line.clear();
        self.lookouts.tell_all(wakers);
        if let Some(keys) = &mut self.keys {
            keys.rooms.iter_mut().for_each(|room| room.lookouts.tell_all(wakers));
            // From now on only those who leave look here, and they need not find anything.
            drop_each(keys.rooms.drain());
        }
    }

    /// A place of the key is free: the next in its line moves on to the line of the queue.
    fn leave_key(&mut self, key: &K, wakers: &mut Vec<Waker>) {
        let Some(keys) = &mut self.keys else { return };
        // A key that panics here keeps its place of the key's part; the place in all is free all the same.
        let Some(next) = contain(|| keys.leave(key, wakers)).flatten() else { return };
        let number = self.draw();
        self.line.insert(number, next);
        if let Some(waiting) = self.waiting.get_mut(&next) {
            waiting.stage = Stage::ForTotal(number);
        }
        self.admit(wakers);
    }

    pub(super) fn draw(&mut self) -> Ticket {
        self.numbers += 1;
        self.numbers
    }
}

impl<K: Eq + Hash + Clone> Keys<K> {
    fn new(capacity: PerKey<K>) -> Self {
        Self { capacity, rooms: HashTable::new(), hasher: DefaultHashBuilder::default() }
    }

    /// Where the key's room is, or is to be, and the key's hash. Each step looks its key up once.
    #[inline]
    fn entry(&mut self, key: &K) -> (Entry<'_, KeyRoom<K>>, u64) {
        let hash = self.hasher.hash_one(key);
        (self.rooms.entry(hash, |room| room.key == *key, |room| room.hash), hash)
    }

    // Out of the way of those who have no keys.
    #[inline(never)]
    fn enter(&mut self, key: &K) -> Result<(), NoRoom> {
        let capacity = (self.capacity)(key);
        match self.entry(key) {
            (Entry::Occupied(mut room), _) if room.get().has_room(capacity) => room.get_mut().taken += 1,
            (Entry::Vacant(place), hash) if capacity > 0 => {
                place.insert(KeyRoom::taken_once(key, hash));
            }
            (Entry::Occupied(_) | Entry::Vacant(_), _) => return Err(NoRoom::KeyFull),
        }
        Ok(())
    }

    fn come_back(&mut self, key: &K) {
        match self.entry(key) {
            (Entry::Occupied(mut room), _) => room.get_mut().taken += 1,
            (Entry::Vacant(place), hash) => drop(place.insert(KeyRoom::taken_once(key, hash))),
        }
    }

    fn find(&mut self, key: &K) -> Option<&mut KeyRoom<K>> {
        self.rooms.find_mut(self.hasher.hash_one(key), |room| room.key == *key)
    }

    /// How many of the key's places are free, and how many there are.
    fn free(&self, key: &K) -> (usize, usize) {
        let capacity = (self.capacity)(key);
        let room = self.rooms.find(self.hasher.hash_one(key), |room| room.key == *key);
        (room.map_or(capacity, |room| room.free(capacity)), capacity)
    }

    fn is_full(&self, key: &K) -> bool {
        let room = self.rooms.find(self.hasher.hash_one(key), |room| room.key == *key);
        room.is_some_and(|room| !room.has_room((self.capacity)(key)))
    }

    /// Takes a place of the key, or its line. Says whether it is the line.
    fn join(&mut self, key: &K, number: u64, ticket: Ticket) -> bool {
        let capacity = (self.capacity)(key);
        match self.entry(key) {
            (Entry::Occupied(mut room), _) if !room.get().has_room(capacity) => {
                room.get_mut().line.insert(number, ticket);
                return true;
            }
            (Entry::Occupied(mut room), _) => room.get_mut().taken += 1,
            (Entry::Vacant(place), hash) => drop(place.insert(KeyRoom::taken_once(key, hash))),
        }
        false
    }

    /// A line is there only while every place is taken, so nobody has to be told of room.
    fn step_out(&mut self, key: &K, number: u64) {
        if let Some(room) = self.find(key) {
            room.line.remove(&number);
        }
    }

    /// Frees a place, and hands it to the first in line, whose ticket this returns.
    fn leave(&mut self, key: &K, wakers: &mut Vec<Waker>) -> Option<Ticket> {
        let Self { capacity, rooms, hasher } = self;
        let hash = hasher.hash_one(key);
        let Ok(mut entry) = rooms.find_entry(hash, |room| room.key == *key) else { return None };
        let room = entry.get_mut();
        if room.taken == 1 && room.line.is_empty() {
            room.lookouts.tell_all(wakers);
            entry.remove();
            return None;
        }
        room.taken -= 1;
        if room.line.is_empty() {
            if !room.lookouts.is_empty() {
                room.tell_lookouts(capacity(key), wakers);
            }
            return None;
        }
        if room.taken >= capacity(key) {
            return None;
        }
        let (_, next) = room.line.pop_first()?;
        room.taken += 1;
        Some(next)
    }
}

impl<K: Clone> KeyRoom<K> {
    fn taken_once(key: &K, hash: u64) -> Self {
        Self { key: key.clone(), hash, taken: 1, line: Line::new(), lookouts: Lookouts::new() }
    }

    /// Whether there is a place, and nobody stands in line for it.
    fn has_room(&self, capacity: usize) -> bool {
        self.free(capacity) > 0
    }

    /// The places that whoever comes now may take.
    fn free(&self, capacity: usize) -> usize {
        if self.line.is_empty() { capacity.saturating_sub(self.taken) } else { 0 }
    }

    fn tell_lookouts(&mut self, capacity: usize, wakers: &mut Vec<Waker>) {
        let free = self.free(capacity);
        self.lookouts.tell(free, capacity, wakers);
    }
}

#[cfg(test)]
mod tests;
