//! Breakers by key, in the order in which they were asked for last.
//!
//! They stand in one of two lines. Who makes room comes from the line of those that may go; whoever is found there and must
//! stay, because it has opened or somebody holds it, goes over to the line of those that must. It is passed over once that
//! way and not again: it comes back when it is asked for, or when a look finds that it may go. So a look-up does a constant
//! amount of work but for one step for each breaker that has opened or been held since it was asked for.

use std::borrow::Borrow;
use std::hash::Hash;

use hashbrown::HashMap;
use slab::Slab;
use tokio::time::Instant;

use crate::breaker::CircuitBreaker;
use crate::keyed::KeyedBreakerOptions;
use crate::machine::BreakerState;

/// How many of those that must stay are looked at again with each key that comes.
const LOOKS: usize = 8;

/// How many idle ones go with each key that comes.
const AT_ONCE: usize = 2;

pub(super) struct Table<K> {
    options: KeyedBreakerOptions,
    places: HashMap<K, usize>,
    seats: Slab<Seat<K>>,
    /// Those that may go, as far as is known, and those that must stay.
    lines: [Line; 2],
    displaced: u64,
}

/// Asked for last, and longest ago.
#[derive(Clone, Copy, Default)]
struct Line {
    newest: Option<usize>,
    oldest: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Which {
    MayGo,
    MustStay,
}

/// What has left the table, to be dropped without its lock: keys are foreign, and so is what hears of signals.
pub(super) struct Gone<K> {
    _keys: [Option<K>; 2],
    _breaker: CircuitBreaker,
}

struct Seat<K> {
    key: K,
    breaker: CircuitBreaker,
    asked_at: Option<Instant>,
    line: Which,
    newer: Option<usize>,
    older: Option<usize>,
}

impl<K: Eq + Hash + Clone> Table<K> {
    pub(super) fn new(options: KeyedBreakerOptions) -> Self {
        let lines = [Line::default(); 2];
        Self { options, places: HashMap::new(), seats: Slab::new(), lines, displaced: 0 }
    }

    pub(super) const fn options(&self) -> &KeyedBreakerOptions {
        &self.options
    }

    pub(super) const fn has_idle_time(&self) -> bool {
        self.options.time_to_idle.is_some()
    }

    pub(super) fn len(&self) -> usize {
        self.seats.len()
    }

    pub(super) const fn displaced(&self) -> u64 {
        self.displaced
    }

    /// The breaker of a key that has one, which is asked for now.
    pub(super) fn find<Q>(&mut self, key: &Q, now: Option<Instant>) -> Option<CircuitBreaker>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let at = *self.places.get(key)?;
        if self.line(Which::MayGo).newest != Some(at) {
            self.unlink(at);
            self.link(at, Which::MayGo);
        }
        let seat = &mut self.seats[at];
        seat.asked_at = now;
        Some(seat.breaker.clone())
    }

    /// Gives a key this breaker, unless it has got one meanwhile. What has to go for it is put into `gone`.
    pub(super) fn insert(
        &mut self,
        key: K,
        breaker: CircuitBreaker,
        now: Option<Instant>,
        gone: &mut Vec<Gone<K>>,
    ) -> CircuitBreaker {
        if let Some(found) = self.find(&key, now) {
            gone.push(Gone { _keys: [Some(key), None], _breaker: breaker });
            return found;
        }
        self.let_idle_go(now, gone);
        self.look_again(now, gone);
        while self.len() >= self.options.max_keys {
            let Some(at) = self.most_dispensable() else { break };
            gone.push(self.take(at));
        }
        // The options may have changed while it was made.
        breaker.follow(&self.options.breaker);
        let (line, newer, older) = (Which::MayGo, None, None);
        let seat = Seat { key: key.clone(), breaker: breaker.clone(), asked_at: now, line, newer, older };
        // First what may panic, as a key's hash may: then nothing has changed.
        let at = self.seats.vacant_key();
        self.places.insert(key, at);
        self.seats.insert(seat);
        self.link(at, Which::MayGo);
        breaker
    }

    pub(super) fn remove<Q>(&mut self, key: &Q) -> Option<Gone<K>>
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ?Sized,
    {
        let at = *self.places.get(key)?;
        Some(self.take(at))
    }

