//! Operations that wait for their next attempt: until a time has come, or until somebody says so.

use std::collections::BTreeMap;

use dayfly_signal::OperationId;
use hashbrown::HashMap;
use tokio::time::Instant;

use crate::schedule::Queued;

pub(super) struct Waiting<T, K> {
    entries: BTreeMap<Place, Queued<T, K>>,
    /// Where an operation waits, so that one that is wanted is found however many wait.
    places: HashMap<OperationId, Place>,
    numbers: u64,
}

/// An operation's place: by time, then by age. The number keeps operations apart to which callers gave one id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    due: Due,
    id: OperationId,
    number: u64,
}

/// What never comes by itself stands behind everything that does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    At(Instant),
    WhenTold,
}

/// As many as this may have waited at once at no cost; what more needed is not kept.
const KEPT: usize = 4_096;

impl<T, K> Waiting<T, K> {
    pub(super) fn new() -> Self {
        Self { entries: BTreeMap::new(), places: HashMap::new(), numbers: 0 }
    }

    /// Takes in what waits until `due`, or until it is removed where that is absent.
    pub(super) fn insert(&mut self, due: Option<Instant>, entry: Queued<T, K>) {
        self.numbers += 1;
        let place = Place { due: due.map_or(Due::WhenTold, Due::At), id: entry.id, number: self.numbers };
        self.places.insert(entry.id, place);
        self.entries.insert(place, entry);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub(super) fn first_due(&self) -> Option<Instant> {
        match self.entries.first_key_value()?.0.due {
            Due::At(due) => Some(due),
            Due::WhenTold => None,
        }
    }

    /// The first whose time has come.
    pub(super) fn pop_due(&mut self, now: Instant) -> Option<Queued<T, K>> {
        let first = self.entries.first_entry()?;
        if first.key().due > Due::At(now) {
            return None;
        }
        let (place, entry) = first.remove_entry();
        self.forget(place);
        Some(entry)
    }

    pub(super) fn remove(&mut self, id: OperationId) -> Option<Queued<T, K>> {
        let place = *self.places.get(&id)?;
        let entry = self.entries.remove(&place);
        self.forget(place);
        entry
    }

    /// Takes everything out, what is due first at the front.
    pub(super) fn take_all(&mut self) -> Vec<Queued<T, K>> {
        self.places = HashMap::new();
        std::mem::take(&mut self.entries).into_values().collect()
    }

    fn forget(&mut self, place: Place) {
        // Of two with one id, the index knows the later one.
        if self.places.get(&place.id) == Some(&place) {
            self.places.remove(&place.id);
        }
        if self.places.is_empty() && self.places.capacity() > KEPT {
            self.places = HashMap::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::schedule::Place as Turn;

    fn entry(id: u64, item: usize) -> Queued<usize, ()> {
        let now = Instant::now();
        Queued {
            id: OperationId::from_u64(id).unwrap(),
            is_own_id: false,
            key: (),
            place: Turn::default(),
            item,
            enqueued_at: now,
            ready_at: now,
            attempts: 1,
            claim: 0,
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u64, Option<u64>),
        Remove(u64),
        Pop(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => (1..8_u64, prop::option::of(0..6_u64)).prop_map(|(id, due)| Step::Insert(id, due)),
            2 => (1..8_u64).prop_map(Step::Remove),
            2 => (0..8_u64).prop_map(Step::Pop),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, cases: 512, ..ProptestConfig::default() })]

        /// Against a plain list; also when callers give one id to several.
        #[test]
        fn what_waits_comes_out_once_in_the_order_of_its_time(steps in prop::collection::vec(step(), 1..80)) {
            let start = Instant::now();
            let at = |seconds| start + Duration::from_secs(seconds);
            let (mut waiting, mut newest) = (Waiting::new(), HashMap::new());
            let mut model: Vec<(Option<u64>, u64, usize)> = Vec::new();
            for (item, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Insert(id, due) => {
                        newest.insert(id, item);
                        waiting.insert(due.map(at), entry(id, item));
                        model.push((due, id, item));
                    }
                    Step::Remove(id) => {
                        // Of several with one id it is the newest, and once that has left none of the others.
                        let removed = waiting.remove(id_of(id)).map(|entry| entry.item);
                        prop_assert_eq!(removed, newest.remove(&id));
                        model.retain(|known| Some(known.2) != removed);
                    }
                    Step::Pop(now) => {
                        let due = model.iter().filter(|known| known.0.is_some_and(|due| due <= now));
                        let first = due.min_by_key(|known| (known.0, known.1, known.2)).copied();
                        let popped = waiting.pop_due(at(now)).map(|entry| entry.item);
                        prop_assert_eq!(popped, first.map(|known| known.2));
                        model.retain(|known| Some(known.2) != popped);
                        newest.retain(|_, known| Some(*known) != popped);
                    }
                }
                prop_assert_eq!(waiting.len(), model.len());
                let first = model.iter().filter_map(|known| known.0).min().map(at);
                prop_assert_eq!(waiting.first_due(), first);
            }
            let mut left: Vec<usize> = waiting.take_all().into_iter().map(|entry| entry.item).collect();
            let mut expected: Vec<usize> = model.into_iter().map(|known| known.2).collect();
            left.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(left, expected);
        }
    }

    fn id_of(id: u64) -> OperationId {
        OperationId::from_u64(id).unwrap()
    }
}
