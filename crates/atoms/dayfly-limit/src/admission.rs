//! Who is admitted, and who is called when there is room: the whole mechanism, without a lock, a clock or a task.
//!
//! ```text
//!             room, and it is its turn            it comes
//!   InLine ──────────────────────────────▶ Called ─────────▶ admitted
//!     ▲  ▲                                   │
//!     │  └───────── the limit falls ─────────┤
//!     │                                      │ it does not come within `claim_within`
//!     └──────── it comes after all ──────── Aside
//! ```
//!
//! A permit is promised to who is called and taken by who comes. So a future that nobody polls any more can keep a permit
//! from others for `claim_within` and no longer, although the order of coming is kept among all who are polled.
//!
//! Whoever names no key stands in `ready`. Whoever names keys stands in the line of each of them, and in `ready` as well
//! while it is the first in all of them and each has room: a key's waiter never holds what another key could use. The
//! first in `ready` is called when it fits, and nobody overtakes it there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use slab::Slab;
use tokio::time::Instant;

use crate::few::Few;
use crate::keys::{KeyId, KeyIds, KeyTable, Located, Named};
use crate::place::{Place, Places};
use crate::request::Priority;
use crate::room::Room;

mod lapse;
mod lines;
#[cfg(test)]
mod model;

/// What the waiters of a table are called.
pub(crate) type WaiterId = usize;

/// How much may be in use, and what else is asked of those who wait.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Rules {
    pub(crate) limit: usize,
    pub(crate) allow_zero: bool,
    pub(crate) limit_per_key: usize,
    pub(crate) max_keys: usize,
    pub(crate) age_after: Option<Duration>,
    pub(crate) claim_within: Duration,
}

/// Why there is nothing to be had, now or at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Closed,
    TooLarge { limit: usize },
    TooManyKeys { max_keys: usize },
}

/// Who is admitted, who waits, and for what.
#[derive(Debug)]
pub(crate) struct Admission<K> {
    rules: Rules,
    places: Places,
    epoch: Instant,
    room: Room,
    keys: KeyTable<K>,
    waiters: Slab<Waiter>,
    /// Who could go, if only there was room in all.
    ready: BTreeMap<Place, WaiterId>,
    called: BTreeSet<(Instant, WaiterId)>,
    in_line: usize,
    /// How often in a row somebody without a key was called and did not come.
    lapses: u32,
    /// No waiter asks for more than this.
    heaviest: usize,
    is_closed: bool,
    /// Whom to wake when the lock is free again.
    woken: Vec<WaiterId>,
}

#[derive(Debug)]
struct Waiter {
    place: Place,
    permits: usize,
    keys: KeyIds,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    InLine,
    Called(Instant),
    Aside,
    TooLarge { limit: usize },
}

/// What somebody finds who looks whether it is its turn.
#[derive(Debug)]
pub(crate) enum Turn {
    Admitted(KeyIds),
    Wait,
    Refused(Refusal, KeyIds),
}

impl<K> Admission<K> {
    pub(crate) fn new(rules: Rules, epoch: Instant) -> Self {
        Self {
            places: Places::new(rules.age_after),
            rules,
            epoch,
            room: Room::default(),
            keys: KeyTable::new(),
            waiters: Slab::new(),
            ready: BTreeMap::new(),
            called: BTreeSet::new(),
            in_line: 0,
            lapses: 0,
            heaviest: 0,
            is_closed: false,
            woken: Vec::new(),
        }
    }

    pub(crate) const fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(crate) const fn keys(&self) -> &KeyTable<K> {
        &self.keys
    }

    pub(crate) const fn in_use(&self) -> usize {
        self.room.in_use()
    }

    pub(crate) fn waiting(&self) -> usize {
        self.waiters.len()
    }

    pub(crate) const fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// How much of a key is in use, and how many wait for it.
    pub(crate) fn usage(&self, hash: u64, key: &K) -> Option<(usize, usize)>
    where
        K: Eq,
    {
        let slot = self.keys.slot(self.keys.find(hash, key)?);
        Some((slot.room.in_use(), slot.waiting))
    }

