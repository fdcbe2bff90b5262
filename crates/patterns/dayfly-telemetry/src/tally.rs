//! What has changed in the figures of a coordinator since they were last reported. No lock, no clock.

use dayfly::Stats;

use crate::client::{Metric, MetricUnit, MetricValue};
use crate::names;

/// The figures of one coordinator as they were last reported.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    reported: Stats,
}

impl Tally {
    /// What is to be reported of these figures. What has not changed since is no counter; levels are always told.
    pub(crate) fn report<'a>(&mut self, name: &'a str, stats: Stats) -> Vec<Metric<'a>> {
        let counts = |stats: &Stats| {
            [
                ("completed", stats.completed),
                ("failed", stats.failed),
                ("cancelled", stats.cancelled),
                ("skipped", stats.skipped),
                ("panicked", stats.panicked),
            ]
        };
        let before = counts(&self.reported);
        let changes = counts(&stats).into_iter().zip(before).map(|((outcome, now), (_, before))| {
            // Figures that go back are those of another coordinator under this name: it begins anew.
            (outcome, now.checked_sub(before).unwrap_or(now))
        });
        let counter = |(outcome, more)| {
            let metric = Metric::new(names::OPERATIONS, MetricValue::Counter(more), MetricUnit::None);
            metric.label("coordinator", name).label("outcome", outcome)
        };
        let counters = changes.filter(|(_, more)| *more > 0).map(counter);
        let levels = [(names::ACTIVE, stats.running), (names::QUEUE_SIZE, stats.pending)];
        let gauges = levels.into_iter().map(|(figure, level)| {
            let metric = Metric::new(figure, MetricValue::Gauge(float(level)), MetricUnit::None);
            metric.label("coordinator", name)
        });
        let report = counters.chain(gauges).collect();
        self.reported = stats;
        report
    }
}

/// Whether nothing can change in these figures any more.
pub(crate) const fn is_over(stats: &Stats) -> bool {
    stats.closed && stats.pending == 0 && stats.running == 0
}

#[expect(clippy::cast_precision_loss, reason = "a level beyond 2^53 operations does not fit into memory")]
const fn float(level: u64) -> f64 {
    level as f64
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn stats(completed: u64, failed: u64, running: u64) -> Stats {
        let mut stats = Stats::default();
        (stats.completed, stats.failed, stats.running) = (completed, failed, running);
        stats
    }

    #[test]
    fn counts_are_reported_once_and_levels_each_time() {
        let mut tally = Tally::default();
        assert_eq!(tally.report("x", stats(3, 0, 1)).len(), 3);
        let again = tally.report("x", stats(3, 0, 2));
        assert!(again.iter().all(|metric| matches!(metric.value, MetricValue::Gauge(_))), "{again:?}");
        assert_eq!(again[0].value, MetricValue::Gauge(2.0));
    }

    proptest! {
        #[test]
        fn the_reports_of_a_count_add_up_to_it(steps in proptest::collection::vec((0..9_u64, 0..9_u64), 1..20)) {
            let (mut tally, mut now, mut told) = (Tally::default(), stats(0, 0, 0), [0, 0]);
            for (completed, failed) in steps {
                now.completed += completed;
                now.failed += failed;
                for metric in tally.report("x", now) {
                    if let MetricValue::Counter(more) = metric.value {
                        told[usize::from(metric.get("outcome") == Some("failed"))] += more;
                    }
                }
                prop_assert_eq!(told, [now.completed, now.failed]);
            }
        }
    }
}
