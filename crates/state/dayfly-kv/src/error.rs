//! What can go wrong with bytes, one error per operation.

use std::error::Error as StdError;
use std::fmt;
use std::io;
use std::sync::Arc;

use thiserror::Error;

use crate::capabilities::Capability;
use crate::etag::Etag;
use crate::key::Key;
use crate::namespace::{Namespace, NamespaceError};

/// A precondition did not hold. Nothing was changed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the precondition does not hold: {}", Found(self.current.as_ref()))]
pub struct Conflict {
    /// The etag of what is there, if anything is.
    pub current: Option<Etag>,
}

struct Found<'a>(Option<&'a Etag>);

impl fmt::Display for Found<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(etag) => write!(f, "there is an entry with the etag {etag}"),
            None => f.write_str("there is no entry"),
        }
    }
}

/// What a store has kept cannot be read. An unconditional put replaces it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{location} is corrupt: {reason}")]
pub struct Corrupt {
    /// Where it is, such as the path of a file.
    pub location: String,
    /// What is wrong with it.
    pub reason: String,
    /// The entry that it is, if that can be told.
    pub key: Option<Key>,
}

/// The store could not do its work: it cannot be reached, its disk is full, it was closed.
#[derive(Clone, Debug)]
pub struct Unavailable {
    what: Arc<str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

impl Unavailable {
    /// What could not be done, as a lowercase fragment: `cannot open the folder`.
    pub fn new(what: impl AsRef<str>) -> Self {
        Self { what: what.as_ref().into(), source: None }
    }

    /// What could not be done, and why.
    pub fn because(what: impl AsRef<str>, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        Self { what: what.as_ref().into(), source: Some(source.into().into()) }
    }

    /// The kind of the input or output error behind it, such as `StorageFull`, if there is one.
    pub fn io_kind(&self) -> Option<io::ErrorKind> {
        let mut error = self.source();
        while let Some(cause) = error {
            if let Some(io) = cause.downcast_ref::<io::Error>() {
                return Some(io.kind());
            }
            error = cause.source();
        }
        None
    }
}

impl fmt::Display for Unavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl StdError for Unavailable {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(|source| &**source as &(dyn StdError + 'static))
    }
}

/// Why an entry could not be read.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum GetError {
    /// What is there cannot be read.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The store could not look.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why an entry was not written, or may not have been.
///
/// The value is not in it: a clone of [`Bytes`](bytes::Bytes) shares them, so who wants to try again keeps one.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum PutError {
    /// The precondition did not hold. Nothing was changed.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The value is larger than the store takes. It was not tried.
    #[error("a value has at most {limit} bytes here, not {bytes}")]
    TooLarge {
        /// How large it is.
        bytes: usize,
        /// How large it may be.
        limit: usize,
    },
    /// The store cannot do what the options ask for. It was not tried.
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

/// Why an entry was not deleted, or may not have been.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum DeleteError {
    /// The precondition did not hold. Nothing was changed.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The store cannot do what was asked for. It was not tried.
    #[error("the store has no {0}")]
    Unsupported(Capability),
    /// The answer was lost: it may have been deleted, may be deleted a while later, or never.
    #[error("whether the entry was deleted is unknown")]
    Unknown(#[source] Unavailable),
    /// What is there cannot be read, so the precondition cannot be checked. Nothing was changed.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// The store could not delete. Nothing was changed.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why entries could not be listed.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ScanError {
    /// The store cannot list.
    #[error("the store has no {0}")]
    Unsupported(Capability),
    /// The store could not look.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why changes cannot be watched, or not any longer.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The store cannot tell of changes, or not from there on.
    #[error("the store has no {0}")]
    Unsupported(Capability),
    /// The store cannot be watched now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why expired entries could not be removed. Some of them may have been.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum SweepError {
    /// The store could not remove.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a namespace could not be emptied. Some of its entries may have been removed.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum ClearError {
    /// The store could not remove.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Why a store could not be opened.
#[derive(Clone, Debug, Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The namespace is not one. Nothing was tried.
    #[error(transparent)]
    Namespace(#[from] NamespaceError),
    /// Somebody else has it, and it cannot be shared.
    #[error("{location} is in use by another process")]
    InUse {
        /// Where it is.
        location: String,
    },
    /// As many namespaces are open as there may be.
    #[error("there is no room for {namespace}: {most} namespaces are open already")]
    TooMany {
        /// The one that was asked for.
        namespace: Namespace,
        /// How many there may be.
        most: usize,
    },
    /// What is there is no store, or cannot be read.
    #[error(transparent)]
    Corrupt(#[from] Corrupt),
    /// It could not be opened.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}
