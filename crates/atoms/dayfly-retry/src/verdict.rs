//! What a classifier says about a failure.

use std::time::Duration;

/// Whether a failure is worth another attempt, and when.
///
/// A classifier may also return a `bool`, where `true` means [`Retry`](Self::Retry) and `false` [`Stop`](Self::Stop).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Try again when the backoff says.
    Retry,
    /// Try again after this long, whatever the backoff says, but never later than its cap: what a `Retry-After` asks for.
    RetryAfter(Duration),
    /// Another attempt would fail as well, or do harm.
    Stop,
}

impl From<bool> for Verdict {
    fn from(is_retryable: bool) -> Self {
        if is_retryable { Self::Retry } else { Self::Stop }
    }
}
