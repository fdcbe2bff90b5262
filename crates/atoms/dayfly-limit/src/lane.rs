//! A way past the lock, for permits of a limiter that nobody waits for.
//!
//! Whoever leaves the lock puts all permits into the lane that are free then, if nobody waits. From there they are taken,
//! and there they are given back, by a change of one word. Whoever enters the lock shuts the lane and has what is left in
//! it: so under the lock all is as if there was no lane, and whoever comes meanwhile comes to the lock as well.

use crate::sync::{AtomicUsize, Ordering};

/// The free permits, or [`SHUT`].
pub(crate) struct Lane(AtomicUsize);

const SHUT: usize = usize::MAX;

/// More are never put into it.
pub(crate) const MOST: usize = SHUT - 1;

impl Lane {
    pub(crate) fn shut() -> Self {
        Self(AtomicUsize::new(SHUT))
    }

    /// Takes so many, if they are there.
    #[inline]
    pub(crate) fn take(&self, permits: usize) -> bool {
        self.change(|free| free.checked_sub(permits))
    }

    /// Gives so many back, if somebody may take them.
    #[inline]
    pub(crate) fn give_back(&self, permits: usize) -> bool {
        // More than a word holds are too many for the lane.
        self.change(|free| free.checked_add(permits).filter(|free| *free <= MOST))
    }

    /// Puts so many into it, [`MOST`] at most. Only whoever has shut it and has the lock may do that.
    pub(crate) fn open(&self, free: usize) {
        // A swap and no store: loom knows the order of changes that read what they replace, and not that of others.
        self.0.swap(free, Ordering::AcqRel);
    }

    /// Shuts it, and hands out what was left in it. Only whoever has the lock may do that.
    pub(crate) fn close(&self) -> usize {
        // Nobody else opens it, so what is shut stays so.
        if self.0.load(Ordering::Relaxed) == SHUT {
            return 0;
        }
        self.0.swap(SHUT, Ordering::AcqRel)
    }

    /// What was done with a permit is seen by whoever has it next: each change reads the one before it.
    #[inline]
    fn change(&self, change: impl Fn(usize) -> Option<usize>) -> bool {
        let mut free = self.0.load(Ordering::Relaxed);
        while free != SHUT
            && let Some(next) = change(free)
        {
            match self.0.compare_exchange_weak(free, next, Ordering::AcqRel, Ordering::Relaxed) {
                Ok(_) => return true,
                Err(now) => free = now,
            }
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_it_is_taken_and_given_back_until_it_is_shut() {
        let lane = Lane::shut();
        assert!(!lane.take(0) && !lane.give_back(1));
        lane.open(3);
        assert!(lane.take(2) && !lane.take(2) && lane.take(1) && lane.take(0));
        assert!(lane.give_back(2));
        assert_eq!((lane.close(), lane.close()), (2, 0));
        assert!(!lane.give_back(1), "it comes back under the lock");
    }

    #[test]
    fn the_largest_number_is_not_taken_for_a_lane_that_is_shut() {
        let lane = Lane::shut();
        lane.open(MOST);
        assert!(lane.take(1) && lane.give_back(1));
        assert!(!lane.give_back(1) && lane.take(1));
        assert_eq!(lane.close(), MOST - 1);
    }
}
