//! Ours, through its public interface, on a runtime whose clock is the simulator's.

use std::time::Duration;

use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions, Sample};
use dayfly_signal::SignalSink;
use tokio::runtime::{Builder, Runtime};
use tokio::time::advance;

use super::{Formula, Nanos};

pub(crate) struct Ours {
    runtime: Runtime,
    limit: AdaptiveLimit,
    now: Nanos,
}

impl Ours {
    pub(crate) fn new(options: AdaptiveLimitOptions) -> Self {
        let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
        let runtime = runtime.expect("a runtime without I/O can be built");
        let limit = runtime.block_on(async { AdaptiveLimit::unbound(options, &SignalSink::default()) });
        Self { runtime, limit, now: 0 }
    }

    /// Does this at that time.
    fn at<R>(&mut self, now: Nanos, act: impl FnOnce(&AdaptiveLimit) -> R) -> R {
        let passed = Duration::from_nanos(now - self.now);
        self.now = now;
        self.runtime.block_on(async {
            if !passed.is_zero() {
                advance(passed).await;
            }
            act(&self.limit)
        })
    }
}

impl Formula for Ours {
    type Call = Sample;

    fn limit(&self) -> usize {
        self.limit.limit()
    }

    fn begin(&mut self, now: Nanos) -> Sample {
        self.at(now, AdaptiveLimit::begin)
    }

    fn end(&mut self, call: Sample, timed_out: bool, now: Nanos) {
        self.at(now, |_| if timed_out { call.dropped() } else { call.success() });
    }

    fn baseline(&self) -> Option<Nanos> {
        self.limit.stats().baseline.map(|baseline| u64::try_from(baseline.as_nanos()).unwrap_or(u64::MAX))
    }
}
