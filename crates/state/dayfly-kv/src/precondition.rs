//! What has to hold for a write to happen.

use crate::error::Conflict;
use crate::etag::Etag;

/// What has to hold of an entry for a write to happen. An expired entry is absent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Precondition {
    /// Nothing.
    #[default]
    Any,
    /// There is none.
    Absent,
    /// There is one.
    Present,
    /// There is one, and it has this etag.
    Matches(Etag),
}

impl Precondition {
    /// Whether it holds of what is there. This is the one place that decides it, for every backend.
    ///
    /// # Errors
    /// A conflict with the etag of what is there.
    pub fn check(&self, current: Option<&Etag>) -> Result<(), Conflict> {
        let holds = match (self, current) {
            (Self::Any, _) | (Self::Absent, None) | (Self::Present, Some(_)) => true,
            (Self::Matches(wanted), Some(current)) => wanted == current,
            (Self::Absent, Some(_)) | (Self::Present | Self::Matches(_), None) => false,
        };
        if holds { Ok(()) } else { Err(Conflict { current: current.cloned() }) }
    }
}
