//! Failures in a row, counted without a lock, beside the mode in which calls are admitted.
//!
//! One word holds the period, the mode and the count. Whoever changes the state of the breaker, under its lock, publishes
//! a new word; whoever ends a call counts in it only while the period is the one in which it was admitted.
//!
//! Periods come round again after 2^32 of them. A call would have to be under way through all of these, and end in the one
//! that bears its number: with a change each microsecond that is one moment in more than an hour.

use std::num::NonZeroU64;

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

/// Under what a call was admitted: a word without its count, in whose place a probe is marked. It is never zero, so that
/// a permit with it and a permit without it are of one size and go through registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Admitted(NonZeroU64);

const COUNT: u64 = (1 << 30) - 1;
const MODE: u64 = 0b11 << 30;
const PROBE: u64 = 0b01;
const HELD: NonZeroU64 = NonZeroU64::new(0b10).expect("it is not zero");

impl Admitted {
    pub(crate) fn new(period: u32, mode: Mode, is_probe: bool) -> Self {
        Self(HELD | word(period, mode) | if is_probe { PROBE } else { 0 })
    }

    pub(crate) const fn period(self) -> u32 {
        period_of(self.0.get())
    }

    pub(crate) const fn mode(self) -> Mode {
        mode_of(self.0.get())
    }

    pub(crate) const fn is_probe(self) -> bool {
        self.0.get() & PROBE != 0
    }

    /// Whether it passes without a clock and without a lock.
    #[inline]
    pub(crate) const fn just_passes(self) -> bool {
        self.0.get() & (MODE & MODE << 1) == 0
    }

    /// Whether its mode is counting and nothing else: what is asked of every call.
    #[inline]
    pub(crate) const fn only_counts(self) -> bool {
        self.0.get() & MODE == 0
    }
}

impl Run {
    pub(crate) fn new(period: u32, mode: Mode) -> Self {
        Self(AtomicU64::new(word(period, mode)))
    }

    /// The period and the mode in which a call begins.
    #[inline]
    pub(crate) fn admit(&self) -> Admitted {
        Admitted(HELD | self.0.load(Ordering::Acquire) & !COUNT)
    }

    /// How many calls have failed in a row.
    #[inline]
    pub(crate) fn failures(&self) -> u32 {
        count_of(self.0.load(Ordering::Acquire))
    }

    /// A call of this period has succeeded.
    #[inline]
    pub(crate) fn succeed(&self, call: Admitted) {
        let word = self.0.load(Ordering::Acquire);
        // Mostly nothing has failed, and there is nothing to write.
        if word & COUNT != 0 {
            self.begin_anew(word, call.period());
        }
    }

    fn begin_anew(&self, mut word: u64, period: u32) {
        while period_of(word) == period && count_of(word) > 0 {
            match self.0.compare_exchange_weak(word, word & !COUNT, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => return,
                Err(now) => word = now,
            }
        }
    }

    /// A call of this period has failed. Says how many have failed in a row; none when the period is over.
    pub(crate) fn fail(&self, call: Admitted) -> u32 {
        let mut word = self.0.load(Ordering::Acquire);
        while period_of(word) == call.period() {
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
        // A swap and no store: loom knows the order of changes that read what they replace, and not that of others.
        self.0.swap(word(period, mode), Ordering::AcqRel);
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

    fn call(period: u32, mode: Mode) -> Admitted {
        Admitted::new(period, mode, false)
    }

    #[test]
    fn failures_in_a_row_are_counted_until_one_succeeds() {
        let run = Run::new(7, Mode::Recording);
        let call = call(7, Mode::Recording);
        assert_eq!((run.fail(call), run.fail(call), run.failures()), (1, 2, 2));
        run.succeed(call);
        assert_eq!((run.failures(), run.fail(call)), (0, 1));
        assert_eq!(run.admit(), call);
    }

    #[test]
    fn what_ends_too_late_says_nothing() {
        let run = Run::new(u32::MAX, Mode::Counting);
        let late = run.admit();
        assert_eq!(run.fail(late), 1);
        run.begin(0, Mode::Counting);
        assert_eq!(run.fail(run.admit()), 1);
        run.succeed(late);
        assert_eq!((run.fail(late), run.failures(), run.admit()), (0, 1, call(0, Mode::Counting)));
    }

    #[test]
    fn a_change_of_mode_keeps_the_count() {
        let run = Run::new(1, Mode::Counting);
        run.fail(run.admit());
        run.set_mode(Mode::Timing);
        assert_eq!((run.admit(), run.failures()), (call(1, Mode::Timing), 1));
    }

    #[test]
    fn the_count_stays_where_it_cannot_rise() {
        let run = Run::new(1, Mode::Asking);
        run.0.store(word(1, Mode::Asking) | COUNT, Ordering::Relaxed);
        assert_eq!(u64::from(run.fail(run.admit())), COUNT);
        assert_eq!(run.admit(), call(1, Mode::Asking));
    }

    #[test]
    fn what_a_call_was_admitted_under_can_be_told() {
        for mode in [Mode::Counting, Mode::Recording, Mode::Timing, Mode::Asking] {
            for is_probe in [false, true] {
                let call = Admitted::new(9, mode, is_probe);
                assert_eq!((call.period(), call.mode(), call.is_probe()), (9, mode, is_probe));
                assert_eq!(call.only_counts(), mode == Mode::Counting);
                assert_eq!(call.just_passes(), matches!(mode, Mode::Counting | Mode::Recording));
            }
        }
    }
}
