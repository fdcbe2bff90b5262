//! Who is parked and what was given up: plain bookkeeping, without a lock and without a clock.
//!
//! ```text
//! fails -> parked -+- retry ----------> runs again
//!                  +- skip, discard --> leaving -> its operation has ended
//!                  +- cancel, kill ---> given up
//! ```
//!
//! Whoever takes a key out of here decides what becomes of it; everybody after finds it gone. The operation itself may
//! still be on its way from its worker to the engine then, so an item that is leaving is remembered until the engine
//! hands it over.

use std::collections::{HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;

use dayfly::{Hold, OperationId};
use tokio::time::Instant;

use crate::{GivenUp, Parked};

pub(crate) struct Ledger<K, T> {
    parked: HashMap<K, Parking<T>>,
    /// Operations whose items were handed back by hand and which have not ended yet.
    leaving: HashSet<OperationId>,
    given_up: VecDeque<GivenUp<K, T>>,
    /// How many items are listed as given up.
    most: usize,
    forgotten: u64,
    numbers: u64,
    /// Present once nobody is left who could say what is to become of a key: those whose line has stopped for good.
    stopped: Option<HashSet<K>>,
}

/// One key's failed item.
pub(crate) struct Parking<T> {
    pub(crate) id: OperationId,
    pub(crate) item: Arc<T>,
    pub(crate) attempts: u32,
    pub(crate) since: Instant,
    pub(crate) error: Arc<str>,
    pub(crate) panicked: bool,
    /// Tells this stay from another one of the same operation.
    pub(crate) number: u64,
    /// Keeps the signal raised; absent until it has been.
    pub(crate) hold: Option<Hold>,
}

/// As many keys as this may have been parked at once at no cost; what more needed is not kept.
const KEPT: usize = 1_024;

impl<K: Eq + Hash + Clone, T> Ledger<K, T> {
    pub(crate) fn new(most: usize) -> Self {
        Self {
            parked: HashMap::new(),
            leaving: HashSet::new(),
            given_up: VecDeque::new(),
            most,
            forgotten: 0,
            numbers: 0,
            stopped: None,
        }
    }

    /// Parks a key, and says under which number. Nothing when nobody is left to unpark it: its line stops for good.
    pub(crate) fn park(&mut self, key: K, parking: Parking<T>) -> Option<u64> {
        if let Some(stopped) = &mut self.stopped {
            stopped.insert(key);
            return None;
        }
        self.numbers += 1;
        self.parked.insert(key, Parking { number: self.numbers, ..parking });
        Some(self.numbers)
    }

    /// Leaves the signal of a stay with it; hands it back when that is over.
    pub(crate) fn keep(&mut self, key: &K, number: u64, hold: Hold) -> Option<Hold> {
        match self.parked.get_mut(key) {
            Some(parking) if parking.number == number => parking.hold.replace(hold),
            _ => Some(hold),
        }
    }

    /// Takes a key out; its item goes on.
    pub(crate) fn release(&mut self, key: &K) -> Option<Parking<T>> {
        let parking = self.parked.remove(key);
        if self.parked.is_empty() && self.parked.capacity() > KEPT {
            self.parked = HashMap::new();
        }
        parking
    }

    /// Takes a key out; its item is handed back.
    pub(crate) fn remove(&mut self, key: &K) -> Option<Parking<T>> {
        let parking = self.release(key)?;
        self.leaving.insert(parking.id);
        Some(parking)
    }

    pub(crate) fn keys(&self) -> Vec<K> {
        self.parked.keys().cloned().collect()
    }

    pub(crate) fn get(&self, key: &K) -> Option<Parked<K>> {
        self.parked.get_key_value(key).map(|(key, parking)| parking.told(key))
    }

    /// The parked keys, those first that are parked for longest.
    pub(crate) fn list(&self) -> Vec<Parked<K>> {
        let mut parked: Vec<_> = self.parked.iter().collect();
        parked.sort_by_key(|(_, parking)| parking.number);
        parked.into_iter().map(|(key, parking)| parking.told(key)).collect()
    }

    pub(crate) fn len(&self) -> usize {
        self.parked.len()
    }

    /// The engine has ended an operation that will not run (again). What is returned is the caller's to drop where locks
    /// are free: the key's stay if this ends it, and what the list has no place for.
    pub(crate) fn end(&mut self, ended: GivenUp<K, T>) -> (Option<Parking<T>>, Option<GivenUp<K, T>>) {
        if self.leaving.remove(&ended.id) {
            return (None, Some(ended));
        }
        let is_parked = self.parked.get(&ended.key).is_some_and(|parking| parking.id == ended.id);
        let parking = if is_parked { self.release(&ended.key) } else { None };
        (parking, self.give_up(ended))
    }

    /// Lists an item as given up, and returns what the list has no place for.
    pub(crate) fn give_up(&mut self, ended: GivenUp<K, T>) -> Option<GivenUp<K, T>> {
        let surplus = if self.given_up.len() < self.most { None } else { self.given_up.pop_front() };
        self.forgotten += u64::from(surplus.is_some());
        self.given_up.push_back(ended);
        surplus
    }

    pub(crate) fn given_up(&self) -> (Vec<GivenUp<K, T>>, u64) {
        (self.given_up.iter().cloned().collect(), self.forgotten)
    }

    pub(crate) fn take_given_up(&mut self) -> Vec<GivenUp<K, T>> {
        std::mem::take(&mut self.given_up).into()
    }

    /// At least so many items are listed as given up from now on.
    pub(crate) fn list_at_least(&mut self, items: usize) {
        self.most = self.most.max(items);
    }

    /// Nobody is left to unpark keys: the line of those that are parked has stopped for good. They are returned, for
    /// their operations to come and see it.
    pub(crate) fn stop(&mut self) -> Vec<Parking<T>> {
        let stopped = self.parked.keys().cloned().collect();
        self.stopped = Some(stopped);
        std::mem::take(&mut self.parked).into_values().collect()
    }

    /// Whether a key's line has stopped for good.
    pub(crate) fn has_stopped(&self, key: &K) -> bool {
        self.stopped.as_ref().is_some_and(|stopped| stopped.contains(key))
    }
}

impl<T> Parking<T> {
    fn told<K: Clone>(&self, key: &K) -> Parked<K> {
        Parked {
            key: key.clone(),
            id: self.id,
            attempts: self.attempts,
            since: self.since,
            error: Arc::clone(&self.error),
            panicked: self.panicked,
        }
    }
}

#[cfg(test)]
mod tests {
    use dayfly::OperationState;

    use super::*;

    fn id(number: u64) -> OperationId {
        OperationId::from_u64(number).unwrap()
    }

    fn parking(operation: u64) -> Parking<u64> {
        Parking {
            id: id(operation),
            item: Arc::new(operation),
            attempts: 1,
            since: Instant::now(),
            error: "no".into(),
            panicked: false,
            number: 0,
            hold: None,
        }
    }

    fn ended(operation: u64) -> GivenUp<u32, u64> {
        GivenUp {
            id: id(operation),
            key: 7,
            item: Arc::new(operation),
            attempts: 1,
            error: None,
            state: OperationState::Cancelled,
        }
    }

    #[test]
    fn whoever_comes_second_finds_the_key_gone() {
        let mut ledger = Ledger::new(10);
        ledger.park(7, parking(1));
        assert_eq!(ledger.remove(&7).map(|parking| *parking.item), Some(1));
        assert!(ledger.release(&7).is_none() && ledger.remove(&7).is_none());
        // What was handed back is not given up as well.
        ledger.end(ended(1));
        assert!(ledger.given_up().0.is_empty());
        // A later stay of the key is another one.
        ledger.park(7, parking(2));
        let (stay, _) = ledger.end(ended(2));
        assert_eq!(stay.map(|stay| *stay.item), Some(2));
        assert_eq!(ledger.given_up().0.len(), 1);
        assert_eq!(ledger.len(), 0);
    }

    #[test]
    fn the_end_of_another_operation_leaves_the_key_parked() {
        let mut ledger = Ledger::new(10);
        ledger.park(7, parking(1));
        ledger.end(ended(2));
        assert_eq!(ledger.len(), 1);
    }

    #[test]
    fn the_list_is_bounded_and_counts_what_it_forgets() {
        let mut ledger = Ledger::new(2);
        for operation in 1..=5 {
            ledger.end(ended(operation));
        }
        let (listed, forgotten) = ledger.given_up();
        assert_eq!(listed.iter().map(|item| *item.item).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(forgotten, 3);
        ledger.list_at_least(1);
        ledger.end(ended(6));
        assert_eq!(ledger.take_given_up().len(), 2);
        assert!(ledger.given_up().0.is_empty());
    }

    #[test]
    fn with_nobody_left_lines_stop_for_good() {
        let mut ledger = Ledger::new(2);
        ledger.park(7, parking(1));
        assert_eq!(ledger.stop().len(), 1);
        assert_eq!(ledger.park(8, parking(2)), None);
        assert!(ledger.has_stopped(&7) && ledger.has_stopped(&8) && !ledger.has_stopped(&9));
    }
}
