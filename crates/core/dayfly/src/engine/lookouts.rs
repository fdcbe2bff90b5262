//! Those who want to hear that there is room, without standing in line for it: pure bookkeeping.

use std::collections::BTreeMap;
use std::task::Waker;

use super::line::Ticket;

/// Who waits for how many free places. All of them are told when there are as many: none takes anything from another.
pub(super) struct Lookouts {
    waiting: BTreeMap<(usize, Ticket), Waker>,
}

impl Lookouts {
    pub(super) const fn new() -> Self {
        Self { waiting: BTreeMap::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    /// Somebody waits, perhaps since long. What was known of its task before comes back.
    pub(super) fn wait(&mut self, places: usize, ticket: Ticket, waker: &Waker) -> Option<Waker> {
        let known = self.waiting.get(&(places, ticket));
        if known.is_some_and(|known| known.will_wake(waker)) {
            return None;
        }
        self.waiting.insert((places, ticket), waker.clone())
    }

    /// Somebody waits no more. What was known of its task comes back.
    pub(super) fn leave(&mut self, places: usize, ticket: Ticket) -> Option<Waker> {
        self.waiting.remove(&(places, ticket))
    }

    /// So many of `capacity` places are free: tells those who wait for no more than that, or for more than there are.
    pub(super) fn tell(&mut self, free: usize, capacity: usize, wakers: &mut Vec<Waker>) {
        while let Some(first) = self.waiting.first_entry()
            && suffices(free, first.key().0, capacity)
        {
            wakers.push(first.remove());
        }
    }

    /// Tells everybody.
    pub(super) fn tell_all(&mut self, wakers: &mut Vec<Waker>) {
        wakers.extend(std::mem::take(&mut self.waiting).into_values());
    }
}

/// Whether so many free places are enough for who wants `places`. Nobody gets more than there are in all.
pub(super) fn suffices(free: usize, places: usize, capacity: usize) -> bool {
    free >= places.min(capacity)
}
