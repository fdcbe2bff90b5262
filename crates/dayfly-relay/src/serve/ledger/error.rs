//! What can go wrong with the ledger.

use std::error::Error;

use thiserror::Error;

/// The store does not do what it is asked to.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// It cannot be opened.
    #[error("the store cannot be opened")]
    Open(#[source] Box<dyn Error + Send + Sync>),
    /// It cannot be read, or something stands there that cannot.
    #[error("the store cannot be read")]
    Read(#[source] Box<dyn Error + Send + Sync>),
    /// It cannot be written, or whether it was is unknown.
    #[error("the store cannot be written")]
    Write(#[source] Box<dyn Error + Send + Sync>),
    /// Others changed the record again and again.
    #[error("{key} changes too often")]
    Contended {
        /// Which one.
        key: String,
    },
}

impl LedgerError {
    pub(super) fn opening(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Open(error.into())
    }

    pub(super) fn reading(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Read(error.into())
    }

    pub(super) fn writing(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Write(error.into())
    }

    pub(super) fn contended(key: &str) -> Self {
        Self::Contended { key: key.to_owned() }
    }
}
