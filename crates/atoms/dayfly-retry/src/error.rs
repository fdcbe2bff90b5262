//! Why a call was given up.

use std::fmt;

use thiserror::Error;

/// A call was given up: why, after how many attempts, and with the last error.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use dayfly_retry::{GaveUp, Retry, RetryOptions};
///
/// let retry = Retry::on_every_error(RetryOptions::new().attempts(3));
/// let given_up = retry.call(|_| async { Err::<(), _>("refused") }).await.unwrap_err();
/// assert_eq!((given_up.why, given_up.attempts, given_up.error), (GaveUp::AttemptsExhausted, 3, Some("refused")));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("gave up after attempt {attempts}{}: {why}", Cut(*timed_out))]
#[non_exhaustive]
pub struct RetryError<E> {
    /// Why there is no other attempt.
    pub why: GaveUp,
    /// How many attempts were begun, the first included.
    pub attempts: u32,
    /// Whether the last attempt was cut short by a timeout. Then [`error`](Self::error) is that of an earlier one.
    pub timed_out: bool,
    /// The last error that an attempt ended with; `None` when all of them were cut short.
    #[source]
    pub error: Option<E>,
}

/// Why there is no other attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum GaveUp {
    /// The classifier said to stop.
    #[error("not retryable")]
    NotRetryable,
    /// As many attempts were made as the options allow.
    #[error("no attempts left")]
    AttemptsExhausted,
    /// The total timeout has elapsed, or would have before the next attempt.
    #[error("no time left")]
    DeadlineExceeded,
    /// The shared budget allows no retry now.
    #[error("no retry budget left")]
    BudgetExhausted,
    /// The operation that the call was made for has been cancelled.
    #[error("cancelled")]
    Cancelled,
}

impl<E> RetryError<E> {
    /// The last error that an attempt ended with; `None` when all of them were cut short.
    pub fn into_error(self) -> Option<E> {
        self.error
    }
}

/// What there is to say about the last attempt.
struct Cut(bool);

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0 { ", which timed out" } else { "" })
    }
}
