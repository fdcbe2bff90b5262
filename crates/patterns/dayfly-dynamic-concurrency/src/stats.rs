//! The figures of a limit.

use std::time::Duration;

/// The figures of an [`AdaptiveLimit`](crate::AdaptiveLimit) at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AdaptiveLimitStats {
    /// The limit in force.
    pub limit: usize,
    /// Whether it is lowered for a moment, to see what latency is without a queue.
    pub is_probing: bool,
    /// Samples that have begun and not ended.
    pub in_flight: usize,
    /// The latency without a queue, as far as it is known.
    pub baseline: Option<Duration>,
    /// The latency of the last window that had one.
    pub latency: Option<Duration>,
    /// Windows that were judged.
    pub windows: u64,
    /// Drops that counted.
    pub drops: u64,
    /// Samples that began too early to say anything about the limit in force.
    pub stale: u64,
    /// How often the limit itself panicked when it was set.
    pub panics: u64,
}
