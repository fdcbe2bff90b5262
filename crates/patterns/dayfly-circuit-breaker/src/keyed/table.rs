//! Breakers by key, in the order in which they were asked for last.

use std::borrow::Borrow;
use std::hash::Hash;

use hashbrown::HashMap;
use slab::Slab;
use tokio::time::Instant;

use crate::breaker::CircuitBreaker;
use crate::keyed::KeyedBreakerOptions;
use crate::machine::BreakerState;

/// How many are looked at for one that may go.
const LOOKS: usize = 8;

/// How many idle ones go with each look-up.
const AT_ONCE: usize = 2;

pub(super) struct Table<K> {
    options: KeyedBreakerOptions,
    places: HashMap<K, usize>,
    seats: Slab<Seat<K>>,
    /// Asked for last, and longest ago.
    newest: Option<usize>,
    oldest: Option<usize>,
    displaced: u64,
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
    newer: Option<usize>,
    older: Option<usize>,
}

impl<K: Eq + Hash + Clone> Table<K> {
    pub(super) fn new(options: KeyedBreakerOptions) -> Self {
        Self { options, places: HashMap::new(), seats: Slab::new(), newest: None, oldest: None, displaced: 0 }
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
        if self.newest != Some(at) {
            self.unlink(at);
            self.link(at);
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
        while self.len() >= self.options.max_keys {
            let Some(at) = self.most_dispensable() else { break };
            gone.push(self.take(at));
        }
        // The options may have changed while it was made.
        breaker.follow(&self.options.breaker);
        let seat =
            Seat { key: key.clone(), breaker: breaker.clone(), asked_at: now, newer: None, older: None };
        // First what may panic, as a key's hash may: then nothing has changed.
        let at = self.seats.vacant_key();
        self.places.insert(key, at);
        self.seats.insert(seat);
        self.link(at);
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
        let Some((now, time)) = now.zip(self.options.time_to_idle) else { return };
        for _ in 0..AT_ONCE {
            let Some(at) = self.oldest else { return };
            let Seat { asked_at, .. } = &self.seats[at];
            let is_idle = asked_at.is_none_or(|asked_at| now.saturating_duration_since(asked_at) >= time);
            if !is_idle {
                return;
            }
            if self.may_go(at) {
                gone.push(self.take(at));
            } else {
                // It has its reasons; the next one may have none.
                self.unlink(at);
                self.link(at);
            }
        }
    }

    /// The one that was asked for longest ago, of those that may go if there are any among the first few.
    fn most_dispensable(&mut self) -> Option<usize> {
        let mut at = self.oldest;
        for _ in 0..LOOKS {
            let Some(candidate) = at else { break };
            if self.may_go(candidate) {
                return Some(candidate);
            }
            at = self.seats[candidate].newer;
        }
        self.displaced += 1;
        self.oldest
    }

    fn may_go(&self, at: usize) -> bool {
        let breaker = &self.seats[at].breaker;
        breaker.is_alone() && breaker.peek() == BreakerState::Closed
    }

    fn take(&mut self, at: usize) -> Gone<K> {
        // This may panic, as a key's hash may: then nothing has changed.
        let own = self.places.remove_entry(&self.seats[at].key).map(|(key, _)| key);
        self.unlink(at);
        let seat = self.seats.remove(at);
        Gone { _keys: [own, Some(seat.key)], _breaker: seat.breaker }
    }

    fn link(&mut self, at: usize) {
        (self.seats[at].newer, self.seats[at].older) = (None, self.newest);
        match self.newest {
            Some(newest) => self.seats[newest].newer = Some(at),
            None => self.oldest = Some(at),
        }
        self.newest = Some(at);
    }

    fn unlink(&mut self, at: usize) {
        let Seat { newer, older, .. } = self.seats[at];
        match newer {
            Some(newer) => self.seats[newer].older = older,
            None => self.newest = older,
        }
        match older {
            Some(older) => self.seats[older].newer = newer,
            None => self.oldest = newer,
        }
    }
}
