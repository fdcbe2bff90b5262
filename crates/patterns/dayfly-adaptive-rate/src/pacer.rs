//! Who may start, and who is called when it is time: the whole mechanism, without a lock, a clock or a task.
//!
//! ```text
//!             its time has come                 it comes
//!   InLine ──────────────────────────▶ Called ─────────▶ started
//!     ▲  ▲                               │
//!     │  └──── it is too early again ────┤
//!     │                                  │ it does not come within `CLAIM_WITHIN`
//!     └────── it comes after all ────── Aside
//! ```
//!
//! A start is counted at the moment at which somebody comes for it, never before: whoever is woken and not polled can
//! save nothing up. Each key has a line of its own, and whoever is first in it is called when the key may start. One that
//! is called and does not come keeps its place, but holds up nobody for long.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use slab::Slab;

use crate::quota::{Bucket, Quota, Ticks};
use crate::seats::{CROWD, Named, Seat, SeatId, Seats};

#[cfg(test)]
mod model;

/// What the waiters of a table are called.
pub(crate) type WaiterId = usize;

/// How long somebody who was called may take to come.
pub(crate) const CLAIM_WITHIN: Duration = Duration::from_millis(10);

/// Each time that nobody comes twice as many are called, up to 2 to this power.
const MOST_LAPSES: u32 = 16;

/// What is allowed, and how much is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) quota: Quota,
    pub(crate) max_keys: usize,
    pub(crate) max_pause: Ticks,
}

#[derive(Debug)]
pub(crate) struct Pacer {
    rules: Rules,
    /// The latest reading that anybody brought: those of two threads may come in the wrong order.
    now: Ticks,
    seats: Seats,
    waiters: Slab<Waiter>,
    tickets: u64,
    /// Who stands in line, by key and in the order of coming.
    line: BTreeMap<(SeatId, u64), WaiterId>,
    /// When the first of a line is to be called.
    agenda: BTreeSet<(Ticks, SeatId)>,
    called: BTreeSet<(Ticks, WaiterId)>,
    /// When pauses of keys end, and that of all keys.
    pauses: BTreeSet<(Ticks, SeatId)>,
    all_paused_until: Option<Ticks>,
    /// Whom to wake when the lock is free again.
    woken: VecDeque<WaiterId>,
    /// Whose pause has begun or ended since somebody was told.
    turned: BTreeSet<Scope>,
    crowded: u64,
    capped: u64,
}

#[derive(Debug)]
struct Waiter {
    seat: SeatId,
    ticket: u64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InLine,
    Called(Ticks),
    Aside,
}

/// What becomes of somebody who comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    Started,
    InLine(WaiterId),
}

/// Who is paused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Scope {
    All,
    Key(Arc<str>),
}

/// Where a key is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Seat(SeatId),
    /// Nowhere yet, and there is room.
    None,
}

impl Pacer {
    pub(crate) fn new(rules: Rules) -> Self {
        Self {
            rules,
            now: 0,
            seats: Seats::new(),
            waiters: Slab::new(),
            tickets: 0,
            line: BTreeMap::new(),
            agenda: BTreeSet::new(),
            called: BTreeSet::new(),
            pauses: BTreeSet::new(),
            all_paused_until: None,
            woken: VecDeque::new(),
            turned: BTreeSet::new(),
            crowded: 0,
            capped: 0,
        }
    }

    /// A start now, if there may be one and nobody waits for it; otherwise how long it would take.
    pub(crate) fn check(&mut self, named: Named<'_>, now: Ticks) -> Result<(), Ticks> {
        self.settle(now);
        let place = self.place(named);
        let wait = self.wait_of(place);
        if wait > 0 {
            return Err(wait);
        }
        let id = self.seat_at(place, named);
        self.start(id);
        Ok(())
    }

    /// How long somebody who comes now would wait. Changes nothing that anybody could notice.
    pub(crate) fn delay(&mut self, named: Named<'_>, now: Ticks) -> Ticks {
        self.settle(now);
        let place = self.place(named);
        self.wait_of(place)
    }

    /// A start now, or a place in line.
    pub(crate) fn arrive(&mut self, named: Named<'_>, now: Ticks) -> Arrival {
        self.settle(now);
        let place = self.place(named);
        let is_free = self.wait_of(place) == 0;
        let id = self.seat_at(place, named);
        if is_free {
            self.start(id);
            return Arrival::Started;
        }
        self.tickets += 1;
        let waiter = self.waiters.insert(Waiter { seat: id, ticket: self.tickets, state: State::InLine });
        self.line.insert((id, self.tickets), waiter);
        self.seats.seat_mut(id).waiting += 1;
        self.seats.touch(id);
        self.call(id);
        Arrival::InLine(waiter)
    }

