//! What the telemetry says about itself.

/// What has become of the signals, at one moment.
///
/// `received` is always `queued + processed + dropped`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Figures {
    /// Events of signals that came in, ever.
    pub received: u64,
    /// Of these, the ones that wait to be reported, the one in hand included.
    pub queued: u64,
    /// Of these, the ones that were reported, left out by sampling, or lost to a panic of the client.
    pub processed: u64,
    /// Of these, the ones that were dropped because the queue was full, or that came too late for the end.
    pub dropped: u64,
    /// Events that sampling left out.
    pub sampled_out: u64,
    /// `perf.*` signals without a value, with a hidden one, or beyond [`max_series`](crate::TelemetryOptions::max_series).
    pub unmeasured: u64,
    /// Ends of operations that were dropped because too many waited.
    pub ends_dropped: u64,
    /// Calls of the client that panicked.
    pub failed: u64,
    /// How often figures were reported.
    pub reports: u64,
    /// Coordinators that are watched.
    pub watched: usize,
}
