//! Figures: at any moment, and at the end.

/// The figures of a batcher at one moment.
///
/// `accepted` is the sum of `queued`, `handling`, `completed`, `failed`, `cancelled`, `withdrawn` and `coalesced`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Items that were accepted, ever.
    pub accepted: u64,
    /// Items that no handler has yet.
    pub queued: u64,
    /// Items that handlers have now, and those that failed and are being recovered.
    pub handling: u64,
    /// Items that were handled.
    pub completed: u64,
    /// Items that failed, by themselves or with their batch.
    pub failed: u64,
    /// Items that were cancelled.
    pub cancelled: u64,
    /// Items that were taken out again because nobody waited for them any more.
    pub withdrawn: u64,
    /// Items that joined one of the same identity.
    pub coalesced: u64,
    /// Batches of which every item was handled.
    pub flushed_batches: u64,
    /// Batches of which some or all items failed.
    pub failed_batches: u64,
    /// Batches that handlers have now.
    pub in_flight: usize,
    /// Keys that have an item that waits or is handled; 0 without keys.
    pub keys: usize,
    /// Whether intake has ended.
    pub closed: bool,
}

/// What has become of every item that was accepted. The other parts add up to `accepted`, but for the batches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// Items that were accepted, ever.
    pub accepted: u64,
    /// Items that were handled.
    pub completed: u64,
    /// Items that failed, by themselves or with their batch.
    pub failed: u64,
    /// Items that were cancelled.
    pub cancelled: u64,
    /// Items that were taken out again because nobody waited for them any more.
    pub withdrawn: u64,
    /// Items that joined one of the same identity.
    pub coalesced: u64,
    /// Batches of which every item was handled.
    pub flushed_batches: u64,
    /// Batches of which some or all items failed.
    pub failed_batches: u64,
}

impl From<Stats> for DrainReport {
    fn from(stats: Stats) -> Self {
        Self {
            accepted: stats.accepted,
            completed: stats.completed,
            failed: stats.failed,
            cancelled: stats.cancelled,
            withdrawn: stats.withdrawn,
            coalesced: stats.coalesced,
            flushed_batches: stats.flushed_batches,
            failed_batches: stats.failed_batches,
        }
    }
}
