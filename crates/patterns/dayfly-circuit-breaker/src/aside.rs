//! Successes that a window need not be told of at once, counted beside its lock.
//!
//! Most calls succeed, and a success changes nothing that anybody acts on: it opens nothing unless it is the one that makes
//! the window's calls enough. So the window, under its lock, grants a number of successes that may pass it by. Each of
//! them takes one off the word here; who finds none left takes the lock, and with it whatever has been counted.
//!
//! | what the word says is left | what a success does |
//! |---|---|
//! | nothing | it goes to the lock |
//! | a number | it takes one off |
//! | [`UNCOUNTED`] | nothing: the window is full of successes, and one more leaves it as it is |
//!
//! A window of time takes no success from beyond its current part either: whoever ends later goes to the lock, which lets
//! go what is too old.

use crate::run::Admitted;
use crate::sync::{AtomicU64, Ordering};

/// So many that nobody counts them.
pub(crate) const UNCOUNTED: u32 = u32::MAX;

/// The most that are counted.
pub(crate) const MOST: u32 = UNCOUNTED - 1;

/// For successes that are counted whenever they end.
pub(crate) const WHENEVER: u64 = u64::MAX;

pub(crate) struct Aside {
    /// The period in the upper half, and how many successes are left in the lower.
    word: AtomicU64,
    /// Who ends at this age of the breaker, or later, is not counted here.
    until: AtomicU64,
}

impl Aside {
    pub(crate) fn new(period: u32, left: u32, until: u64) -> Self {
        Self { word: AtomicU64::new(word(period, left)), until: AtomicU64::new(until) }
    }

    /// When a call has to end to be counted here; [`WHENEVER`], and nobody has to know when it ended.
    #[inline]
    pub(crate) fn until(&self) -> u64 {
        self.until.load(Ordering::Acquire)
    }

    /// Counts a success of this period. Says whether that was all, and the lock need not be taken for it; so it is, too, for
    /// one of a period that is over.
    #[inline]
    pub(crate) fn count(&self, call: Admitted) -> bool {
        let word = self.word.load(Ordering::Acquire);
        // Mostly there is nothing to write.
        is_of(word, call) && left_of(word) == UNCOUNTED || self.count_one(word, call)
    }

    #[inline]
    fn count_one(&self, mut word: u64, call: Admitted) -> bool {
        while is_of(word, call) {
            match left_of(word) {
                0 => return false,
                UNCOUNTED => return true,
                // Another one's success, or a new grant, may come between: then it is looked at anew.
                _ => {
                    match self.word.compare_exchange_weak(word, word - 1, Ordering::AcqRel, Ordering::Acquire)
                    {
                        Ok(_) => return true,
                        Err(now) => word = now,
                    }
                }
            }
        }
        true
    }

    /// Nothing is left until the next grant. Says what was. To be called under the breaker's lock.
    pub(crate) fn take(&self, period: u32) -> u32 {
        left_of(self.word.swap(word(period, 0), Ordering::AcqRel))
    }

    /// Grants so many, until so late. To be called under the breaker's lock, with what was left taken or of no interest.
    pub(crate) fn grant(&self, period: u32, left: u32, until: u64) {
        // First the time: who finds the grant finds it too.
        self.until.store(until, Ordering::Release);
        // A swap and no store: loom knows the order of changes that read what they replace, and not that of others.
        self.word.swap(word(period, left), Ordering::AcqRel);
    }
}

fn word(period: u32, left: u32) -> u64 {
    u64::from(period) << 32 | u64::from(left)
}

#[inline]
const fn left_of(word: u64) -> u32 {
    (word & 0xFFFF_FFFF) as u32
}

#[inline]
const fn is_of(word: u64, call: Admitted) -> bool {
    (word >> 32) as u32 == call.period()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::Mode;

    fn call(period: u32) -> Admitted {
        Admitted::new(period, Mode::Recording, false)
    }

    #[test]
    fn as_many_are_counted_as_were_granted() {
        let aside = Aside::new(1, 2, WHENEVER);
        assert_eq!([(); 3].map(|()| aside.count(call(1))), [true, true, false]);
        assert_eq!((aside.take(1), aside.count(call(1))), (0, false));
        aside.grant(1, 5, 7);
        assert!(aside.count(call(1)));
        assert_eq!((aside.until(), aside.take(1)), (7, 4));
    }

    #[test]
    fn the_most_are_counted_and_one_more_is_not() {
        let aside = Aside::new(u32::MAX, MOST, WHENEVER);
        assert!(aside.count(call(u32::MAX)));
        assert_eq!(aside.take(u32::MAX), MOST - 1);
        aside.grant(0, UNCOUNTED, WHENEVER);
        assert!(aside.count(call(0)));
        assert_eq!(aside.take(0), UNCOUNTED);
    }

    #[test]
    fn what_ends_too_late_is_done_with_and_counted_nowhere() {
        let aside = Aside::new(2, 3, WHENEVER);
        assert!(aside.count(call(1)) && aside.count(call(3)));
        assert_eq!(aside.take(2), 3);
        assert!(aside.count(call(1)), "also when nothing is left");
    }
}
