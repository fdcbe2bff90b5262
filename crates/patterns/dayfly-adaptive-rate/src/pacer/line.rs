//! The lines of keys: who is called, and who is passed over.

use std::time::Duration;

use super::{Pacer, State, WaiterId, ticks};
use crate::quota::Ticks;
use crate::seats::SeatId;

/// How long somebody who was called may take to come.
const CLAIM_WITHIN: Duration = Duration::from_millis(10);

/// Each time that nobody comes twice as many are called, up to 2 to this power.
pub(super) const MOST_LAPSES: u32 = 16;

impl Pacer {
    pub(super) fn first(&self, seat: SeatId) -> Option<(u64, WaiterId)> {
        let (&(_, ticket), &id) = self.line.range((seat, 0)..=(seat, u64::MAX)).next()?;
        Some((ticket, id))
    }

    /// Back into line, at the place that it has had from the start.
    pub(super) fn stand(&mut self, id: WaiterId) {
        let waiter = &mut self.waiters[id];
        waiter.state = State::InLine;
        self.line.insert((waiter.seat, waiter.ticket), id);
    }

    pub(super) fn uncall(&mut self, id: WaiterId, until: Ticks) {
        self.called.remove(&(until, id));
        self.seats.seat_mut(self.waiters[id].seat).called -= 1;
    }

    /// Somebody was called and has not come.
    pub(super) fn lapse(&mut self, id: WaiterId, until: Ticks) {
        self.uncall(id, until);
        let waiter = &mut self.waiters[id];
        waiter.state = State::Aside;
        let seat = self.seats.seat_mut(waiter.seat);
        seat.aside += 1;
        seat.lapses = MOST_LAPSES.min(seat.lapses + 1);
        let id = waiter.seat;
        self.call(id);
    }

    /// Calls whoever may start now, and otherwise notes when to call the next.
    pub(super) fn call(&mut self, id: SeatId) {
        let due = loop {
            let Some((ticket, waiter)) = self.first(id) else { break None };
            let seat = self.seats.seat(id);
            if seat.called >= 1 << seat.lapses {
                break None;
            }
            if !self.may_start(id) {
                break Some(self.due(seat));
            }
            self.line.remove(&(id, ticket));
            let until = self.now.saturating_add(ticks(CLAIM_WITHIN));
            self.waiters[waiter].state = State::Called(until);
            self.called.insert((until, waiter));
            self.seats.seat_mut(id).called += 1;
            self.woken.push_back(waiter);
        };
        let before = std::mem::replace(&mut self.seats.seat_mut(id).due, due);
        if before != due {
            if let Some(before) = before {
                self.agenda.remove(&(before, id));
            }
            self.agenda.extend(due.map(|due| (due, id)));
        }
    }

    pub(super) fn call_due(&mut self) {
        while self.all_paused_until.is_none()
            && let Some(&(due, id)) = self.agenda.first()
            && due <= self.now
        {
            // What is called is due later, or has nobody in line any more.
            self.call(id);
        }
    }
}
