//! What is asked for.

use std::time::Duration;

use tokio::time::Instant;

/// Who comes first when several wait. What waits long enough in a lower class is not overtaken any more
/// ([`age_after`](crate::LimiterOptions::age_after)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Priority {
    /// After all others: work that nobody waits for.
    Low,
    /// What everybody has who does not say otherwise.
    #[default]
    Normal,
    /// Before all others.
    High,
}

/// How many permits are asked for, how urgently, and until when.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// # use std::time::Duration;
/// use dayfly_limit::{Limiter, Priority, Request};
///
/// const BULK: Request = Request::new().permits(3).priority(Priority::Low).timeout(Duration::from_secs(5));
/// let limiter = Limiter::with_limit(4);
/// let permit = limiter.acquire_with(BULK).await.unwrap();
/// assert_eq!((permit.permits(), limiter.stats().in_use), (3, 3));
/// # }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Request {
    pub(crate) permits: usize,
    pub(crate) priority: Priority,
    pub(crate) until: Until,
}

/// How long a request may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Until {
    Granted,
    Deadline(Instant),
    Timeout(Duration),
}

impl Request {
    /// One permit, of normal priority, however long it takes.
    pub const fn new() -> Self {
        Self { permits: 1, priority: Priority::Normal, until: Until::Granted }
    }

    /// Asks for so many at once. None at all are granted without a wait.
    pub const fn permits(mut self, permits: usize) -> Self {
        self.permits = permits;
        self
    }

    /// Sets who comes first.
    pub const fn priority(mut self, priority: Priority) -> Self {
        self.priority = priority;
        self
    }

    /// Waits no longer than until then. The later of [`deadline`](Self::deadline) and [`timeout`](Self::timeout) to be
    /// set counts.
    pub const fn deadline(mut self, deadline: Instant) -> Self {
        self.until = Until::Deadline(deadline);
        self
    }

    /// Waits no longer than this, from the first poll on.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.until = Until::Timeout(timeout);
        self
    }
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}

impl Until {
    /// The moment, unless it lies beyond what the clock can say.
    pub(crate) fn deadline(self) -> Option<Instant> {
        match self {
            Self::Granted => None,
            Self::Deadline(deadline) => Some(deadline),
            Self::Timeout(timeout) => Instant::now().checked_add(timeout),
        }
    }
}
