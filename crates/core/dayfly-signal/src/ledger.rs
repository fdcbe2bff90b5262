//! Which operation added which raises, so that an operation takes back its own and nobody else's.
//!
//! A ledger is exact while its operation lives. Of operations that have ended, the last `limit` ledgers are
//! kept, so that `clear_operation` still finds them; what an older one raised simply stays raised until it
//! ages out or is taken back by name. A source knows the place of its ledger, so a raise looks no operation up, and
//! the places are used again, so that a stream of operations allocates nothing.

use std::collections::VecDeque;
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashMap, HashTable};

use crate::OperationId;
use crate::topics::TopicKey;

/// A ledger's place. It is used again once the ledger has left.
pub(crate) type LedgerKey = usize;

#[derive(Debug, Default)]
pub(crate) struct Ledgers {
    slots: Vec<Ledger>,
    free: Vec<LedgerKey>,
    of: HashMap<OperationId, LedgerKey>,
    departed: VecDeque<(LedgerKey, u64)>,
    departures: u64,
    hasher: DefaultHashBuilder,
}

#[derive(Debug)]
struct Ledger {
    operation: OperationId,
    /// How many sources act for this operation now.
    sources: usize,
    /// The newest departure; an older one in the queue does not speak for this ledger any more.
    departure: u64,
    /// Most operations raise one name: its entry needs neither a table nor a search.
    first: Option<Entry>,
    /// The other entries. A life of a count belongs to one topic, so the life alone finds the entry.
    others: HashTable<Entry>,
    /// So many entries call for a look at those that no longer count.
    prune_at: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) topic: TopicKey,
    pub(crate) epoch: u64,
    pub(crate) raises: u64,
}

/// From this many entries on, a ledger looks for those that no longer count before it grows.
const PRUNE_FROM: usize = 32;

impl Ledgers {
    /// A source begins to act for `operation`. Returns the place of the ledger, which stays until it departs.
    pub(crate) fn arrive(&mut self, operation: OperationId) -> LedgerKey {
        let (slots, free) = (&mut self.slots, &mut self.free);
        let at = *self.of.entry(operation).or_insert_with(|| {
            if let Some(at) = free.pop() {
                slots[at].operation = operation;
                return at;
            }
            slots.push(Ledger::new(operation));
            slots.len() - 1
        });
        slots[at].sources += 1;
        at
    }

    /// A source ceases to act for the operation of this ledger.
    pub(crate) fn depart(&mut self, at: LedgerKey, limit: usize) {
        let ledger = &mut self.slots[at];
        ledger.sources -= 1;
        if ledger.sources > 0 {
            return;
        }
        if ledger.is_empty() {
            self.forget(at);
            return;
        }
        self.departures += 1;
        ledger.departure = self.departures;
        self.departed.push_back((at, self.departures));
        while self.departed.len() > limit {
            let Some((oldest, departure)) = self.departed.pop_front() else { return };
            if self.slots[oldest].sources == 0 && self.slots[oldest].departure == departure {
                self.forget(oldest);
            }
        }
    }

    /// The ledger of an operation, if one is kept.
    pub(crate) fn find(&self, operation: OperationId) -> Option<LedgerKey> {
        self.of.get(&operation).copied()
    }

    /// Notes one raise. `counts` says of an entry whether its raises still count.
    #[inline]
    pub(crate) fn add(
        &mut self,
        at: LedgerKey,
        topic: TopicKey,
        epoch: u64,
        counts: impl Fn(&Entry) -> bool,
    ) {
        let ledger = &mut self.slots[at];
        match &mut ledger.first {
            Some(first) if first.epoch == epoch => first.raises += 1,
            None if ledger.others.is_empty() => ledger.first = Some(Entry { topic, epoch, raises: 1 }),
            _ => ledger.add_other(&self.hasher, Entry { topic, epoch, raises: 1 }, counts),
        }
    }

    /// Takes one raise of this life of a count out of the ledger. Says whether there was one.
    pub(crate) fn take(&mut self, operation: OperationId, epoch: u64) -> bool {
        let Some(&at) = self.of.get(&operation) else { return false };
        let ledger = &mut self.slots[at];
        if let Some(first) = ledger.first.as_mut().filter(|first| first.epoch == epoch) {
            first.raises -= 1;
            if first.raises == 0 {
                ledger.first = None;
            }
            return true;
        }
        let hash = self.hasher.hash_one(epoch);
        let Ok(mut entry) = ledger.others.find_entry(hash, |entry| entry.epoch == epoch) else {
            return false;
        };
        entry.get_mut().raises -= 1;
        if entry.get().raises == 0 {
            entry.remove();
        }
        true
    }

    /// Empties the ledger of an operation.
    pub(crate) fn take_all(&mut self, operation: OperationId) -> Vec<Entry> {
        let Some(&at) = self.of.get(&operation) else { return Vec::new() };
        let ledger = &mut self.slots[at];
        ledger.first.take().into_iter().chain(ledger.others.drain()).collect()
    }

