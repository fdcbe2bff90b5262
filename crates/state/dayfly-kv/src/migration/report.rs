//! What a migration has done.

use std::sync::Arc;

use thiserror::Error;

use crate::capabilities::Capability;
use crate::codec::DecodeError;
use crate::error::{Corrupt, PutError, ScanError, Unavailable};
use crate::key::Key;

/// How many failures a report has at most; the others are counted.
const MOST_FAILURES: usize = 1_000;

/// What a migration has done so far.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct MigrationReport {
    /// Entries that were read.
    pub read: u64,
    /// Entries that were written, or would have been.
    pub written: u64,
    /// Entries that were there already, with the same bytes.
    pub same: u64,
    /// Entries that were there already, with other bytes, and stayed.
    pub kept: u64,
    /// Entries that were to be left out.
    pub left_out: u64,
    /// Entries that could not be moved.
    pub failed: u64,
    /// The first 1,000 of those, each with its key, if that could be told, and the reason.
    pub failures: Vec<(Option<Key>, Arc<EntryError>)>,
    /// The key up to which all is done: where another migration goes on.
    pub after: Option<Key>,
}

/// Why an entry could not be moved.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EntryError {
    /// What is there cannot be read.
    #[error(transparent)]
    Corrupt(Corrupt),
    /// It cannot be changed as it should.
    #[error(transparent)]
    Undecodable(DecodeError),
    /// The target refused it.
    #[error(transparent)]
    Refused(PutError),
    /// Others changed it each time it was to be written.
    #[error("the entry was changed by others each time it was to be written")]
    Contended,
}

/// Why a migration stopped. It can go on.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum MigrateError {
    /// The store cannot list its entries.
    #[error("the store has no {0}")]
    Unsupported(Capability),
    /// A store could not do its work.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl MigrationReport {
    pub(super) fn failed(&mut self, key: Option<Key>, error: EntryError) {
        self.failed += 1;
        if self.failures.len() < MOST_FAILURES {
            self.failures.push((key, Arc::new(error)));
        }
    }
}

impl From<ScanError> for MigrateError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Unsupported(capability) => Self::Unsupported(capability),
            ScanError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}