    /// Follows other options; says whose breakers have to follow them too.
    pub(super) fn follow(
        &mut self,
        options: KeyedBreakerOptions,
        gone: &mut Vec<Gone<K>>,
    ) -> Vec<CircuitBreaker> {
        self.options = options;
        while self.len() > self.options.max_keys {
            let Some(at) = self.most_dispensable() else { break };
            gone.push(self.take(at));
        }
        self.seats.iter().map(|(_, seat)| seat.breaker.clone()).collect()
    }

    fn let_idle_go(&mut self, now: Option<Instant>, gone: &mut Vec<Gone<K>>) {
        for _ in 0..AT_ONCE {
            let Some(at) = self.line(Which::MayGo).oldest else { return };
            if !self.is_idle(at, now) {
                return;
            }
            if self.may_go_idle(at, now) {
                gone.push(self.take(at));
            } else {
                self.unlink(at);
                self.link(at, Which::MustStay);
            }
        }
    }

    /// Whoever had to stay may have closed since, or nobody holds it any more.
    fn look_again(&mut self, now: Option<Instant>, gone: &mut Vec<Gone<K>>) {
        for _ in 0..LOOKS {
            let Some(at) = self.line(Which::MustStay).oldest else { return };
            if self.is_idle(at, now) && self.may_go_idle(at, now) {
                gone.push(self.take(at));
                continue;
            }
            self.unlink(at);
            if self.may_go(at) {
                self.link_as_oldest(at);
            } else {
                self.link(at, Which::MustStay);
            }
        }
    }

    /// Of those that may go the one that was asked for longest ago; if there is none, of those that must stay.
    fn most_dispensable(&mut self) -> Option<usize> {
        while let Some(at) = self.line(Which::MayGo).oldest {
            if self.may_go(at) {
                return Some(at);
            }
            self.unlink(at);
            self.link(at, Which::MustStay);
        }
        self.displaced += 1;
        self.line(Which::MustStay).oldest
    }

    fn may_go(&self, at: usize) -> bool {
        let breaker = &self.seats[at].breaker;
        breaker.is_alone() && breaker.peek() == BreakerState::Closed
    }

    fn is_idle(&self, at: usize, now: Option<Instant>) -> bool {
        let Some((now, time)) = now.zip(self.options.time_to_idle) else { return false };
        let asked_at = self.seats[at].asked_at;
        asked_at.is_none_or(|asked_at| now.saturating_duration_since(asked_at) >= time)
    }

    /// One that is idle goes also when it is half-open: nobody comes to probe it, and it would stay for good.
    fn may_go_idle(&self, at: usize, now: Option<Instant>) -> bool {
        let breaker = &self.seats[at].breaker;
        breaker.is_alone() && matches!(breaker.peek_at(now), BreakerState::Closed | BreakerState::HalfOpen)
    }

    fn take(&mut self, at: usize) -> Gone<K> {
        // This may panic, as a key's hash may: then nothing has changed.
        let own = self.places.remove_entry(&self.seats[at].key).map(|(key, _)| key);
        self.unlink(at);
        let seat = self.seats.remove(at);
        Gone { _keys: [own, Some(seat.key)], _breaker: seat.breaker }
    }

    const fn line(&self, which: Which) -> Line {
        self.lines[which as usize]
    }

    fn link(&mut self, at: usize, which: Which) {
        self.link_between(at, which, None, self.line(which).newest);
    }

    /// It may go, and before all others.
    fn link_as_oldest(&mut self, at: usize) {
        self.link_between(at, Which::MayGo, self.line(Which::MayGo).oldest, None);
    }

    fn link_between(&mut self, at: usize, which: Which, newer: Option<usize>, older: Option<usize>) {
        let seat = &mut self.seats[at];
        (seat.line, seat.newer, seat.older) = (which, newer, older);
        match newer {
            Some(newer) => self.seats[newer].older = Some(at),
            None => self.lines[which as usize].newest = Some(at),
        }
        match older {
            Some(older) => self.seats[older].newer = Some(at),
            None => self.lines[which as usize].oldest = Some(at),
        }
    }

    fn unlink(&mut self, at: usize) {
        let Seat { line, newer, older, .. } = self.seats[at];
        match newer {
            Some(newer) => self.seats[newer].older = older,
            None => self.lines[line as usize].newest = older,
        }
        match older {
            Some(older) => self.seats[older].newer = newer,
            None => self.lines[line as usize].oldest = newer,
        }
    }
}
