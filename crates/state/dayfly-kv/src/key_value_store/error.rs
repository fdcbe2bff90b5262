//! What can go wrong with values, one error per operation.

use thiserror::Error;

use crate::capabilities::Capability;
use crate::codec::{DecodeError, EncodeError};
use crate::error::{Conflict, Corrupt, DeleteError, GetError, PutError, ScanError, Unavailable, WatchError};
use crate::key::{Key, KeyError};

/// Why a value could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// There is no such key.
    #[error(transparent)]
    InvalidKey(#[from] KeyError),
    /// A listed key was not written from a key of this type.
    #[error("the key `{key}` is none of this type")]
    ForeignKey {
        /// The key.
        key: Key,
    },
    /// What is there is no such value.
    #[error("the entry `{key}` cannot be decoded")]
    Undecodable {
        /// Its key.
        key: Key,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// What is there cannot be read.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The store could not look.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a value that has to be there could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RequireError {
    /// It is not there.
    #[error("there is no entry `{key}`")]
    Missing {
        /// Its key.
        key: Key,
    },
    /// It could not be read.
    #[error(transparent)]
    Load(#[from] LoadError),
}

/// Why a value was not written, or may not have been.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SaveError {
    /// There is no such key. Nothing was tried.
    #[error(transparent)]
    InvalidKey(#[from] KeyError),
    /// The value cannot be encoded. Nothing was tried.
    #[error(transparent)]
    Encode(#[from] EncodeError),
    /// The precondition did not hold. Nothing was changed.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The encoded value is larger than the store takes. Nothing was tried.
    #[error("a value has at most {limit} bytes here, not {bytes}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The store cannot do what the options ask for. Nothing was tried.
    #[error("the store has no {0}")]
    Unsupported(Capability),
    /// The answer was lost: it may have been written, may be written a while later, or never.
    #[error("whether the entry was written is unknown")]
    Unknown(#[source] Unavailable),
    /// What is there cannot be read, so the precondition cannot be checked. Nothing was changed.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The store could not write. Nothing was changed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a value was not deleted, or may not have been.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RemoveError {
    /// There is no such key. Nothing was tried.
    #[error(transparent)]
    InvalidKey(#[from] KeyError),
    /// The entry was not deleted, or may not have been.
    #[error(transparent)]
    Delete(#[from] DeleteError),
}

/// Why values could not be listed or watched.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ListError {
    /// No key begins like this.
    #[error(transparent)]
    InvalidPrefix(#[from] KeyError),
    /// The store cannot do it.
    #[error("the store has no {0}")]
    Unsupported(Capability),
    /// The store could not look.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a value was not updated, or may not have been.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum UpdateError {
    /// Others were faster every time. Nothing was changed.
    #[error("the entry was changed by others in each of {attempts} attempts")]
    Conflict {
        /// How often it was tried.
        attempts: u32,
        /// What it met last.
        #[source]
        conflict: Conflict,
    },
    /// The value could not be read. Nothing was changed.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The answer was lost, and what is there now does not tell: the value may have been written (and changed by others
    /// since), may be written a while later, or never.
    #[error("whether the entry was updated is unknown")]
    Unknown(#[source] Unavailable),
    /// The new value could not be written. Nothing was changed.
    #[error(transparent)]
    Save(SaveError),
}

impl From<GetError> for LoadError {
    fn from(error: GetError) -> Self {
        match error {
            GetError::Corrupt(corrupt) => Self::Corrupt(corrupt),
            GetError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<PutError> for SaveError {
    fn from(error: PutError) -> Self {
        match error {
            PutError::Conflict(conflict) => Self::Conflict(conflict),
            PutError::TooLarge { bytes, limit } => Self::TooLarge { bytes, limit },
            PutError::Unsupported(capability) => Self::Unsupported(capability),
            PutError::Unknown(unavailable) => Self::Unknown(unavailable),
            PutError::Corrupt(corrupt) => Self::Corrupt(corrupt),
            PutError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<ScanError> for ListError {
    fn from(error: ScanError) -> Self {
        match error {
            ScanError::Unsupported(capability) => Self::Unsupported(capability),
            ScanError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}

impl From<WatchError> for ListError {
    fn from(error: WatchError) -> Self {
        match error {
            WatchError::Unsupported(capability) => Self::Unsupported(capability),
            WatchError::Unavailable(unavailable) => Self::Unavailable(unavailable),
        }
    }
}
