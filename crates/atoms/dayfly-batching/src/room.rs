//! Room for accepted items, and the line of producers who wait for it: bookkeeping, without a lock and without a wait.
//!
//! Whoever comes later never overtakes. Room that a producer was granted is taken from then on; if the producer gives up,
//! it passes that on.

use std::collections::{BTreeMap, HashSet};
use std::task::{Poll, Waker};

#[derive(Debug)]
pub(crate) struct Room {
    capacity: usize,
    /// By items, and by producers who were granted room and have not come for it.
    taken: usize,
    line: BTreeMap<Ticket, Option<Waker>>,
    granted: HashSet<Ticket>,
    tickets: Ticket,
    is_closed: bool,
}

/// A producer in line.
pub(crate) type Ticket = u64;

/// Why there is no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoRoom {
    Full,
    Closed,
}

impl Room {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            capacity,
            taken: 0,
            line: BTreeMap::new(),
            granted: HashSet::new(),
            tickets: 0,
            is_closed: false,
        }
    }

    /// Takes room for one item if there is some and nobody stands in line for it.
    pub(crate) fn enter(&mut self) -> Result<(), NoRoom> {
        if self.is_closed {
            return Err(NoRoom::Closed);
        }
        if self.taken >= self.capacity || !self.line.is_empty() {
            return Err(NoRoom::Full);
        }
        self.taken += 1;
        Ok(())
    }

    /// Takes room that there [is](Self::has_room).
    pub(crate) const fn take(&mut self) {
        self.taken += 1;
    }

    /// Whether [`enter`](Self::enter) would succeed.
    pub(crate) fn has_room(&self) -> bool {
        self.taken < self.capacity && !self.is_closed && self.line.is_empty()
    }

    /// Joins the line. Room is open, and there is none now.
    pub(crate) fn join(&mut self, waker: Waker) -> Ticket {
        self.tickets += 1;
        self.line.insert(self.tickets, Some(waker));
        self.tickets
    }

    /// Ready when the producer has room, or never will. What was known of its task before is `replaced`: the caller drops
    /// it where no lock is held.
    pub(crate) fn poll(
        &mut self,
        ticket: Ticket,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<Result<(), NoRoom>> {
        if self.granted.remove(&ticket) {
            return Poll::Ready(Ok(()));
        }
        let Some(known) = self.line.get_mut(&ticket) else { return Poll::Ready(Err(NoRoom::Closed)) };
        if !known.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *replaced = known.replace(waker.clone());
        }
        Poll::Pending
    }

    /// A producer leaves the line, or gives back what it was granted.
    pub(crate) fn give_up(&mut self, ticket: Ticket, wakers: &mut Vec<Waker>) {
        if self.granted.remove(&ticket) {
            self.leave(1, wakers);
        } else if let Some(waker) = self.line.remove(&ticket) {
            // It is woken for nothing, and dropped where no lock is held.
            wakers.extend(waker);
        }
    }

    /// So many items are gone: the first in line have room.
    pub(crate) fn leave(&mut self, items: usize, wakers: &mut Vec<Waker>) {
        self.taken -= items;
        self.admit(wakers);
    }

    pub(crate) fn set_capacity(&mut self, items: usize, wakers: &mut Vec<Waker>) {
        self.capacity = items;
        self.admit(wakers);
    }

    fn admit(&mut self, wakers: &mut Vec<Waker>) {
        while self.taken < self.capacity
            && let Some((ticket, waker)) = self.line.pop_first()
        {
            self.taken += 1;
            self.granted.insert(ticket);
            wakers.extend(waker);
        }
    }

    /// Ends every wait for room.
    pub(crate) fn close(&mut self, wakers: &mut Vec<Waker>) {
        self.is_closed = true;
        self.taken -= self.granted.len();
        self.granted.clear();
        wakers.extend(std::mem::take(&mut self.line).into_values().flatten());
    }

    /// Whether producers wait and none of them was let in: only items that leave can help them.
    pub(crate) fn is_stuck(&self) -> bool {
        !self.line.is_empty() && self.granted.is_empty()
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line_of_two() -> (Room, Ticket, Ticket) {
        let mut room = Room::new(1);
        room.enter().unwrap();
        let (first, second) = (room.join(Waker::noop().clone()), room.join(Waker::noop().clone()));
        (room, first, second)
    }

    fn has_room(room: &mut Room, ticket: Ticket) -> bool {
        room.poll(ticket, Waker::noop(), &mut None) == Poll::Ready(Ok(()))
    }

    #[test]
    fn room_goes_to_the_first_in_line_and_nobody_overtakes() {
        let (mut room, first, second) = line_of_two();
        room.leave(1, &mut Vec::new());
        assert_eq!(room.enter(), Err(NoRoom::Full));
        assert!(!has_room(&mut room, second));
        assert!(has_room(&mut room, first));
    }

    #[test]
    fn who_gives_up_passes_on_what_it_was_granted() {
        let (mut room, first, second) = line_of_two();
        let mut wakers = Vec::new();
        room.leave(1, &mut wakers);
        room.give_up(first, &mut wakers);
        assert_eq!(wakers.len(), 2);
        assert!(has_room(&mut room, second));
        room.leave(1, &mut wakers);
        assert_eq!(room.enter(), Ok(()));
    }

    #[test]
    fn a_close_takes_back_what_nobody_came_for() {
        let (mut room, first, second) = line_of_two();
        let mut wakers = Vec::new();
        room.leave(1, &mut wakers);
        room.close(&mut wakers);
        assert_eq!((room.taken, wakers.len()), (0, 2));
        for ticket in [first, second] {
            assert_eq!(room.poll(ticket, Waker::noop(), &mut None), Poll::Ready(Err(NoRoom::Closed)));
        }
        assert_eq!(room.enter(), Err(NoRoom::Closed));
    }
}