    /// Somebody who waits comes; says whether it starts.
    pub(crate) fn look(&mut self, id: WaiterId, now: Ticks) -> bool {
        self.settle(now);
        let Waiter { seat, ticket, state } = self.waiters[id];
        if state == State::Aside {
            self.seats.seat_mut(seat).aside -= 1;
            self.stand(id);
        }
        let is_next = match state {
            State::Called(until) => {
                self.uncall(id, until);
                true
            }
            State::InLine | State::Aside => {
                self.seats.seat(seat).called == 0 && self.first(seat) == Some((ticket, id))
            }
        };
        let may_start = is_next && self.may_start(seat);
        if may_start {
            if !matches!(state, State::Called(_)) {
                self.line.remove(&(seat, ticket));
            }
            self.waiters.remove(id);
            let of_key = self.seats.seat_mut(seat);
            of_key.waiting -= 1;
            of_key.lapses = 0;
            self.start(seat);
        } else if matches!(state, State::Called(_)) {
            self.stand(id);
        }
        self.call(seat);
        may_start
    }

    /// Somebody waits no longer, and whoever is behind takes its place.
    pub(crate) fn leave(&mut self, id: WaiterId, now: Ticks) {
        self.settle(now);
        let Waiter { seat, ticket, state } = self.waiters[id];
        match state {
            State::InLine => {
                self.line.remove(&(seat, ticket));
            }
            State::Called(until) => self.uncall(id, until),
            State::Aside => self.seats.seat_mut(seat).aside -= 1,
        }
        self.waiters.remove(id);
        let of_key = self.seats.seat_mut(seat);
        of_key.waiting -= 1;
        if of_key.waiting == 0 {
            of_key.lapses = 0;
        }
        self.call(seat);
        self.forget_if_idle(seat);
    }

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

    /// Other rules hold from now on.
    pub(crate) fn follow(&mut self, rules: Rules, now: Ticks) {
        self.settle(now);
        let before = std::mem::replace(&mut self.rules, rules);
        for id in self.seats.ids() {
            self.seats.seat_mut(id).bucket.follow(&before.quota, &rules.quota, self.now);
            self.call(id);
        }
    }

    /// It is time: whoever may start is called, and whoever did not come is passed over.
    pub(crate) fn ring(&mut self, now: Ticks) {
        self.settle(now);
        self.call_due();
    }

    /// When there is something to be done although nobody comes.
    pub(crate) fn next_ring(&self) -> Option<Ticks> {
        if self.agenda.is_empty() && self.called.is_empty() && self.pauses.is_empty() {
            return self.all_paused_until;
        }
        let due = self.agenda.first().map(|&(due, _)| due.max(self.all_paused_until.unwrap_or(0)));
        // Who was called and does not come is no loss while nobody stands in line.
        let claim = self.called.first().filter(|_| !self.line.is_empty()).map(|&(until, _)| until);
        let pause = self.pauses.first().map(|&(until, _)| until);
        [due, claim, pause, self.all_paused_until].into_iter().flatten().min()
    }

    /// Whom to wake, one after the other.
    pub(crate) fn next_woken(&mut self) -> Option<WaiterId> {
        self.woken.pop_front()
    }