    /// Whether such a request has a future here.
    pub(crate) fn check(&self, permits: usize, located: &Located) -> Result<(), Refusal> {
        if self.is_closed {
            return Err(Refusal::Closed);
        }
        if permits == 0 {
            return Ok(());
        }
        self.check_size(permits, !located.as_slice().is_empty())?;
        let missing = located.as_slice().iter().filter(|found| found.is_none()).count();
        let max_keys = self.rules.max_keys;
        if missing > max_keys.saturating_sub(self.keys.len()) && missing > 0 {
            return Err(Refusal::TooManyKeys { max_keys });
        }
        Ok(())
    }

    /// A limit of zero is one that somebody asked for: everybody waits until it rises. Any other refuses at once what it
    /// can never admit, which would hold up everybody behind it.
    fn check_size(&self, permits: usize, has_key: bool) -> Result<(), Refusal> {
        let per_key = if has_key { self.rules.limit_per_key } else { usize::MAX };
        let limit = self.rules.limit.min(per_key);
        if limit > 0 && permits > limit { Err(Refusal::TooLarge { limit }) } else { Ok(()) }
    }

    /// Whether somebody who comes now is admitted at once, because there is room and nobody else waits for it.
    pub(crate) fn has_room(&self, permits: usize, located: &Located) -> bool {
        let Rules { limit, limit_per_key, .. } = self.rules;
        let key_has_room = |found: &Option<KeyId>| {
            found.map_or(permits <= limit_per_key, |id| {
                let slot = self.keys.slot(id);
                slot.line.is_empty() && slot.room.fits(permits, limit_per_key)
            })
        };
        self.ready.is_empty() && self.room.fits(permits, limit) && located.as_slice().iter().all(key_has_room)
    }

    /// Admits somebody whom [`has_room`](Self::has_room) has let in.
    pub(crate) fn take(
        &mut self,
        named: Named<K>,
        located: &Located,
        permits: usize,
        spare: &mut Few<K>,
    ) -> KeyIds {
        let keys = self.keys.hold(named, located, spare);
        self.room.take(permits);
        for &id in keys.as_slice() {
            self.keys.slot_mut(id).room.take(permits);
        }
        keys
    }

    /// Somebody stands in line from now on, and is perhaps called at once.
    pub(crate) fn join(
        &mut self,
        named: Named<K>,
        located: &Located,
        (permits, priority): (usize, Priority),
        now: Instant,
        spare: &mut Few<K>,
    ) -> WaiterId {
        let keys = self.keys.hold(named, located, spare);
        let place = self.places.next(priority, now.saturating_duration_since(self.epoch));
        let waiter = Waiter { place, permits, keys, state: State::InLine };
        let id = self.waiters.insert(waiter);
        for &key in self.waiters[id].keys.as_slice() {
            self.keys.slot_mut(key).waiting += 1;
        }
        self.heaviest = self.heaviest.max(permits);
        // Who was called long ago and has not come is not to keep a newcomer waiting.
        self.lapse(now);
        self.line_up(id);
        self.call(now);
        id
    }

    /// Somebody looks whether it is its turn: the moment at which a promise is kept.
    pub(crate) fn look(&mut self, id: WaiterId, now: impl Fn() -> Instant) -> Turn {
        if self.is_closed {
            let keys = self.leave(id);
            return Turn::Refused(Refusal::Closed, keys);
        }
        if self.waiters[id].state == State::Aside {
            self.line_up(id);
            self.call(now());
        }
        match self.waiters[id].state {
            State::Called(at) => {
                self.called.remove(&(at, id));
                self.lapses = 0;
                let Waiter { permits, keys, .. } = self.remove(id);
                self.room.redeem(permits);
                for &key in keys.as_slice() {
                    let slot = self.keys.slot_mut(key);
                    slot.room.redeem(permits);
                    slot.lapses = 0;
                }
                Turn::Admitted(keys)
            }
            State::TooLarge { limit } => Turn::Refused(Refusal::TooLarge { limit }, self.remove(id).keys),
            State::InLine | State::Aside => Turn::Wait,
        }
    }

