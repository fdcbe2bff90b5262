//! Latencies of one window, in a bounded table: any number of samples, one quantile.

/// Sixteen buckets for each doubling, so a reading is at most a sixteenth below the sample.
const PER_DOUBLING: u32 = 16;
const SUB_BITS: u32 = PER_DOUBLING.trailing_zeros();

/// What is below this has a bucket of its own for each nanosecond.
const LINEAR: u64 = PER_DOUBLING as u64;

const BUCKETS: usize = ((u64::BITS - SUB_BITS + 1) * PER_DOUBLING) as usize;

/// Counts of latencies in nanoseconds. Its size does not depend on how many there are.
#[derive(Clone, Debug)]
pub(crate) struct Histogram {
    counts: Box<[u32; BUCKETS]>,
    total: u32,
}

impl Histogram {
    pub(crate) fn new() -> Self {
        Self { counts: Box::new([0; BUCKETS]), total: 0 }
    }

    /// One more of them. What there are too many of to count is counted as often as can be.
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        let count = &mut self.counts[bucket(nanoseconds)];
        if self.total < u32::MAX {
            *count += 1;
            self.total += 1;
        }
    }

    pub(crate) const fn len(&self) -> u32 {
        self.total
    }

    pub(crate) fn clear(&mut self) {
        if self.total > 0 {
            self.counts.fill(0);
            self.total = 0;
        }
    }

    /// The lower edge of the bucket in which the sample of this rank lies, counted from 1; nothing where there is none.
    pub(crate) fn nth(&self, rank: u32) -> Option<u64> {
        let mut seen = 0;
        for (bucket, count) in (0_u32..).zip(self.counts.iter()) {
            seen += count;
            if seen >= rank.max(1) {
                return Some(lower_edge(bucket));
            }
        }
        None
    }
}

fn bucket(nanoseconds: u64) -> usize {
    if nanoseconds < LINEAR {
        // It is below 16.
        return usize::try_from(nanoseconds).unwrap_or(0);
    }
    let doublings = nanoseconds.ilog2() - SUB_BITS;
    let within = (nanoseconds >> doublings) & (LINEAR - 1);
    let within = u32::try_from(within).unwrap_or(0);
    usize::try_from((doublings + 1) * PER_DOUBLING + within).unwrap_or(0)
}

fn lower_edge(bucket: u32) -> u64 {
    let (row, within) = (bucket / PER_DOUBLING, u64::from(bucket % PER_DOUBLING));
    match row.checked_sub(1) {
        None => within,
        Some(doublings) => (LINEAR + within) << doublings,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_ends_of_time_have_buckets() {
        let mut latencies = Histogram::new();
        assert_eq!(latencies.nth(1), None);
        latencies.add(u64::MAX);
        latencies.add(0);
        assert_eq!((latencies.nth(0), latencies.nth(1)), (Some(0), Some(0)));
        assert_eq!((latencies.nth(2), latencies.nth(3)), (Some(31 << 59), None));
        latencies.clear();
        assert_eq!((latencies.len(), latencies.nth(1)), (0, None));
    }

    proptest! {
        /// A sorted list knows it exactly; the table may be a sixteenth below.
        #[test]
        fn a_rank_is_found_as_in_a_sorted_list(
            mut samples in proptest::collection::vec(any::<u64>().prop_flat_map(|top| 0..=top), 1..200),
            rank in any::<prop::sample::Index>(),
        ) {
            let mut latencies = Histogram::new();
            for sample in &samples {
                latencies.add(*sample);
            }
            samples.sort_unstable();
            let rank = rank.index(samples.len());
            let (exact, found) = (samples[rank], latencies.nth(u32::try_from(rank).unwrap() + 1).unwrap());
            prop_assert!(found <= exact && exact - found <= exact / 16, "{found} for {exact}");
            prop_assert_eq!(latencies.len() as usize, samples.len());
        }

        #[test]
        fn powers_of_two_are_exact(power in 0_u32..64) {
            let mut latencies = Histogram::new();
            latencies.add(1 << power);
            prop_assert_eq!(latencies.nth(1), Some(1 << power));
        }
    }
}
