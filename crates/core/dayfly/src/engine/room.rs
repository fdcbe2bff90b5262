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

use std::hash::Hash;
use std::task::{Poll, Waker};

use hashbrown::HashMap;

use super::key_rooms::{KeyRooms, PerKey};
use super::line::{Line, Lines, Ticket};
use super::lookouts::{Lookouts, suffices};

pub(crate) struct Room<K> {
    capacity: usize,
    taken: usize,
    /// Of the taken places, those whose producer has not come for them yet.
    granted: usize,
    line: Line,
    lines: Lines,
    lookouts: Lookouts,
    /// Absent where there are no keys.
    keys: Option<KeyRooms<K>>,
    waiting: HashMap<Ticket, Waiting>,
    drawn: u64,
    closed: bool,
}

/// A producer that waits for its places.
struct Waiting {
    /// The place of its key.
    key: usize,
    stage: Stage,
    waker: Option<Waker>,
}

/// How far a producer in line has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    ForKey,
    ForTotal,
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
            line: Line::default(),
            lines: Lines::new(),
            lookouts: Lookouts::new(),
            keys: per_key.map(KeyRooms::new),
            waiting: HashMap::new(),
            drawn: 0,
            closed: false,
        }
    }

    /// Takes a place if there is one now and nobody stands in line for it. Says at which place the key is; any is as good
    /// as the other where there are no keys.
    pub(super) fn enter(&mut self, key: &K) -> Result<usize, NoRoom> {
        if self.closed {
            return Err(NoRoom::Closed);
        }
        let has_room = self.taken < self.capacity && self.line.is_empty();
        let at = match &mut self.keys {
            Some(keys) if has_room => keys.enter(key)?,
            Some(keys) if keys.is_full(key) => return Err(NoRoom::KeyFull),
            _ if has_room => 0,
            _ => return Err(NoRoom::Full),
        };
        self.taken += 1;
        Ok(at)
    }

    /// Joins the line.
    pub(super) fn join(&mut self, key: &K, wakers: &mut Vec<Waker>) -> Ticket {
        let ticket = self.draw();
        if self.closed {
            // A line that nobody leaves any more is not joined.
            return ticket;
        }
        let (keys, lines) = (self.keys.as_mut(), &mut self.lines);
        let (key, waits_for_key) = keys.map_or((0, false), |keys| keys.join(key, ticket, lines));
        let stage = if waits_for_key {
            Stage::ForKey
        } else {
            self.lines.join(&mut self.line, ticket);
            Stage::ForTotal
        };
        self.waiting.insert(ticket, Waiting { key, stage, waker: None });
        // Without this, one who joins while there is room would wait for the next who leaves.
        self.admit(wakers);
        ticket
    }

    /// Ready when the ticket has its places, which it hands over with the place of its key, or when the room was closed.
    /// What was known of its task before is `replaced`.
    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<Result<usize, NoRoom>> {
        if self.closed {
            return Poll::Ready(Err(NoRoom::Closed));
        }
        match self.waiting.get_mut(&ticket) {
            None => Poll::Ready(Err(NoRoom::Closed)),
            Some(waiting) if waiting.stage == Stage::Granted => {
                let key = waiting.key;
                self.waiting.remove(&ticket);
                self.granted -= 1;
                Poll::Ready(Ok(key))
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
    pub(super) fn give_up(&mut self, ticket: Ticket, wakers: &mut Vec<Waker>) {
        let Some(waiting) = self.waiting.remove(&ticket) else { return };
        match waiting.stage {
            Stage::ForKey => {
                if let Some(keys) = &mut self.keys {
                    keys.step_out(waiting.key, ticket, &mut self.lines);
                }
            }
            Stage::ForTotal => {
                self.lines.leave(&mut self.line, ticket);
                self.give_back_of_key(waiting.key, wakers);
            }
            Stage::Granted => {
                self.granted -= 1;
                self.taken -= 1;
                self.give_back_of_key(waiting.key, wakers);
            }
        }
        self.admit(wakers);
        // The last waker of a task is foreign when it is dropped, so it goes where locks are free.
        wakers.extend(waiting.waker);
    }

    /// An operation has left the queue; its key stays known until it is [released](Self::release). Who is let in for that
    /// is decided by [`admit`](Self::admit).
    pub(super) fn leave(&mut self, key: usize, wakers: &mut Vec<Waker>) {
        self.taken -= 1;
        if let Some(keys) = &mut self.keys
            && let Some(next) = keys.leave(key, &mut self.lines, wakers)
        {
            self.move_on(next, wakers);
        }
        self.tell_lookouts(wakers);
    }

    /// The schedule has no work of the key any more.
    pub(super) fn release(&mut self, key: usize) {
        if let Some(keys) = &mut self.keys {
            keys.release(key);
        }
    }

    /// A place that was taken is not needed after all.
    pub(super) fn give_back(&mut self, key: usize, wakers: &mut Vec<Waker>) {
        self.taken -= 1;
        self.give_back_of_key(key, wakers);
        self.admit(wakers);
    }

    /// An operation is back in the queue, whether or not there is room.
    pub(super) fn come_back(&mut self, key: usize) {
        self.taken += 1;
        if let Some(keys) = &mut self.keys {
            keys.come_back(key);
        }
    }

    /// Where the key is known, if it has work.
    pub(crate) fn place_of(&self, key: &K) -> Option<usize> {
        self.keys.as_ref()?.place_of(key)
    }

    /// The key that is known at this place.
    pub(crate) fn key_of(&self, at: usize) -> Option<&K> {
        self.keys.as_ref()?.key_of(at)
    }

    /// Keys that are not known any more, for the caller to drop where locks are free.
    pub(super) fn take_gone(&mut self, gone: &mut Vec<K>) {
        if let Some(keys) = &mut self.keys {
            keys.take_gone(gone);
        }
    }

    /// Lets in whom there is room for, first come, first served.
    pub(super) fn admit(&mut self, wakers: &mut Vec<Waker>) {
        while self.taken < self.capacity
            && let Some(ticket) = self.lines.next(&mut self.line)
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
        *replaced = match (key, &mut self.keys) {
            (Some(key), Some(keys)) => keys.look_out(key, places, ticket, waker),
            _ => self.lookouts.wait(places, ticket, waker),
        };
        Poll::Pending
    }

    /// Nobody is to be told of room under this ticket any more. What was known of its task comes back.
    pub(super) fn look_away(&mut self, key: Option<&K>, places: usize, ticket: Ticket) -> Option<Waker> {
        match (key, &mut self.keys) {
            (Some(key), Some(keys)) => keys.look_away(key, places, ticket),
            _ => self.lookouts.leave(places, ticket),
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

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
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
        (self.line, self.lines) = (Line::default(), Lines::new());
        self.lookouts.tell_all(wakers);
        if let Some(keys) = &mut self.keys {
            keys.close(wakers);
            for waiting in self.waiting.values().filter(|waiting| waiting.stage != Stage::ForKey) {
                keys.give_back(waiting.key, &mut self.lines, wakers);
            }
        }
        wakers.extend(self.waiting.drain().filter_map(|(_, waiting)| waiting.waker));
    }

    fn give_back_of_key(&mut self, key: usize, wakers: &mut Vec<Waker>) {
        if let Some(keys) = &mut self.keys
            && let Some(next) = keys.give_back(key, &mut self.lines, wakers)
        {
            self.move_on(next, wakers);
        }
    }

    /// A producer has a place of its key, and moves on to the line of the queue.
    fn move_on(&mut self, next: Ticket, wakers: &mut Vec<Waker>) {
        self.lines.join(&mut self.line, next);
        if let Some(waiting) = self.waiting.get_mut(&next) {
            waiting.stage = Stage::ForTotal;
        }
        self.admit(wakers);
    }

    pub(super) fn draw(&mut self) -> Ticket {
        self.drawn += 1;
        Ticket::MIN.saturating_add(self.drawn)
    }
}

#[cfg(test)]
mod tests;
