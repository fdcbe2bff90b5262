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
        Self { changes: VecDeque::new(), first: 0, capacity }
    }

    /// Keeps a change, and gives the one that had to leave for it.
    pub(super) fn push(&mut self, change: What) -> Option<What> {
        let oldest = if self.changes.len() >= self.capacity { self.changes.pop_front() } else { None };
        self.first += u64::from(oldest.is_some());
        self.changes.push_back(change);
        oldest
    }

    /// The number that the next change will have.
    pub(super) fn end(&self) -> u64 {
        self.first + self.changes.len() as u64
    }

    /// What is told to somebody who was told of everything before this number, which is moved on.
    pub(super) fn next(&self, position: &mut u64, prefix: &Prefix) -> Next {
        if !(self.first..=self.end()).contains(position) {
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
        let mut position = 0;
        assert_eq!(log.next(&mut position, &Prefix::all()), Next::Gap);
        assert_eq!(log.next(&mut position, &Prefix::all()), Next::Nothing);
        log.push(deleted("d"));
        assert_eq!(log.next(&mut position, &Prefix::all()), Next::Change(3, deleted("d")));
    }

    #[test]
    fn what_does_not_concern_somebody_is_passed_over_for_good() {
        let mut log = Log::new(4);
        for key in ["a1", "b1", "a2"] {
            log.push(deleted(key));
        }
        let (mut position, only) = (0, Prefix::new("b").unwrap());
        assert_eq!(log.next(&mut position, &only), Next::Change(1, deleted("b1")));
        assert_eq!(log.next(&mut position, &only), Next::Nothing);
        assert_eq!(position, 3);
    }

    #[test]
    fn a_number_that_is_still_to_come_is_a_gap() {
        let mut position = 7;
        assert_eq!(Log::new(4).next(&mut position, &Prefix::all()), Next::Gap);
        assert_eq!(position, 0);
    }
}