    /// Somebody waits no longer. The keys are still held in its name; others are not called yet.
    pub(crate) fn leave(&mut self, id: WaiterId) -> KeyIds {
        match self.waiters[id].state {
            State::InLine => self.step_out(id),
            State::Called(at) => {
                self.called.remove(&(at, id));
                self.withdraw(id);
            }
            State::Aside | State::TooLarge { .. } => {}
        }
        self.remove(id).keys
    }

    /// Permits come back. The keys are still held; others are not called yet.
    pub(crate) fn give_back(&mut self, keys: &KeyIds, permits: usize) {
        self.room.give_back(permits);
        for &id in keys.as_slice() {
            self.keys.slot_mut(id).room.give_back(permits);
            self.refresh(id);
        }
    }

    /// Keys are held by somebody less.
    pub(crate) fn let_go(&mut self, keys: &KeyIds, evicted: &mut Few<K>) {
        self.keys.let_go(keys, evicted);
    }

    /// Nobody is admitted any more; everybody who waits is told.
    pub(crate) fn close(&mut self) {
        self.is_closed = true;
        self.woken.extend(self.waiters.iter().map(|(id, _)| id));
    }

    /// Takes what is free, up to so many, for those who ask nobody, if nobody waits for it. Only where nothing has a key.
    pub(crate) fn lend(&mut self, most: usize) -> Option<usize> {
        if !self.waiters.is_empty() || self.is_closed {
            return None;
        }
        // A limit below what is in use is kept to here, until enough has come back.
        let free = self.rules.limit.checked_sub(self.room.in_use())?.min(most);
        self.room.take(free);
        Some(free)
    }

    /// Follows these rules from now on. Others are not called yet.
    pub(crate) fn follow(&mut self, rules: Rules) {
        let falls = rules.limit < self.rules.limit || rules.limit_per_key < self.rules.limit_per_key;
        let changes_per_key = rules.limit_per_key != self.rules.limit_per_key;
        self.places.set_age_after(rules.age_after);
        self.rules = rules;
        if falls {
            self.recall();
        }
        if self.heaviest > self.rules.limit.min(self.rules.limit_per_key) {
            self.refuse_too_large();
        }
        if changes_per_key {
            self.refresh_all();
        }
    }

    /// Whether there may be somebody to call.
    pub(crate) fn could_call(&self) -> bool {
        !self.ready.is_empty()
    }

    /// Whether nobody is to be woken or watched.
    pub(crate) fn is_calm(&self) -> bool {
        self.woken.is_empty() && self.called.is_empty()
    }

    /// Whom to wake, in the order in which they were called.
    pub(crate) fn woken(&mut self) -> &mut Vec<WaiterId> {
        &mut self.woken
    }

    fn remove(&mut self, id: WaiterId) -> Waiter {
        let waiter = self.waiters.remove(id);
        for &key in waiter.keys.as_slice() {
            self.keys.slot_mut(key).waiting -= 1;
        }
        if self.waiters.is_empty() {
            self.heaviest = 0;
        }
        waiter
    }

    /// Takes back every promise: a lower limit may not have room for it. Who was called stands where it stood.
    fn recall(&mut self) {
        for (_, id) in std::mem::take(&mut self.called) {
            self.withdraw(id);
            self.line_up(id);
        }
    }

    fn refuse_too_large(&mut self) {
        let ids: Vec<WaiterId> = self.waiters.iter().map(|(id, _)| id).collect();
        for id in ids {
            let Waiter { permits, ref keys, state, .. } = self.waiters[id];
            let Err(Refusal::TooLarge { limit }) = self.check_size(permits, !keys.as_slice().is_empty())
            else {
                continue;
            };
            match state {
                State::InLine => self.step_out(id),
                State::Called(at) => {
                    self.called.remove(&(at, id));
                    self.withdraw(id);
                }
                State::Aside | State::TooLarge { .. } => {}
            }
            self.waiters[id].state = State::TooLarge { limit };
            self.woken.push(id);
        }
    }
}
