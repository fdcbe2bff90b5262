//! A timeout by itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::setting::kept;

use crate::deadline::{Deadline, Limited};
use crate::live::Length;
use crate::options::rules;
use crate::{CallError, Scope};

/// How long a call may take before it is dropped. Clones are handles of the same timeout, which can be changed at any time;
/// a call that is under way keeps the one that it began with.
///
/// The time runs from the moment at which the call first has to wait: what is done at once reads no clock and sets no
/// timer. Work that is done is never cut off, however late it is polled.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use dayfly_resilience::{CallError, Scope, Timeout};
///
/// let timeout = Timeout::total(Duration::from_secs(2));
/// let slow = timeout.call(std::future::pending::<Result<(), &str>>()).await;
/// assert_eq!(slow, Err(CallError::TimedOut { after: Duration::from_secs(2), scope: Scope::Total }));
/// # }
/// ```
#[derive(Clone)]
pub struct Timeout {
    after: Arc<Length>,
    scope: Scope,
}

impl Timeout {
    /// A timeout for a whole call, around whatever retries it.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub fn total(after: Duration) -> Self {
        Self::new(kept(rules::total_timeout(after)), Scope::Total)
    }

    /// A timeout for one attempt, inside of whatever retries it.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub fn per_attempt(after: Duration) -> Self {
        Self::new(kept(rules::attempt_timeout(after)), Scope::Attempt)
    }

    fn new(after: Duration, scope: Scope) -> Self {
        Self { after: Arc::new(Length::new(Some(after))), scope }
    }

    /// Waits for the work, no longer than this.
    ///
    /// # Errors
    /// When the work fails, or takes too long; then it has been dropped.
    ///
    /// # Panics
    /// When there is something to wait for outside of a Tokio runtime with time.
    ///
    /// # Cancel safety
    /// Dropping the future drops the work and nothing else.
    pub async fn call<T, E>(&self, work: impl Future<Output = Result<T, E>>) -> Result<T, CallError<E>> {
        let mut deadline = self.deadline();
        match Limited::new(work, &mut deadline, None).await {
            Ok(output) => output.map_err(CallError::Inner),
            Err(scope) => Err(CallError::TimedOut { after: deadline.timeout(), scope }),
        }
    }

    /// How long a call may take.
    #[must_use]
    pub fn after(&self) -> Duration {
        self.after.get().unwrap_or(Duration::MAX)
    }

    /// What it holds for.
    #[must_use]
    pub const fn scope(&self) -> Scope {
        self.scope
    }

    /// Changes it, for calls that begin from now on.
    ///
    /// # Panics
    /// When it is zero.
    #[track_caller]
    pub fn set(&self, after: Duration) {
        let after = match self.scope {
            Scope::Attempt => kept(rules::attempt_timeout(after)),
            Scope::Total => kept(rules::total_timeout(after)),
        };
        self.after.set(Some(after));
    }

    pub(crate) fn deadline(&self) -> Deadline {
        Deadline::new(self.after.get(), self.scope)
    }
}

impl fmt::Debug for Timeout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timeout").field("after", &self.after()).field("scope", &self.scope).finish()
    }
}
