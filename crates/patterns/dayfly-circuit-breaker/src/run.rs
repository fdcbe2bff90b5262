//! Failures in a row, counted without a lock, beside the mode in which calls are admitted.
//!
//! One word holds the period, the mode and the count. Whoever changes the state of the breaker, under its lock, publishes
//! a new word; whoever ends a call counts in it only while the period is the one in which it was admitted.

use crate::sync::{AtomicU64, Ordering};

/// The period in the upper half, two bits of mode, and the count in the rest.
pub(crate) struct Run(AtomicU64);

/// What a call has to do to be admitted, and what its end has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    /// It passes, and failures in a row are counted.
    Counting,
    /// It passes, and is recorded in the window too.
    Recording,
    /// The same, and it is timed.
    Timing,
    /// It has to ask under the lock.
    Asking,
}

const COUNT: u64 = (1 << 30) - 1;
const MODE: u64 = 0b11 << 30;

impl Run {
    pub(crate) fn new(period: u32, mode: Mode) -> Self {
        Self(AtomicU64::new(word(period, mode)))
    }

    /// The period and the mode in which a call begins.
    pub(crate) fn admit(&self) -> (u32, Mode) {
        let word = self.0.load(Ordering::Acquire);
        (period_of(word), mode_of(word))
    }

    /// How many calls have failed in a row.
    pub(crate) fn failures(&self) -> u32 {
        count_of(self.0.load(Ordering::Acquire))
    }

    /// A call of this period has succeeded.
    pub(crate) fn succeed(&self, period: u32) {
        let mut word = self.0.load(Ordering::Acquire);
        while period_of(word) == period && count_of(word) > 0 {
            match self.0.compare_exchange_weak(word, word & !COUNT, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// A call of this period has failed. Says how many have failed in a row; none when the period is over.
    pub(crate) fn fail(&self, period: u32) -> u32 {
        let mut word = self.0.load(Ordering::Acquire);
        while period_of(word) == period {
            let next = word + u64::from(word & COUNT < COUNT);
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return count_of(next),
                Err(now) => word = now,
            }
        }
        0
    }

    /// A new period begins, with no failures. To be called under the breaker's lock.
    pub(crate) fn begin(&self, period: u32, mode: Mode) {
        self.0.store(word(period, mode), Ordering::Release);
    }

    /// The same period goes on in another mode.
    pub(crate) fn set_mode(&self, mode: Mode) {
        let mut word = self.0.load(Ordering::Acquire);
        loop {
            let next = word & !MODE | (mode as u64) << 30;
            match self.0.compare_exchange_weak(word, next, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }
}

fn word(period: u32, mode: Mode) -> u64 {
    u64::from(period) << 32 | (mode as u64) << 30
}

const fn period_of(word: u64) -> u32 {
    (word >> 32) as u32
}

const fn count_of(word: u64) -> u32 {
    (word & COUNT) as u32
}

const fn mode_of(word: u64) -> Mode {
    match (word & MODE) >> 30 {
        0 => Mode::Counting,
        1 => Mode::Recording,
        2 => Mode::Timing,
        _ => Mode::Asking,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_in_a_row_are_counted_until_one_succeeds() {
        let run = Run::new(7, Mode::Recording);
        assert_eq!((run.fail(7), run.fail(7), run.failures()), (1, 2, 2));
        run.succeed(7);
        assert_eq!((run.failures(), run.fail(7)), (0, 1));
        assert_eq!(run.admit(), (7, Mode::Recording));
    }

    #[test]
    fn what_ends_too_late_says_nothing() {
        let run = Run::new(u32::MAX, Mode::Counting);
        assert_eq!(run.fail(u32::MAX), 1);
        run.begin(0, Mode::Asking);
        run.succeed(u32::MAX);
        assert_eq!((run.fail(u32::MAX), run.failures(), run.admit()), (0, 0, (0, Mode::Asking)));
    }

    #[test]
    fn a_change_of_mode_keeps_the_count() {
        let run = Run::new(1, Mode::Counting);
        run.fail(1);
        run.set_mode(Mode::Timing);
        assert_eq!((run.admit(), run.failures()), ((1, Mode::Timing), 1));
    }
}
