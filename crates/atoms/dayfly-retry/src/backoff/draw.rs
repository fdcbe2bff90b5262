//! Chance that can be repeated: a number from a seed and a place in the order, without a state in between.

use std::time::Duration;

/// An odd number near 2^64 divided by the golden ratio, by whose multiples neighbours are set far apart.
const APART: u64 = 0x9e37_79b9_7f4a_7c15;

const NANOS_PER_SEC: u128 = 1_000_000_000;

/// The numbers that one seed yields.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draw {
    start: u64,
}

impl Draw {
    pub(crate) const fn new(seed: u64) -> Self {
        Self { start: scattered(seed) }
    }

    /// A length from zero to `most`, both included, each as likely as any other.
    pub(crate) fn up_to(self, most: Duration, place: u32) -> Duration {
        let number = scattered(self.start.wrapping_add(u64::from(place).wrapping_mul(APART)));
        // A duration takes less than 94 bits in nanoseconds, so 32 more still fit.
        let share = u128::from(number >> 32);
        let nanos = ((most.as_nanos() + 1) * share) >> 32;
        from_nanos(nanos)
    }
}

/// The seed of the `number`-th user of a common seed. That of number 0 is the common one itself.
pub(crate) const fn seed_of(common: u64, number: u64) -> u64 {
    common ^ scattered(number.wrapping_mul(APART))
}

/// The last step of `SplitMix64` (Steele, Lea and Flood 2014): it maps numbers one to one, and 0 to 0.
const fn scattered(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

/// The nanoseconds are those of a duration, or fewer.
fn from_nanos(nanos: u128) -> Duration {
    let seconds = u64::try_from(nanos / NANOS_PER_SEC).unwrap_or(u64::MAX);
    let rest = u32::try_from(nanos % NANOS_PER_SEC).unwrap_or(0);
    Duration::new(seconds, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_drawn_and_nothing_beyond() {
        let most = Duration::from_nanos(2);
        let mut seen = [0_u32; 3];
        for place in 0..3_000 {
            let nanos = Draw::new(7).up_to(most, place).subsec_nanos();
            seen[usize::try_from(nanos).unwrap()] += 1;
        }
        assert!(seen.iter().all(|times| (900..1_100).contains(times)), "{seen:?}");
    }

    #[test]
    fn the_longest_duration_does_not_overflow() {
        for place in 0..1_000 {
            assert!(Draw::new(1).up_to(Duration::MAX, place) <= Duration::MAX);
        }
        assert_eq!(Draw::new(1).up_to(Duration::ZERO, 1), Duration::ZERO);
    }

    #[test]
    fn neighbouring_users_of_a_seed_do_not_follow_each_other() {
        let most = Duration::from_secs(1_000);
        let draws = |user| (1..=50).map(move |place| Draw::new(seed_of(9, user)).up_to(most, place));
        for lag in 0..3 {
            let same = draws(0).skip(lag).zip(draws(1)).filter(|(one, other)| one == other).count();
            assert_eq!(same, 0, "shifted by {lag}");
        }
        assert_eq!(seed_of(9, 0), 9);
    }
}
