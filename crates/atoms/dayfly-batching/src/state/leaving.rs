//! How batches leave: to a handler, or because nobody wants their items any more.

use super::{Claim, Place, State};
use crate::replies::Token;

impl<T, K: Eq> State<T, K> {
    /// How many batches could be given a slot now.
    pub(crate) fn claimable(&self) -> usize {
        self.ready.len().min(self.limits.max_in_flight.saturating_sub(self.in_flight))
    }

    /// Gives a slot to the next batch, if there are both. `claim` brings empty buffers.
    pub(crate) fn claim(&mut self, claim: &mut Claim<T>) -> bool {
        if self.in_flight >= self.limits.max_in_flight {
            return false;
        }
        let Some(batch) = self.ready.pop_front() else { return false };
        self.in_flight += 1;
        let fits = self.fits(batch);
        let pending = self.batches.get_mut(batch);
        (claim.key, claim.epoch, claim.reason) = (pending.key, pending.epoch, pending.reason);
        if let Some(own) = self.keys.get(claim.key)
            && own.open == Some(batch)
        {
            own.open = None;
        }
        if fits < pending.items.len() {
            pending.split(fits, claim);
            self.epochs.again(claim.epoch);
            match self.keys.get(claim.key) {
                Some(own) if self.manner.is_serial => own.line.push_front(batch),
                _ => self.ready.push_front(batch),
            }
        } else {
            std::mem::swap(&mut pending.items, &mut claim.items);
            std::mem::swap(&mut pending.waiters, &mut claim.waiters);
            self.batches.end(batch);
        }
        self.items -= claim.items.len();
        true
    }

    /// How many of its items may go together: all, unless a limit was lowered meanwhile.
    fn fits(&self, batch: usize) -> usize {
        let pending = self.batches.get(batch);
        let items = pending.items.len().min(self.limits.max_items);
        let Some(max) = self.limits.max_weight.filter(|max| pending.weight > *max) else { return items };
        if pending.weights.is_empty() {
            return items.min(usize::try_from(max).unwrap_or(usize::MAX));
        }
        let mut sum = 0_u64;
        let within = pending.weights.iter().take_while(|weight| {
            sum = sum.saturating_add(**weight);
            sum <= max
        });
        // What is too heavy by itself goes alone: it was accepted.
        items.min(within.count()).max(1)
    }

    /// A claimed batch has ended. Returns its key if nothing else is left of that.
    pub(crate) fn finish(&mut self, claim: &Claim<T>) -> Option<K> {
        self.in_flight -= 1;
        self.epochs.end(claim.epoch);
        self.next_of(claim.key)
    }

    /// The key's next batch may be handled.
    fn next_of(&mut self, key: usize) -> Option<K> {
        if !self.manner.is_serial {
            return None;
        }
        let own = self.keys.get(key)?;
        match own.line.pop_front() {
            Some(next) => self.line_up(next),
            None => own.is_busy = false,
        }
        self.keys.retire(key)
    }

    /// Takes out the item that nobody else waits for. The key comes with it if nothing else is left of that. `None` when
    /// a handler has the item.
    pub(crate) fn withdraw(&mut self, place: Place) -> Option<(Option<T>, Option<K>)> {
        if !self.batches.is(place.at, place.number) {
            return None;
        }
        let pending = self.batches.get_mut(place.at);
        let item = pending.withdraw(place.arrival);
        self.items -= usize::from(item.is_some());
        let retired = if pending.items.is_empty() { self.vanish(place.at) } else { None };
        Some((item, retired))
    }

    /// Nothing is left of the batch.
    fn vanish(&mut self, batch: usize) -> Option<K> {
        let pending = self.batches.get_mut(batch);
        let (key, is_due, epoch) = (pending.key, pending.is_due, pending.epoch);
        self.epochs.end(epoch);
        let turn = self.batches.get(batch).turn;
        let at = self.ready.binary_search_by_key(&turn, |other| self.batches.get(*other).turn);
        let ready = at.ok().filter(|at| is_due && self.ready[*at] == batch);
        if let Some(at) = ready {
            self.ready.remove(at);
        }
        if !is_due {
            self.batches.unlist(batch);
        }
        self.batches.end(batch);
        if let Some(own) = self.keys.get(key) {
            own.open = own.open.filter(|open| *open != batch);
            if let Some(at) = own.line.iter().position(|other| *other == batch) {
                own.line.remove(at);
            }
        }
        if ready.is_some() {
            self.next_of(key)
        } else if self.manner.is_serial {
            self.keys.retire(key)
        } else {
            None
        }
    }

    /// Takes everybody who waits out of the batches that no handler has.
    pub(crate) fn dismiss(&mut self) -> Vec<Token> {
        self.batches
            .all()
            .flat_map(|batch| batch.waiters.drain(..))
            .filter_map(|waiter| waiter.token)
            .collect()
    }

    /// Takes out every batch that no handler has, and the keys that nothing else is left of.
    pub(crate) fn abandon(&mut self) -> (Vec<T>, Vec<K>) {
        let (mut items, mut keys) = (Vec::new(), Vec::new());
        self.ready.clear();
        for batch in self.batches.places().filter(|batch| self.batches.is_taken(*batch)).collect::<Vec<_>>() {
            let pending = self.batches.get_mut(batch);
            items.append(&mut pending.items);
            pending.waiters.clear();
            let (key, is_due, epoch) = (pending.key, pending.is_due, pending.epoch);
            if !is_due {
                self.batches.unlist(batch);
            }
            self.batches.end(batch);
            self.epochs.end(epoch);
            if let Some(own) = self.keys.get(key) {
                (own.open, own.is_busy) = (None, false);
                own.line.clear();
            }
            keys.extend(self.keys.retire(key));
        }
        self.items = 0;
        (items, keys)
    }
}
