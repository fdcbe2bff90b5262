//! Figures: at any moment, and at the end.

/// The figures of a coordinator at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Operations that were accepted, ever.
    pub accepted: u64,
    /// Accepted operations that are not running now and have not ended.
    pub pending: u64,
    /// The most operations that were ever pending at once. One that has started counts until its worker tells of it, so
    /// this may be some too many, though no operation is counted twice.
    pub peak_pending: u64,
    /// Of the pending ones, those that wait for the time of their next attempt.
    pub waiting: u64,
    /// Operations that run now.
    pub running: u64,
    /// Operations whose body succeeded.
    pub completed: u64,
    /// Operations whose body failed.
    pub failed: u64,
    /// Operations that were cancelled, before their start or while they ran.
    pub cancelled: u64,
    /// Operations that a cancel signal kept from starting.
    pub skipped: u64,
    /// Operations whose body panicked.
    pub panicked: u64,
    /// Attempts that ended with `again`.
    pub again: u64,
    /// The limit on running operations, as it is now.
    pub max_concurrency: usize,
    /// Whether starts are paused.
    pub paused: bool,
    /// Whether intake has ended.
    pub closed: bool,
}

/// The figures of one key at one moment.
///
/// With more than one operation per key at once, one that waits for its next attempt belongs to no key meanwhile.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyStats {
    /// Operations that wait for their turn.
    pub queued: u64,
    /// Operations that wait for the time of their next attempt and park the key.
    pub waiting: u64,
    /// Operations that run now.
    pub running: u64,
    /// Whether the key is paused.
    pub paused: bool,
}

/// What has become of everything that was accepted. The parts add up to `accepted`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct DrainReport {
    /// Operations that were accepted, ever.
    pub accepted: u64,
    /// Operations whose body succeeded.
    pub completed: u64,
    /// Operations whose body failed.
    pub failed: u64,
    /// Operations that were cancelled, before their start or while they ran.
    pub cancelled: u64,
    /// Operations that a cancel signal kept from starting.
    pub skipped: u64,
    /// Operations whose body panicked.
    pub panicked: u64,
}
