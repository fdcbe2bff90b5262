//! So many starts per period: the arithmetic, in whole numbers, so that nothing drifts.
//!
//! What has been started is owed, and a debt runs down as time goes by. It is counted in parts of a nanosecond, of which
//! a nanosecond has as many as the quota has starts; so one start costs the period exactly, whatever it is divided by.

/// Nanoseconds since the beginning.
pub(crate) type Ticks = u64;

/// So many starts per period, and so many of them at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    pub(crate) starts: u32,
    /// In nanoseconds, at most 2^63: the product of two fits.
    pub(crate) period: u64,
    pub(crate) burst: u32,
}

/// What one key owes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bucket {
    /// At most a burst of starts: 95 bits.
    debt: u128,
    at: Ticks,
}

impl Quota {
    fn start(&self) -> u128 {
        u128::from(self.period)
    }

    /// The most that may be owed for another start to be allowed.
    fn limit(&self) -> u128 {
        u128::from(self.burst - 1) * self.start()
    }
}

impl Bucket {
    fn debt_at(&self, quota: &Quota, now: Ticks) -> u128 {
        let run_down = u128::from(now.saturating_sub(self.at)) * u128::from(quota.starts);
        self.debt.saturating_sub(run_down)
    }

    /// When, at `from` or later, there may be another start behind so many that have been promised.
    pub(crate) fn start_at(&self, quota: &Quota, from: Ticks, ahead: usize) -> Ticks {
        let owed = self.debt_at(quota, from) + ahead as u128 * quota.start();
        let excess = owed.saturating_sub(quota.limit());
        if excess == 0 {
            return from;
        }
        let wait = excess.div_ceil(u128::from(quota.starts));
        from.saturating_add(Ticks::try_from(wait).unwrap_or(Ticks::MAX))
    }

    /// A start, which [`start_at`](Self::start_at) has allowed.
    pub(crate) fn start(&mut self, quota: &Quota, now: Ticks) {
        *self = Self { debt: self.debt_at(quota, now) + quota.start(), at: now };
    }

    /// Whether nothing is owed, so that there is nothing to be remembered.
    pub(crate) fn is_full(&self, quota: &Quota, now: Ticks) -> bool {
        self.debt_at(quota, now) == 0
    }

    /// Another quota holds from now on. What is owed stays owed, start by start, but never more than the new burst: whoever
    /// may start anything at all may do so one start's time from now.
    pub(crate) fn follow(&mut self, before: &Quota, after: &Quota, now: Ticks) {
        let debt = self.debt_at(before, now);
        let (whole, part) = (debt / before.start(), debt % before.start());
        let part = (part * after.start()).div_ceil(before.start());
        let most = u128::from(after.burst) * after.start();
        *self = Self { debt: most.min(whole * after.start() + part), at: now };
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const LONGEST: Quota = Quota { starts: u32::MAX, period: 1 << 63, burst: u32::MAX };

    /// The times of so many starts, each as early as it may be.
    fn starts(quota: &Quota, number: usize) -> Vec<Ticks> {
        let (mut bucket, mut now) = (Bucket::default(), 0);
        let start = |_| {
            now = bucket.start_at(quota, now, 0);
            bucket.start(quota, now);
            now
        };
        (0..number).map(start).collect()
    }

    #[test]
    fn a_third_of_a_second_does_not_drift() {
        let quota = Quota { starts: 3, period: SECOND, burst: 2 };
        let times = starts(&quota, 3_000_002);
        assert_eq!(times[..5], [0, 0, 333_333_334, 666_666_667, SECOND]);
        assert_eq!(times[3_000_001], 1_000_000 * SECOND);
        // Without a burst there is nothing that a part of a nanosecond could be saved in.
        let evenly = Quota { burst: 1, ..quota };
        assert_eq!(starts(&evenly, 4), [0, 333_333_334, 666_666_668, SECOND + 2]);
    }

    #[test]
    fn a_burst_goes_at_once_and_comes_back_start_by_start() {
        let quota = Quota { starts: 2, period: SECOND, burst: 3 };
        assert_eq!(starts(&quota, 5), [0, 0, 0, SECOND / 2, SECOND]);
    }

    #[test]
    fn the_largest_figures_fit() {
        let mut bucket = Bucket::default();
        assert_eq!(bucket.start_at(&LONGEST, Ticks::MAX, usize::MAX), Ticks::MAX);
        for _ in 0..3 {
            bucket.start(&LONGEST, Ticks::MAX);
        }
        let slow = Quota { starts: 1, burst: 1, ..LONGEST };
        bucket.follow(&LONGEST, &slow, Ticks::MAX);
        assert_eq!(bucket.start_at(&slow, 0, 0), 1 << 63);
        bucket.follow(&slow, &LONGEST, 0);
        assert_eq!(bucket.start_at(&LONGEST, 0, 0), 0);
    }

    #[test]
    fn what_is_owed_is_owed_under_another_quota() {
        let quick = Quota { starts: 100, period: SECOND, burst: 4 };
        let slow = Quota { starts: 1, period: 60 * SECOND, burst: 1 };
        let mut bucket = Bucket::default();
        for _ in 0..4 {
            bucket.start(&quick, 0);
        }
        bucket.follow(&quick, &slow, 0);
        assert_eq!(bucket.start_at(&slow, 0, 0), 60 * SECOND, "not four minutes");
        bucket.follow(&slow, &quick, 30 * SECOND);
        assert_eq!(bucket, Bucket { debt: u128::from(SECOND / 2), at: 30 * SECOND });
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// By definition: in any window of length `t` there are at most `burst + starts * t / period`.
        #[test]
        fn never_more_than_a_burst_and_the_rate_in_any_window(
            per in 1..9_u32, period in 1..50_u64, burst in 1..6_u32, gaps in prop::collection::vec(0..40_u64, 1..80),
        ) {
            let quota = Quota { starts: per, period, burst };
            let (mut bucket, mut now, mut started) = (Bucket::default(), 0, Vec::new());
            for gap in gaps {
                now += gap;
                let fits = (0..=started.len()).all(|first| {
                    let window = started[first..].first().map_or(0, |from| now - from);
                    let number = (started.len() - first + 1) as u64;
                    // Nothing is rounded: both sides are multiplied by the period.
                    (number - u64::from(burst).min(number)) * period <= u64::from(per) * window
                });
                let is_allowed = bucket.start_at(&quota, now, 0) == now;
                prop_assert_eq!(is_allowed, fits, "at {} after {:?}", now, started);
                if is_allowed {
                    bucket.start(&quota, now);
                    started.push(now);
                }
            }
        }

        /// What is promised is when it will be, save that each start before it is rounded up to a nanosecond.
        #[test]
        fn whoever_stands_behind_others_starts_when_it_was_told(
            per in 1..9_u32, period in 1..50_u64, burst in 1..6_u32, before in 0..9_usize, ahead in 0..9_usize,
            from in 0..99_u64,
        ) {
            let quota = Quota { starts: per, period, burst };
            let (mut bucket, mut last) = (Bucket::default(), 0);
            for _ in 0..before {
                last = bucket.start_at(&quota, last, 0);
                bucket.start(&quota, last);
            }
            let from = last + from;
            let told = bucket.start_at(&quota, from, ahead);
            let mut now = from;
            for _ in 0..ahead {
                now = bucket.start_at(&quota, now, 0);
                bucket.start(&quota, now);
            }
            let starts = bucket.start_at(&quota, now, 0);
            prop_assert!(told <= starts && starts <= told + ahead as u64, "{told}, and it was {starts}");
        }
    }
}
