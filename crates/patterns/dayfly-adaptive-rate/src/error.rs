//! Why there is no start now.

use std::time::Duration;

use thiserror::Error;

/// No start is allowed yet: the quota is used up, others wait, or there is a pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("no start is allowed yet")]
#[non_exhaustive]
pub struct RetryAfter {
    /// How long it would take whoever came now to stand in line, if nothing changes meanwhile.
    pub after: Duration,
}
