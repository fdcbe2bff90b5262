//! Pauses, of keys and of all of them, and whom to tell.

use std::sync::Arc;

use super::Pacer;
use crate::quota::Ticks;
use crate::seats::{CROWD, Named, SeatId};

/// Who is paused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    All,
    Key(Arc<str>),
}

impl Pacer {
    /// No start of this key for so long; a pause that ends later stays.
    pub(crate) fn pause(&mut self, named: Named<'_>, time: Ticks, now: Ticks) {
        self.settle(now);
        let until = self.end_of(time);
        if until <= self.now {
            return;
        }
        let place = self.place(named);
        let id = self.seat_at(place, named);
        self.seats.touch(id);
        let seat = self.seats.seat_mut(id);
        let before = seat.paused_until;
        if until > before || !seat.is_paused {
            seat.paused_until = before.max(until);
            let until = seat.paused_until;
            if std::mem::replace(&mut seat.is_paused, true) {
                self.pauses.remove(&(before, id));
            } else {
                self.turn(id);
            }
            self.pauses.insert((until, id));
            self.call(id);
        }
    }

    /// No start of any key for so long; a pause that ends later stays.
    pub(crate) fn pause_all(&mut self, time: Ticks, now: Ticks) {
        self.settle(now);
        let until = self.end_of(time);
        if until <= self.now {
            return;
        }
        if self.all_paused_until.is_none() {
            self.toggle(Scope::All);
        }
        self.all_paused_until = self.all_paused_until.max(Some(until));
    }

    /// Ends the pause of this key; says whether there was one.
    pub(crate) fn resume(&mut self, named: Named<'_>, now: Ticks) -> bool {
        self.settle(now);
        let Some(id) = self.seats.find(named) else { return false };
        let until = self.seats.seat(id).paused_until;
        let was_paused = self.pauses.remove(&(until, id));
        if was_paused {
            self.end_pause(id);
        }
        was_paused
    }

    /// Ends the pause of all keys; says whether there was one. Those of single keys stay.
    pub(crate) fn resume_all(&mut self, now: Ticks) -> bool {
        self.settle(now);
        let was_paused = self.all_paused_until.take().is_some();
        if was_paused {
            self.toggle(Scope::All);
            self.call_due();
        }
        was_paused
    }

    /// Somebody to tell of.
    pub(crate) fn next_turned(&mut self) -> Option<Scope> {
        self.turned.pop_first()
    }

    /// All pauses are to be told of again.
    pub(crate) fn turn_all(&mut self) {
        let paused = self.pauses.iter().filter(|(_, id)| *id != CROWD);
        self.turned.extend(paused.map(|&(_, id)| Scope::Key(Arc::clone(&self.seats.seat(id).text))));
        self.turned.extend(self.all_paused_until.map(|_| Scope::All));
    }

    pub(crate) fn is_paused(&self, named: Option<Named<'_>>) -> bool {
        match named {
            None => self.all_paused_until.is_some(),
            Some(named) => self.seats.find(named).is_some_and(|id| self.seats.seat(id).is_paused),
        }
    }

    pub(super) fn end_of(&mut self, time: Ticks) -> Ticks {
        let max_pause = self.rules.max_pause;
        self.capped += u64::from(time > max_pause);
        self.now.saturating_add(time.min(max_pause))
    }

    pub(super) fn end_pause(&mut self, id: SeatId) {
        let seat = self.seats.seat_mut(id);
        (seat.is_paused, seat.paused_until) = (false, 0);
        self.turn(id);
        self.call(id);
        self.forget_if_idle(id);
    }

    /// The crowd has no name that anybody could be told.
    pub(super) fn turn(&mut self, id: SeatId) {
        if id != CROWD {
            self.toggle(Scope::Key(Arc::clone(&self.seats.seat(id).text)));
        }
    }

    /// What turns twice before somebody is told is as it was.
    pub(super) fn toggle(&mut self, scope: Scope) {
        if !self.turned.remove(&scope) {
            self.turned.insert(scope);
        }
    }
}
