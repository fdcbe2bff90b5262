//! Which operation added which raises, so that an operation takes back its own and nobody else's.
//!
//! A ledger is exact while its operation lives. Of operations that have ended, the last `limit` ledgers are
//! kept, so that `clear_operation` still finds them; what an older one raised simply stays raised until it
//! ages out or is taken back by name.

use std::collections::{HashMap, VecDeque};

use crate::OperationId;
use crate::topics::TopicKey;

#[derive(Debug, Default)]
pub(crate) struct Ledgers {
    of: HashMap<OperationId, Ledger>,
    departed: VecDeque<(OperationId, u64)>,
    departures: u64,
}

#[derive(Debug, Default)]
struct Ledger {
    /// How many sources act for this operation now.
    sources: usize,
    /// The newest departure; an older one in the queue does not speak for this ledger any more.
    departure: u64,
    entries: Vec<Entry>,
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
    pub(crate) fn arrive(&mut self, operation: OperationId) {
        self.of.entry(operation).or_default().sources += 1;
    }

    pub(crate) fn depart(&mut self, operation: OperationId, limit: usize) {
        let Some(ledger) = self.of.get_mut(&operation) else { return };
        ledger.sources -= 1;
        if ledger.sources > 0 {
            return;
        }
        if ledger.entries.is_empty() {
            self.of.remove(&operation);
            return;
        }
        self.departures += 1;
        ledger.departure = self.departures;
        self.departed.push_back((operation, self.departures));
        while self.departed.len() > limit {
            let Some((oldest, departure)) = self.departed.pop_front() else { return };
            let gone = |ledger: &Ledger| ledger.sources == 0 && ledger.departure == departure;
            if self.of.get(&oldest).is_some_and(gone) {
                self.of.remove(&oldest);
            }
        }
    }

    /// Notes one raise. `counts` says of an entry whether its raises still count.
    pub(crate) fn add(
        &mut self,
        operation: OperationId,
        topic: TopicKey,
        epoch: u64,
        counts: impl Fn(&Entry) -> bool,
    ) {
        let Some(ledger) = self.of.get_mut(&operation) else { return };
        let same = |entry: &&mut Entry| entry.topic == topic && entry.epoch == epoch;
        if let Some(entry) = ledger.entries.iter_mut().find(same) {
            entry.raises += 1;
            return;
        }
        // Pruning at each doubling only keeps the cost of a raise constant on average.
        if ledger.entries.len() >= PRUNE_FROM && ledger.entries.len() == ledger.entries.capacity() {
            ledger.entries.retain(counts);
        }
        ledger.entries.push(Entry { topic, epoch, raises: 1 });
    }

    /// Takes one raise of `topic` out of the ledger. Says whether there was one.
    pub(crate) fn take(&mut self, operation: OperationId, topic: TopicKey, epoch: u64) -> bool {
        let Some(ledger) = self.of.get_mut(&operation) else { return false };
        let same = |entry: &Entry| entry.topic == topic && entry.epoch == epoch;
        let Some(at) = ledger.entries.iter().position(same) else { return false };
        ledger.entries[at].raises -= 1;
        if ledger.entries[at].raises == 0 {
            ledger.entries.swap_remove(at);
        }
        true
    }

    /// Empties the ledger of an operation.
    pub(crate) fn take_all(&mut self, operation: OperationId) -> Vec<Entry> {
        self.of.get_mut(&operation).map(|ledger| std::mem::take(&mut ledger.entries)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u64) -> OperationId {
        OperationId::from_u64(number).unwrap()
    }

    #[test]
    fn a_departed_ledger_is_kept_until_the_limit_pushes_it_out() {
        let mut ledgers = Ledgers::default();
        for number in 1..=3 {
            ledgers.arrive(id(number));
            ledgers.add(id(number), 7, 1, |_| true);
            ledgers.depart(id(number), 2);
        }
        assert!(ledgers.take_all(id(1)).is_empty());
        assert_eq!(ledgers.take_all(id(3)), [Entry { topic: 7, epoch: 1, raises: 1 }]);
    }

    #[test]
    fn an_operation_that_came_back_is_not_pushed_out_by_its_earlier_departure() {
        let mut ledgers = Ledgers::default();
        ledgers.arrive(id(1));
        ledgers.add(id(1), 7, 1, |_| true);
        ledgers.depart(id(1), 1);
        ledgers.arrive(id(1));
        for number in 2..=9 {
            ledgers.arrive(id(number));
            ledgers.add(id(number), 7, 1, |_| true);
            ledgers.depart(id(number), 1);
        }
        assert!(ledgers.take(id(1), 7, 1));
    }

    #[test]
    fn a_long_ledger_drops_what_no_longer_counts() {
        let mut ledgers = Ledgers::default();
        ledgers.arrive(id(1));
        for topic in 0..100_000 {
            ledgers.add(id(1), topic, 1, |entry| entry.topic + 10 > topic);
        }
        assert!(ledgers.of[&id(1)].entries.len() <= 64);
    }
}
