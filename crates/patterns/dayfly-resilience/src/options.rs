//! Which policies a pipeline has, and how strict they are.

use std::time::Duration;

use dayfly_circuit_breaker::BreakerOptions;
use dayfly_retry::{Backoff, Jitter, RetryBudgetOptions, RetryOptions};
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod presets;
pub(crate) mod rules;

/// Which policies a [`Pipeline`](crate::Pipeline) has, and how strict they are. In the order in which a call meets them:
///
/// | option | `new` | `production` | `development` | `high_throughput` | |
/// |---|---|---|---|---|---|
/// | [`total_timeout`](Self::total_timeout) | off | 30 s | 30 s | 10 s | how long a call may take in all |
/// | [`fallback`](Self::fallback) | on | on | on | on | whether a call with a fallback uses it |
/// | [`attempts`](Self::attempts) | 1 | 3 | 3 | 3 | attempts in all; 1 never retries |
/// | [`backoff`](Self::backoff) | 1 s, doubled, at most 30 s, full jitter | same | same | same | how long to wait between attempts |
/// | [`seed`](Self::seed) | chance | chance | chance | chance | what jitter is drawn from |
/// | [`budget`](Self::budget) | off | 0.2 per call | off | 0.2 per call | which share of the calls may be retried |
/// | [`breaker`](Self::breaker) | off | 5 failures, 30 s, 2 successes | 10, 30 s, 2 | 10, 60 s, 2 | when calls are refused |
/// | [`max_concurrency`](Self::max_concurrency) | off | off | off | off | attempts that run at once |
/// | [`max_wait`](Self::max_wait) | off | off | off | off | how long an attempt waits for a place |
/// | [`attempt_timeout`](Self::attempt_timeout) | off | 10 s | off | 10 s | how long one attempt may take |
///
/// All of them can be changed while the pipeline works.
///
/// ```
/// use std::time::Duration;
/// use dayfly_resilience::PipelineOptions;
///
/// const CARE: PipelineOptions =
///     PipelineOptions::production().max_concurrency(64).attempt_timeout(Duration::from_secs(2)).without_budget();
/// ```
///
/// With the feature `serde` they are read from configuration and written to it. The fields are the setters, what is absent
/// is as in `new`, and what breaks a rule or is unknown is an error:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_circuit_breaker::BreakerOptions;
/// # use dayfly_resilience::PipelineOptions;
/// let care: PipelineOptions = toml::from_str(
///     r#"
///     total_timeout = "30s"
///     attempts = 3
///     breaker = { failure_threshold = 10 }
///     "#,
/// ).unwrap();
/// let same = PipelineOptions::new()
///     .total_timeout(Duration::from_secs(30))
///     .attempts(3)
///     .breaker(BreakerOptions::new().failure_threshold(10));
/// assert_eq!(care, same);
///
/// let error = toml::from_str::<PipelineOptions>("attempts = 0").unwrap_err();
/// assert_eq!(error.message(), "attempts must be at least 1, but is 0");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct PipelineOptions {
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) fallback: bool,
    pub(crate) attempts: u32,
    pub(crate) backoff: Backoff,
    pub(crate) seed: Option<u64>,
    pub(crate) budget: Option<RetryBudgetOptions>,
    pub(crate) breaker: Option<BreakerOptions>,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) max_wait: Option<Duration>,
    pub(crate) attempt_timeout: Option<Duration>,
}

impl PipelineOptions {
    /// No policy is on: calls pass as they are.
    pub const fn new() -> Self {
        Self {
            total_timeout: None,
            fallback: true,
            attempts: 1,
            backoff: Backoff::exponential(Duration::from_secs(1))
                .cap(Duration::from_secs(30))
                .jitter(Jitter::Full),
            seed: None,
            budget: None,
            breaker: None,
            max_concurrency: None,
            max_wait: None,
            attempt_timeout: None,
        }
    }

    /// Sets how long a call may take in all, waits included, from the moment at which it first has to wait. An attempt that
    /// runs at its end is dropped, and nobody waits for one that would begin at its end or later.
    ///
    /// # Panics
    /// When it is zero.
    #[track_caller]
    pub const fn total_timeout(mut self, timeout: Duration) -> Self {
        self.total_timeout = Some(kept(rules::total_timeout(timeout)));
        self
    }

    /// Lets a call take as long as its attempts do.
    pub const fn without_total_timeout(mut self) -> Self {
        self.total_timeout = None;
        self
    }

    /// Lets calls that bring a fallback use it.
    pub const fn fallback(mut self) -> Self {
        self.fallback = true;
        self
    }

    /// Calls that bring a fallback fail as all others do.
    pub const fn without_fallback(mut self) -> Self {
        self.fallback = false;
        self
    }

    /// Sets how many attempts there are in all, the first included; one that the breaker refuses is one of them.
    ///
    /// # Panics
    /// When it is zero.
    #[track_caller]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = kept(rules::attempts(attempts));
        self
    }

    /// One attempt, whatever becomes of it.
    pub const fn without_retry(mut self) -> Self {
        self.attempts = 1;
        self
    }

    /// Sets how long to wait between attempts.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets what jitter is drawn from, so that it can be repeated.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Leaves jitter to chance.
    pub const fn without_seed(mut self) -> Self {
        self.seed = None;
        self
    }

    /// Sets which share of the calls may be retried, so that an outage is not met with many times the load.
    pub const fn budget(mut self, budget: RetryBudgetOptions) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Every call may be retried as often as it has attempts.
    pub const fn without_budget(mut self) -> Self {
        self.budget = None;
        self
    }

    /// Sets when the breaker opens, for how long, and what closes it.
    pub const fn breaker(mut self, breaker: BreakerOptions) -> Self {
        self.breaker = Some(breaker);
        self
    }

    /// No call is refused because others failed.
    pub const fn without_breaker(mut self) -> Self {
        self.breaker = None;
        self
    }

    /// Sets how many attempts run at once; others wait for a place, first come, first served.
    ///
    /// # Panics
    /// When it is zero.
    #[track_caller]
    pub const fn max_concurrency(mut self, attempts: usize) -> Self {
        self.max_concurrency = Some(kept(rules::max_concurrency(attempts)));
        self
    }

    /// Any number of attempts runs at once.
    pub const fn without_max_concurrency(mut self) -> Self {
        self.max_concurrency = None;
        self
    }

    /// Sets how long an attempt waits for a place before it is refused; zero refuses at once what cannot run at once.
    pub const fn max_wait(mut self, wait: Duration) -> Self {
        self.max_wait = Some(wait);
        self
    }

    /// An attempt waits for a place as long as the call may take.
    pub const fn without_max_wait(mut self) -> Self {
        self.max_wait = None;
        self
    }

    /// Sets how long one attempt may take before it is dropped, which is a failure; the wait for a place is no part of it.
    ///
    /// # Panics
    /// When it is zero.
    #[track_caller]
    pub const fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.attempt_timeout = Some(kept(rules::attempt_timeout(timeout)));
        self
    }

    /// Lets an attempt take as long as it does, within the total timeout.
    pub const fn without_attempt_timeout(mut self) -> Self {
        self.attempt_timeout = None;
        self
    }

    /// What the retrier follows: timeouts are the pipeline's own.
    pub(crate) const fn retry(&self) -> RetryOptions {
        let retry = RetryOptions::new().attempts(self.attempts).backoff(self.backoff);
        match self.seed {
            Some(seed) => retry.seed(seed),
            None => retry,
        }
    }
}

impl Default for PipelineOptions {
    fn default() -> Self {
        Self::new()
    }
}
