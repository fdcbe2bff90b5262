//! The lines: who stands in them, who is the first, who is called.

use tokio::time::Instant;

use super::{Admission, State, WaiterId};
use crate::keys::KeyId;

impl<K> Admission<K> {
    /// Takes its place in every line that it waits in.
    pub(super) fn line_up(&mut self, id: WaiterId) {
        let place = self.waiters[id].place;
        self.waiters[id].state = State::InLine;
        self.in_line += 1;
        for at in 0..self.keys_of(id) {
            let slot = self.keys.slot_mut(self.key_of(id, at));
            // Whoever was the first is the first no longer.
            if let Some((&first, _)) = slot.line.first_key_value()
                && place < first
            {
                self.ready.remove(&first);
            }
            let key = self.key_of(id, at);
            self.keys.slot_mut(key).line.insert(place, id);
        }
        if self.is_ready(id) {
            self.ready.insert(place, id);
        }
    }

    /// Leaves every line, and lets those behind it move up.
    pub(super) fn step_out(&mut self, id: WaiterId) {
        self.leave_lines(id);
        self.refresh_keys_of(id);
    }

    /// What was promised to it is promised no longer.
    pub(super) fn withdraw(&mut self, id: WaiterId) {
        let permits = self.waiters[id].permits;
        self.room.withdraw(permits);
        for at in 0..self.keys_of(id) {
            let key = self.key_of(id, at);
            self.keys.slot_mut(key).room.withdraw(permits);
        }
        self.refresh_keys_of(id);
    }

    /// Calls whose turn it is, in order, as long as there is room for the next. Everything that makes room ends here, so
    /// that otherwise nobody is left who could be called.
    pub(crate) fn call(&mut self, now: Instant) {
        if self.is_closed {
            return;
        }
        while let Some((_, &id)) = self.ready.first_key_value() {
            let permits = self.waiters[id].permits;
            if !self.room.fits(permits, self.rules.limit) {
                return;
            }
            self.leave_lines(id);
            self.room.promise(permits);
            for at in 0..self.keys_of(id) {
                let key = self.key_of(id, at);
                self.keys.slot_mut(key).room.promise(permits);
            }
            self.waiters[id].state = State::Called(now);
            self.called.insert((now, id));
            self.woken.push(id);
            self.refresh_keys_of(id);
        }
    }

    /// Whether the first in a key's line is ready: asked whenever its line or its room has changed.
    pub(super) fn refresh(&mut self, key: KeyId) {
        let Some((&place, &id)) = self.keys.slot(key).line.first_key_value() else { return };
        if self.is_ready(id) {
            self.ready.insert(place, id);
        } else {
            self.ready.remove(&place);
        }
    }

    /// The limit of every key has changed.
    pub(super) fn refresh_all(&mut self) {
        let ids: Vec<WaiterId> = self.waiters.iter().map(|(id, _)| id).collect();
        for id in ids {
            self.refresh_keys_of(id);
        }
    }

    fn refresh_keys_of(&mut self, id: WaiterId) {
        for at in 0..self.keys_of(id) {
            self.refresh(self.key_of(id, at));
        }
    }

    fn leave_lines(&mut self, id: WaiterId) {
        let place = self.waiters[id].place;
        self.in_line -= 1;
        self.ready.remove(&place);
        for at in 0..self.keys_of(id) {
            let key = self.key_of(id, at);
            self.keys.slot_mut(key).line.remove(&place);
        }
    }

    /// Whether it is the first in the line of each of its keys, and each has room for it.
    fn is_ready(&self, id: WaiterId) -> bool {
        let waiter = &self.waiters[id];
        waiter.keys.as_slice().iter().all(|&key| {
            let slot = self.keys.slot(key);
            let is_first = slot.line.first_key_value().is_some_and(|(first, _)| *first == waiter.place);
            is_first && slot.room.fits(waiter.permits, self.rules.limit_per_key)
        })
    }

    fn keys_of(&self, id: WaiterId) -> usize {
        self.waiters[id].keys.as_slice().len()
    }

    fn key_of(&self, id: WaiterId, at: usize) -> KeyId {
        self.waiters[id].keys.as_slice()[at]
    }
}