    fn forget(&mut self, at: LedgerKey) {
        let ledger = &mut self.slots[at];
        self.of.remove(&ledger.operation);
        ledger.departure = 0;
        ledger.first = None;
        if ledger.others.capacity() > 0 {
            ledger.forget_others();
        }
        self.free.push(at);
    }
}

impl Ledger {
    fn new(operation: OperationId) -> Self {
        Self {
            operation,
            sources: 0,
            departure: 0,
            first: None,
            others: HashTable::new(),
            prune_at: PRUNE_FROM,
        }
    }

    fn is_empty(&self) -> bool {
        self.first.is_none() && self.others.is_empty()
    }

    /// A small table is used again with its place; a large one was an exception.
    #[cold]
    fn forget_others(&mut self) {
        self.others.clear();
        if self.others.capacity() > PRUNE_FROM {
            self.others = HashTable::new();
        }
        self.prune_at = PRUNE_FROM;
    }

    /// Notes a raise of a further name.
    fn add_other(&mut self, hasher: &DefaultHashBuilder, new: Entry, counts: impl Fn(&Entry) -> bool) {
        let hash = hasher.hash_one(new.epoch);
        if let Some(entry) = self.others.find_mut(hash, |entry| entry.epoch == new.epoch) {
            entry.raises += 1;
            return;
        }
        // The next look comes when the ledger has doubled, which keeps the cost of a raise constant on average.
        if self.others.len() >= self.prune_at {
            self.first = self.first.filter(|entry| counts(entry));
            self.others.retain(|entry| counts(entry));
            self.prune_at = PRUNE_FROM.max(2 * self.others.len());
        }
        self.others.insert_unique(hash, new, |entry| hasher.hash_one(entry.epoch));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> OperationId {
        OperationId::from_u64(number).unwrap()
    }

    /// An operation that raises one thing and ends.
    fn pass(ledgers: &mut Ledgers, number: u64, limit: usize) {
        let at = ledgers.arrive(id(number));
        ledgers.add(at, 7, 1, |_| true);
        ledgers.depart(at, limit);
    }

    #[test]
    fn a_departed_ledger_is_kept_until_the_limit_pushes_it_out() {
        let mut ledgers = Ledgers::default();
        for number in 1..=3 {
            pass(&mut ledgers, number, 2);
        }
        assert!(ledgers.take_all(id(1)).is_empty());
        assert_eq!(ledgers.take_all(id(3)), [Entry { topic: 7, epoch: 1, raises: 1 }]);
    }

    #[test]
    fn an_operation_that_came_back_is_not_pushed_out_by_its_earlier_departure() {
        let mut ledgers = Ledgers::default();
        pass(&mut ledgers, 1, 1);
        ledgers.arrive(id(1));
        for number in 2..=9 {
            pass(&mut ledgers, number, 1);
        }
        assert!(ledgers.take(id(1), 1));
    }

    #[test]
    fn a_place_that_is_used_again_is_not_pushed_out_by_its_earlier_owner() {
        let mut ledgers = Ledgers::default();
        pass(&mut ledgers, 1, 2);
        ledgers.take_all(id(1));
        // The ledger is empty when its operation comes and goes again, so its place is free at once.
        let at = ledgers.arrive(id(1));
        ledgers.depart(at, 2);
        pass(&mut ledgers, 2, 2);
        pass(&mut ledgers, 3, 2);
        assert_eq!(ledgers.take_all(id(2)).len(), 1);
    }

    #[test]
    fn a_stream_of_operations_uses_the_same_places() {
        let mut ledgers = Ledgers::default();
        (1..=1_000).for_each(|number| pass(&mut ledgers, number, 10));
        assert_eq!((ledgers.slots.len(), ledgers.of.len()), (11, 10));
    }

    #[test]
    fn each_raise_is_taken_once_whichever_entry_it_stands_in() {
        let mut ledgers = Ledgers::default();
        let at = ledgers.arrive(id(1));
        for epoch in [1, 2, 3, 2, 1] {
            ledgers.add(at, 0, epoch, |_| true);
        }
        let mut taken = |epoch| ledgers.take(id(1), epoch);
        assert_eq!(
            [1, 1, 1, 2, 2, 2, 3, 3].map(&mut taken),
            [true, true, false, true, true, false, true, false]
        );
        assert!(ledgers.slots[at].is_empty());
    }

    #[test]
    fn a_long_ledger_drops_what_no_longer_counts() {
        let mut ledgers = Ledgers::default();
        let at = ledgers.arrive(id(1));
        for topic in 0..100_000 {
            ledgers.add(at, topic, u64::from(topic) + 1, |entry| entry.topic + 10 > topic);
        }
        assert!(ledgers.slots[at].others.len() <= 64);
    }
}
