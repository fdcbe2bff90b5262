//! The arithmetic of the gradient: from a limit and what was seen under it to the next limit.

use crate::options::{AdaptiveLimitOptions, Bounds};

/// Whatever is seen, one window takes no more than half away.
const STEEPEST: f64 = 0.5;

impl Bounds {
    /// The nearest limit within them.
    pub(crate) fn hold(self, limit: usize) -> usize {
        limit.clamp(self.min, self.max)
    }

    /// Half of the limit, for looking at what latency is without a queue: never below the floor, and so never one unless
    /// that is what the floor says.
    pub(crate) fn probe(self, limit: usize) -> usize {
        self.hold(limit.div_ceil(2))
    }
}

/// After a window in which `drops` of `samples` were dropped: lower by their share, by one at least and by half at most.
pub(crate) fn after_drops(limit: usize, drops: u32, samples: u32, bounds: Bounds) -> usize {
    let kept = 1.0 - f64::from(drops) / f64::from(samples.max(1));
    bounds.hold(whole(number(limit) * kept.max(STEEPEST)).min(limit.saturating_sub(1)))
}

/// Where latency is over what is tolerated: lower by as much as it is over, by one at least and by half at most. Nothing
/// where it is not.
pub(crate) fn over(
    limit: usize,
    latency: u64,
    baseline: u64,
    options: &AdaptiveLimitOptions,
) -> Option<usize> {
    let gradient = options.tolerance / times(latency, baseline);
    let lower = || whole(number(limit) * gradient.max(STEEPEST)).min(limit.saturating_sub(1));
    (gradient < 1.0).then(|| options.bounds.hold(lower()))
}

/// Where it is not over: higher by the root of the limit at most, and by the less the nearer latency is to what is
/// tolerated. So it comes to rest there, and does not swing around it.
///
/// Room for a queue is added here only. Added to a limit that falls, it outweighs a gradient a little below 1, and the limit
/// creeps up for ever.
pub(crate) fn higher(limit: usize, latency: u64, baseline: u64, options: &AdaptiveLimitOptions) -> usize {
    let slack = (options.tolerance - times(latency, baseline)) / (options.tolerance - 1.0);
    let more = (number(limit).sqrt() * slack.clamp(0.0, 1.0)).round();
    options.bounds.hold(limit.saturating_add(whole(more)))
}

/// Which of so many samples, counted from 1, stands for the quantile.
pub(crate) fn rank(quantile: f64, samples: u32) -> u32 {
    let rank = whole((quantile * f64::from(samples)).ceil());
    u32::try_from(rank).unwrap_or(u32::MAX).clamp(1, samples.max(1))
}

/// How many times the baseline a latency is; on a paused clock both may be zero.
#[expect(clippy::cast_precision_loss, reason = "a ratio of latencies needs no more than 53 bits of each")]
fn times(latency: u64, baseline: u64) -> f64 {
    latency.max(1) as f64 / baseline.max(1) as f64
}

/// Exact: no limit is above a billion.
fn number(limit: usize) -> f64 {
    f64::from(u32::try_from(limit).unwrap_or(u32::MAX))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and no figure here is negative"
)]
const fn whole(figure: f64) -> usize {
    figure as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OPTIONS: AdaptiveLimitOptions = AdaptiveLimitOptions::new().bounds(1, 1_000_000_000);

    #[test]
    fn room_for_a_queue_is_never_added_to_a_limit_that_falls() {
        for limit in [2, 5, 20, 1_000] {
            let gradient_of_four_fifths = over(limit, 1_875, 1_000, &OPTIONS).unwrap();
            assert_eq!(gradient_of_four_fifths, limit * 4 / 5);
        }
    }

    #[test]
    fn growth_ends_where_tolerance_does() {
        let grown = |latency| higher(100, latency, 1_000, &OPTIONS);
        assert_eq!(
            (grown(0), grown(1_000), grown(1_250), grown(1_500), grown(1_501)),
            (110, 110, 105, 100, 100)
        );
        assert_eq!((over(100, 1_500, 1_000, &OPTIONS), over(100, 1_501, 1_000, &OPTIONS)), (None, Some(99)));
    }

    #[test]
    fn all_of_a_window_dropped_is_half_and_a_single_drop_is_one() {
        let bounds = OPTIONS.bounds;
        assert_eq!(after_drops(100, 20, 20, bounds), 50);
        assert_eq!(after_drops(100, 1, 1_000, bounds), 99);
        assert_eq!(after_drops(100, 5, 20, bounds), 75);
        assert_eq!(after_drops(8, 20, 20, Bounds { min: 6, max: 9 }), 6);
    }

    proptest! {
        #[test]
        fn one_window_takes_at_most_half_and_never_leaves_the_bounds(
            limit in 1_usize..=1_000_000_000, latency in any::<u64>(), baseline in any::<u64>(),
            drops in 1_u32.., more in any::<u32>(), min in 1_usize..100, width in 0_usize..1_000_000,
        ) {
            let options = OPTIONS.bounds(min, min + width);
            let limit = options.bounds.hold(limit);
            let fallen = [
                over(limit, latency, baseline, &options).unwrap_or(limit),
                after_drops(limit, drops, drops.saturating_add(more), options.bounds),
            ];
            for next in fallen {
                prop_assert!(next >= limit / 2 && next <= limit && next >= min);
            }
            prop_assert!(limit == min || fallen[1] < limit, "a drop is never without consequence");
            let grown = higher(limit, latency, baseline, &options);
            prop_assert!((limit..=min + width).contains(&grown));
        }

        #[test]
        fn a_rank_is_one_of_the_samples(quantile in 0.0_f64..=1.0, samples in 1_u32..) {
            prop_assert!((1..=samples).contains(&rank(quantile, samples)));
        }
    }
}
