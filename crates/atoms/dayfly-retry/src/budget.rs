//! How many retries all callers together may make: a share of their calls, and a few per second anyway.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use dayfly::{Fixed, Reconfigure};
use tokio::time::Instant;

use minimum::Minimum;
use savings::Savings;

mod grant;
mod minimum;
mod options;
mod savings;

pub(crate) use grant::Grant;
pub use options::RetryBudgetOptions;

/// Millionths of a retry: the unit in which a share is saved up.
const WHOLE: u64 = 1_000_000;

/// How many retries all who share it may make together: a share of their calls, and a few per second anyway.
///
/// While everything fails, every caller's retries multiply the load on whatever it is that fails. A budget bounds that:
/// in any stretch of time the retries it allows are at most [`share`](RetryBudgetOptions::share) times the calls in it,
/// plus [`min_per_second`](RetryBudgetOptions::min_per_second) for each second and one second more, plus
/// [`burst`](RetryBudgetOptions::burst) saved up before.
///
/// Cheap to clone, and every clone is the same budget. No use of it takes a lock, and counting a call reads no clock.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use dayfly_retry::{GaveUp, Retry, RetryBudget, RetryBudgetOptions, RetryOptions};
///
/// // A retry for every five calls, and no more.
/// let budget = RetryBudget::new(RetryBudgetOptions::new().share(0.2).min_per_second(0));
/// let retry = Retry::on_every_error(RetryOptions::new()).budget(&budget);
/// for _ in 0..4 {
///     retry.call(|_| async { Ok::<_, &str>(()) }).await.unwrap();
/// }
/// let given_up = retry.call(|_| async { Err::<(), _>("down") }).await.unwrap_err();
/// assert_eq!((given_up.why, given_up.attempts), (GaveUp::BudgetExhausted, 2));
/// assert_eq!(budget.balance(), 0);
/// # }
/// ```
#[derive(Clone)]
pub struct RetryBudget {
    inner: Arc<Inner>,
}

struct Inner {
    savings: Savings,
    minimum: Minimum,
    /// The options, each by itself: those who read two of them in the middle of a change do no harm.
    share: AtomicU64,
    most_saved: AtomicU64,
    per_second: AtomicU64,
    /// Where the nanoseconds of `minimum` count from.
    origin: Instant,
}

/// Where a retry was taken from, and so where it goes back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purse {
    Minimum,
    Savings,
}

impl RetryBudget {
    /// A budget that has nothing saved up yet, and the minimum of one second.
    #[must_use]
    pub fn new(options: RetryBudgetOptions) -> Self {
        let inner = Inner {
            savings: Savings::default(),
            minimum: Minimum::default(),
            share: AtomicU64::new(options.share_saved()),
            most_saved: AtomicU64::new(options.most_saved()),
            per_second: AtomicU64::new(options.per_second()),
            origin: Instant::now(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Counts a call. A [`Retry`](crate::Retry) with this budget does it; this is for those who retry by themselves.
    pub fn deposit(&self) {
        let inner = &*self.inner;
        inner.savings.add(inner.share.load(Ordering::Relaxed), inner.most_saved.load(Ordering::Relaxed));
    }

    /// Takes one retry out. Says whether there was one; if not, the call has to be given up.
    #[must_use = "without a withdrawal there is no retry"]
    pub fn withdraw(&self) -> bool {
        self.take().is_some()
    }

    /// How many retries could be taken out now.
    #[must_use]
    pub fn balance(&self) -> u64 {
        let inner = &*self.inner;
        let saved = inner.savings.get(inner.most_saved.load(Ordering::Relaxed)) / WHOLE;
        saved + inner.minimum.left(self.now(), inner.per_second.load(Ordering::Relaxed))
    }

    /// What comes back by itself is spent first.
    pub(crate) fn take(&self) -> Option<Purse> {
        let inner = &*self.inner;
        if inner.minimum.take(self.now(), inner.per_second.load(Ordering::Relaxed)) {
            return Some(Purse::Minimum);
        }
        inner.savings.take(inner.most_saved.load(Ordering::Relaxed)).then_some(Purse::Savings)
    }

    /// Puts a retry back that has not been made.
    pub(crate) fn put_back(&self, purse: Purse) {
        let inner = &*self.inner;
        match purse {
            Purse::Minimum => inner.minimum.put_back(inner.per_second.load(Ordering::Relaxed)),
            Purse::Savings => inner.savings.add(WHOLE, inner.most_saved.load(Ordering::Relaxed)),
        }
    }

    fn now(&self) -> u64 {
        let since = Instant::now().saturating_duration_since(self.inner.origin);
        u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(RetryBudgetOptions::new())
    }
}

/// Every option can be followed. What is saved up stays, as far as a new burst has room for it.
impl Reconfigure<RetryBudgetOptions> for RetryBudget {
    fn check(&self, _options: &RetryBudgetOptions) -> Result<(), Fixed> {
        Ok(())
    }

    fn reconfigure(&self, options: &RetryBudgetOptions) -> Result<(), Fixed> {
        self.inner.share.store(options.share_saved(), Ordering::Relaxed);
        self.inner.most_saved.store(options.most_saved(), Ordering::Relaxed);
        self.inner.per_second.store(options.per_second(), Ordering::Relaxed);
        Ok(())
    }
}

impl fmt::Debug for RetryBudget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RetryBudget").field("balance", &self.balance()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
