//! Up to where the ledger is settled.
//!
//! Requests are taken in at the same time, each with a run of sequence numbers, and end in any order. What comes after a
//! run that is still being written must not be dispatched yet, or the events of that run would be passed over.

use std::collections::BTreeSet;
use std::ops::Range;

/// Which sequence numbers have been given out, and which of them are still open.
#[derive(Clone, Debug)]
pub(super) struct Frontier {
    next: u64,
    /// The first number of each open run.
    open: BTreeSet<u64>,
}

impl Frontier {
    /// The first number to be given out.
    pub(super) fn starting_at(next: u64) -> Self {
        Self { next, open: BTreeSet::new() }
    }

    /// The next number to be given out.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Gives out a run of so many numbers, at least one.
    pub(super) fn begin(&mut self, count: u64) -> Range<u64> {
        let run = self.next..self.next + count.max(1);
        self.open.insert(run.start);
        self.next = run.end;
        run
    }

    /// Ends the run that begins with this number. Says whether everything settled has moved on.
    pub(super) fn end(&mut self, start: u64) -> bool {
        let before = self.settled();
        self.open.remove(&start);
        self.settled() > before
    }

    /// Every number below this one is settled: what it was given to stands in the store, or never will.
    pub(super) fn settled(&self) -> u64 {
        self.open.first().copied().unwrap_or(self.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nothing_open_is_ever_passed_and_everything_closed_is(
            steps in proptest::collection::vec((any::<bool>(), 1_u64..5, any::<prop::sample::Index>()), 1..60)
        ) {
            let mut frontier = Frontier::starting_at(7);
            // The naive model: every number by itself.
            let (mut numbers, mut runs) = (vec![], Vec::<Range<u64>>::new());
            for (begins, count, which) in steps {
                if begins || runs.is_empty() {
                    let run = frontier.begin(count);
                    numbers.extend(run.clone().map(|number| (number, true)));
                    runs.push(run);
                } else {
                    let run = runs.remove(which.index(runs.len()));
                    numbers.iter_mut().filter(|(number, _)| run.contains(number)).for_each(|number| number.1 = false);
                    frontier.end(run.start);
                }
                let first_open = numbers.iter().find(|(_, open)| *open).map(|(number, _)| *number);
                prop_assert_eq!(frontier.settled(), first_open.unwrap_or(7 + numbers.len() as u64));
            }
        }
    }
}
