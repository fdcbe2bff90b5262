//! The latest changes of a store, as one lock guards them. It has no lock and no clock itself.

use std::collections::VecDeque;

use crate::key::Prefix;
use crate::watch::What;

/// The last so many changes, each with its number.
#[derive(Debug)]
pub(super) struct Log {
    changes: VecDeque<What>,
    /// The number of the first change that is kept.
    first: u64,
    capacity: usize,
}

/// What somebody who watches is told next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This, which has that number.
    Change(u64, What),
    /// That changes were missed.
    Gap,
    /// Nothing yet.
    Nothing,
}

impl Log {
    pub(super) fn new(capacity: usize) -> Self {
        // Before the first change there is room for the cursor of a gap.
        Self { changes: VecDeque::new(), first: 1, capacity: capacity.max(1) }
    }

    /// Keeps a change, and gives the one that had to leave for it.
    pub(super) fn push(&mut self, change: What) -> Option<What> {
        let oldest = if self.changes.len() >= self.capacity { self.changes.pop_front() } else { None };
        self.first += u64::from(oldest.is_some());
        self.changes.push_back(change);
        oldest
    }

    /// Changes may have happened that nobody knows of: whoever is at any place of this one has missed them.
    pub(super) fn gap(&mut self) {
        self.first = self.end() + 1;
        self.changes.clear();
    }

    /// The number that the next change will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.changes.len() as u64
    }

    /// Whether everything is kept that happened from this number on.
    pub(super) fn has(&self, position: u64) -> bool {
        (self.first..=self.end()).contains(&position)
    }

    /// What is told to somebody who was told of everything before this number, which is moved on.
    pub(super) fn next(&self, position: &mut u64, prefix: &Prefix) -> Next {
        if !self.has(*position) {
            *position = self.end();
            return Next::Gap;
        }
        let skipped = usize::try_from(*position - self.first).unwrap_or(usize::MAX);
        for change in self.changes.iter().skip(skipped) {
            *position += 1;
            if concerns(change, prefix) {
                return Next::Change(*position - 1, change.clone());
            }
        }
        Next::Nothing
    }
}

/// Whether somebody who watches these keys is told.
pub(super) fn concerns(what: &What, prefix: &Prefix) -> bool {
    match what {
        What::Put { key, .. } | What::Deleted { key } => prefix.matches(key),
        What::Gap => true,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key::Key;

    fn deleted(key: &str) -> What {
        What::Deleted { key: Key::new(key).unwrap() }
    }

    #[test]
    fn who_falls_behind_is_told_once_and_goes_on_from_there() {
        let mut log = Log::new(2);
        for key in ["a", "b", "c"] {
            log.push(deleted(key));
        }
        let mut position = 1;
        assert_eq!(log.next(&mut position, &Prefix::all()), Next::Gap);
        assert_eq!(log.next(&mut position, &Prefix::all()), Next::Nothing);
        log.push(deleted("d"));
        assert_eq!(log.next(&mut position, &Prefix::all()), Next::Change(4, deleted("d")));
    }

    #[test]
    fn what_does_not_concern_somebody_is_passed_over_for_good() {
        let mut log = Log::new(4);
        for key in ["a1", "b1", "a2"] {
            log.push(deleted(key));
        }
        let (mut position, only) = (1, Prefix::new("b").unwrap());
        assert_eq!(log.next(&mut position, &only), Next::Change(2, deleted("b1")));
        assert_eq!(log.next(&mut position, &only), Next::Nothing);
        assert_eq!(position, 4);
    }

    #[test]
    fn a_number_that_is_still_to_come_is_a_gap() {
        let mut position = 7;
        assert_eq!(Log::new(4).next(&mut position, &Prefix::all()), Next::Gap);
        assert_eq!(position, 1);
    }

    #[test]
    fn whoever_was_told_of_everything_is_told_of_a_gap_too_and_only_once() {
        let mut log = Log::new(4);
        log.push(deleted("a"));
        let (mut behind, mut abreast) = (1, 2);
        log.gap();
        for position in [&mut behind, &mut abreast] {
            assert_eq!(log.next(position, &Prefix::new("b").unwrap()), Next::Gap);
            assert_eq!(log.next(position, &Prefix::all()), Next::Nothing);
        }
        log.push(deleted("b"));
        assert_eq!(log.next(&mut abreast, &Prefix::all()), Next::Change(3, deleted("b")));
    }

    #[test]
    fn a_history_of_nothing_keeps_the_last_change() {
        let mut log = Log::new(0);
        for key in ["a", "b", "c"] {
            log.push(deleted(key));
        }
        assert_eq!((log.changes.len(), log.end()), (1, 4));
    }

    #[derive(Clone, Copy, Debug)]
    enum Step {
        Push(usize),
        Gap,
        Hear(usize),
    }

    fn steps() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..3_usize).prop_map(Step::Push),
            1 => Just(Step::Gap),
            6 => (0..3_usize).prop_map(Step::Hear),
        ]
    }

    /// Everything that ever happened, with `None` for a gap, and how far each of three has heard.
    #[derive(Debug, Default)]
    struct Everything(Vec<Option<usize>>, [usize; 3]);

    const NAMES: [&str; 3] = ["a1", "b1", "a2"];
    const PREFIXES: [&str; 3] = ["", "a", "b2"];

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn each_hears_of_everything_in_order_or_of_a_gap(
            capacity in 1..5_usize,
            steps in prop::collection::vec(steps(), 0..80),
        ) {
            let (mut log, mut all) = (Log::new(capacity), Everything::default());
            let mut positions = [log.end(); 3];
            for step in steps {
                match step {
                    Step::Push(name) => {
                        log.push(deleted(NAMES[name]));
                        all.0.push(Some(name));
                    }
                    Step::Gap => {
                        log.gap();
                        all.0.push(None);
                    }
                    Step::Hear(who) => {
                        let missed = &all.0[all.1[who]..];
                        let is_gap = missed.contains(&None)
                            || missed.len() > capacity;
                        let place = missed.iter().position(|name| {
                            name.is_some_and(|name| NAMES[name].starts_with(PREFIXES[who]))
                        });
                        let prefix = Prefix::new(PREFIXES[who]).unwrap();
                        match log.next(&mut positions[who], &prefix) {
                            Next::Gap => {
                                prop_assert!(is_gap);
                                all.1[who] = all.0.len();
                            }
                            Next::Change(_, what) => {
                                prop_assert!(!is_gap);
                                let place = place.unwrap();
                                prop_assert_eq!(what, deleted(NAMES[missed[place].unwrap()]));
                                all.1[who] += place + 1;
                            }
                            Next::Nothing => {
                                prop_assert!(!is_gap && place.is_none());
                                all.1[who] = all.0.len();
                            }
                        }
                    }
                }
            }
        }
    }
}
