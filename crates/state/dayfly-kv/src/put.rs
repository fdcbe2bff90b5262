//! How an entry is written.

use std::time::Duration;

use crate::etag::Etag;
use crate::nonce::Nonce;
use crate::precondition::Precondition;

/// How an entry is written: on what condition, for how long, with which mark.
///
/// ```
/// use std::time::Duration;
/// use dayfly_kv::{Precondition, PutOptions};
///
/// const LEASE: PutOptions = PutOptions::new().time_to_live(Duration::from_secs(30));
/// let first = LEASE.absent();
/// assert_eq!(first.precondition, Precondition::Absent);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct PutOptions {
    /// What has to hold for the write to happen.
    pub precondition: Precondition,
    /// How long the entry can be read, from this write on; `None` is for ever, whatever it had before.
    pub time_to_live: Option<Duration>,
    /// The mark of this write; a store keeps it in the entry.
    pub nonce: Option<Nonce>,
}

impl PutOptions {
    /// In any case, for ever, without a mark.
    #[must_use]
    pub const fn new() -> Self {
        Self { precondition: Precondition::Any, time_to_live: None, nonce: None }
    }

    /// Writes on this condition only.
    #[must_use]
    pub fn precondition(mut self, precondition: Precondition) -> Self {
        self.precondition = precondition;
        self
    }

    /// Writes only if there is no entry.
    #[must_use]
    pub fn absent(self) -> Self {
        self.precondition(Precondition::Absent)
    }

    /// Writes only if there is an entry.
    #[must_use]
    pub fn present(self) -> Self {
        self.precondition(Precondition::Present)
    }

    /// Writes only if there is an entry with this etag: compare-and-swap.
    #[must_use]
    pub fn matches(self, etag: Etag) -> Self {
        self.precondition(Precondition::Matches(etag))
    }

    /// Sets how long the entry can be read, from this write on. Zero is until the clock moves; what reaches beyond the
    /// year 2554 is for ever.
    #[must_use]
    pub const fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// Lets the entry stay for ever.
    #[must_use]
    pub const fn without_time_to_live(mut self) -> Self {
        self.time_to_live = None;
        self
    }

    /// Marks the write.
    #[must_use]
    pub const fn nonce(mut self, nonce: Nonce) -> Self {
        self.nonce = Some(nonce);
        self
    }
}