    /// Everybody who waits: nobody knows any more when it is time.
    pub(crate) fn wake_all(&mut self) {
        self.woken.clear();
        self.woken.extend(self.waiters.iter().map(|(id, _)| id));
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

    /// Whether nobody is to be woken or told.
    pub(crate) fn is_calm(&self) -> bool {
        self.woken.is_empty() && self.turned.is_empty()
    }

    pub(crate) fn is_paused(&self, named: Option<Named<'_>>) -> bool {
        match named {
            None => self.all_paused_until.is_some(),
            Some(named) => self.seats.find(named).is_some_and(|id| self.seats.seat(id).is_paused),
        }
    }

    /// How many keys are kept, how many waiters there are and how many keys are paused.
    pub(crate) fn figures(&mut self, now: Ticks) -> (usize, usize, usize) {
        self.settle(now);
        self.seats.let_idle_go(&self.rules.quota, self.now);
        (self.seats.len(), self.waiters.len(), self.pauses.len())
    }

    /// How often somebody had to share the place of the crowd, and how many pauses were cut.
    pub(crate) const fn excesses(&self) -> (u64, u64) {
        (self.crowded, self.capped)
    }

    /// Takes a reading of the clock, and does what was to be done before it.
    fn settle(&mut self, now: Ticks) {
        self.now = self.now.max(now);
        if self.all_paused_until.is_some_and(|until| until <= self.now) {
            self.all_paused_until = None;
            self.toggle(Scope::All);
        }
        while let Some(&(until, id)) = self.called.first()
            && until <= self.now
        {
            self.lapse(id, until);
        }
        while let Some(&(until, id)) = self.pauses.first()
            && until <= self.now
        {
            self.pauses.pop_first();
            self.end_pause(id);
        }
    }

    /// Where a key is kept: while somebody waits in the crowd, any key that has no seat may be one of its own.
    fn place(&mut self, named: Named<'_>) -> Place {
        if let Some(id) = self.seats.find(named) {
            return Place::Seat(id);
        }
        let Rules { quota, max_keys, .. } = &self.rules;
        if self.seats.seat(CROWD).waiting == 0 && self.seats.make_room(*max_keys, quota, self.now) {
            return Place::None;
        }
        Place::Seat(CROWD)
    }

    fn seat_at(&mut self, place: Place, named: Named<'_>) -> SeatId {
        match place {
            Place::Seat(id) => {
                self.crowded += u64::from(id == CROWD);
                id
            }
            Place::None => self.seats.insert(named),
        }
    }

    /// How long it is until somebody could start there who comes now.
    fn wait_of(&self, place: Place) -> Ticks {
        // Who has no seat begins as the crowd stands.
        let id = if let Place::Seat(id) = place { id } else { CROWD };
        let seat = self.seats.seat(id);
        let from = self.now.max(seat.paused_until).max(self.all_paused_until.unwrap_or(0));
        let start = seat.bucket.start_at(&self.rules.quota, from, seat.standing());
        // Who stands in front may have to be woken first.
        (start - self.now).max(Ticks::from(seat.standing() > 0))
    }

    fn may_start(&self, id: SeatId) -> bool {
        self.all_paused_until.is_none() && self.due(self.seats.seat(id)) <= self.now
    }

    /// When the first in its line may start, but for a pause of all keys.
    fn due(&self, seat: &Seat) -> Ticks {
        seat.bucket.start_at(&self.rules.quota, self.now.max(seat.paused_until), 0)
    }

    fn start(&mut self, id: SeatId) {
        let bucket: &mut Bucket = &mut self.seats.seat_mut(id).bucket;
        bucket.start(&self.rules.quota, self.now);
        self.seats.touch(id);
    }

    fn first(&self, seat: SeatId) -> Option<(u64, WaiterId)> {
        let (&(_, ticket), &id) = self.line.range((seat, 0)..=(seat, u64::MAX)).next()?;
        Some((ticket, id))
    }

    /// Back into line, at the place that it has had from the start.
    fn stand(&mut self, id: WaiterId) {
        let waiter = &mut self.waiters[id];
        waiter.state = State::InLine;
        self.line.insert((waiter.seat, waiter.ticket), id);
    }

    fn uncall(&mut self, id: WaiterId, until: Ticks) {
        self.called.remove(&(until, id));
        self.seats.seat_mut(self.waiters[id].seat).called -= 1;
    }

    /// Somebody was called and has not come.
    fn lapse(&mut self, id: WaiterId, until: Ticks) {
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
    fn call(&mut self, id: SeatId) {
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

    fn call_due(&mut self) {
        while self.all_paused_until.is_none()
            && let Some(&(due, id)) = self.agenda.first()
            && due <= self.now
        {
            // What is called is due later, or has nobody in line any more.
            self.call(id);
        }
    }

    fn end_of(&mut self, time: Ticks) -> Ticks {
        let max_pause = self.rules.max_pause;
        self.capped += u64::from(time > max_pause);
        self.now.saturating_add(time.min(max_pause))
    }

    fn end_pause(&mut self, id: SeatId) {
        let seat = self.seats.seat_mut(id);
        (seat.is_paused, seat.paused_until) = (false, 0);
        self.turn(id);
        self.call(id);
        self.forget_if_idle(id);
    }

    fn forget_if_idle(&mut self, id: SeatId) {
        self.seats.forget_if_idle(id, &self.rules.quota, self.now);
    }

    /// The crowd has no name that anybody could be told.
    fn turn(&mut self, id: SeatId) {
        if id != CROWD {
            self.toggle(Scope::Key(Arc::clone(&self.seats.seat(id).text)));
        }
    }

    /// What turns twice before somebody is told is as it was.
    fn toggle(&mut self, scope: Scope) {
        if !self.turned.remove(&scope) {
            self.turned.insert(scope);
        }
    }
}

/// A length of time in ticks; one that is too long for them never ends.
pub(crate) fn ticks(length: Duration) -> Ticks {
    Ticks::try_from(length.as_nanos()).unwrap_or(Ticks::MAX)
}
