//! Refusals of the operations of this crate.

use std::fmt;
use std::sync::Arc;

use thiserror::Error;

use crate::problem::{Problem, Rejection, write_list};

/// The start is invalid: there is no configuration to begin with.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct OpenError {
    pub(crate) problems: Vec<Problem>,
}

impl OpenError {
    /// Everything that was found, at least one.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(&self.problems, f)
    }
}

/// The sources were read anew, and nothing came of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// Their content was not taken; what was in force stays.
    #[error("{0}")]
    Rejected(Arc<Rejection>),
    /// The runtime that followed the sources has been shut down.
    #[error("nobody follows the sources any more")]
    Stopped,
}

/// Why a new value is not taken.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason}")]
pub struct Refusal {
    pub(crate) reason: String,
}

impl Refusal {
    /// A refusal for this reason.
    #[must_use]
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into() }
    }
}

impl From<dayfly::Fixed> for Refusal {
    fn from(fixed: dayfly::Fixed) -> Self {
        Self::new(fixed.to_string())
    }
}

/// Who was to follow a section refuses the value that is in force. It comes back, and was not changed.
#[derive(Error)]
#[error("{refusal}")]
pub struct BindError<R> {
    /// Who was to follow.
    pub target: R,
    /// Why it does not.
    pub refusal: Refusal,
}

// The target need not be `Debug` for the error to be, so that `unwrap` and `?` always work.
impl<R> fmt::Debug for BindError<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BindError").field("refusal", &self.refusal).finish_non_exhaustive()
    }
}
