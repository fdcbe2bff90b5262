//! Figures of a rate.

/// What an [`AdaptiveRate`](crate::AdaptiveRate) keeps and has seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct RateStats {
    /// Keys that are kept: those that have used some of their burst, wait or are paused, and some that did not long ago.
    pub keys: usize,
    /// Calls that wait for their start.
    pub waiting: usize,
    /// Keys that are paused by themselves.
    pub paused_keys: usize,
    /// Whether all keys are paused.
    pub is_paused: bool,
    /// Signals whose payload was no length of time, so that they were ignored.
    pub malformed: u64,
    /// Pauses that were cut to [`max_pause`](crate::RateOptions::max_pause).
    pub cut: u64,
    /// How often somebody shared one place with others, because of [`max_keys`](crate::RateOptions::max_keys).
    pub crowded: u64,
}
