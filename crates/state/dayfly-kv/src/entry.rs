//! What a store gives back.

use std::time::SystemTime;

use bytes::Bytes;

use crate::deadline::Deadline;
use crate::etag::Etag;
use crate::nonce::Nonce;

/// What a store has under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Entry {
    /// Its bytes.
    pub value: Bytes,
    /// What tells this write from every other.
    pub etag: Etag,
    /// The mark of the write that left it so, if it had one.
    pub nonce: Option<Nonce>,
    /// Until when it can be read; `None` is for ever.
    pub deadline: Option<Deadline>,
}

impl Entry {
    /// An entry that stays for ever and has no mark.
    pub const fn new(value: Bytes, etag: Etag) -> Self {
        Self { value, etag, nonce: None, deadline: None }
    }

    /// With the mark of its write.
    #[must_use]
    pub fn nonce(mut self, nonce: impl Into<Option<Nonce>>) -> Self {
        self.nonce = nonce.into();
        self
    }

    /// With a deadline.
    #[must_use]
    pub fn deadline(mut self, deadline: impl Into<Option<Deadline>>) -> Self {
        self.deadline = deadline.into();
        self
    }

    /// Whether it is gone by now.
    pub fn is_expired(&self, now: SystemTime) -> bool {
        self.deadline.is_some_and(|deadline| deadline.is_past(now))
    }
}
