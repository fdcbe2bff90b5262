//! How often, for how long and how far apart a call is tried.

use std::time::Duration;

use dayfly_signal::setting::kept;

use crate::{Backoff, Jitter};

#[cfg(feature = "serde")]
mod form;
pub mod rules;

/// How often, for how long and how far apart a call is tried.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`attempts`](Self::attempts) | 3 | attempts in all, the first included |
/// | [`attempt_timeout`](Self::attempt_timeout) | none | how long one attempt may take |
/// | [`total_timeout`](Self::total_timeout) | none | how long all attempts may take, waits included |
/// | [`backoff`](Self::backoff) | 100 ms, doubled each time, at most 60 s, full jitter | how long to wait between attempts |
/// | [`seed`](Self::seed) | chance | what jitter is drawn from |
///
/// ```
/// use std::time::Duration;
/// use dayfly_retry::{Backoff, Jitter, RetryOptions};
///
/// const CARE: RetryOptions = RetryOptions::new()
///     .attempts(5)
///     .total_timeout(Duration::from_secs(30))
///     .backoff(Backoff::exponential(Duration::from_millis(50)).jitter(Jitter::Equal));
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it. The fields are the setters, what is
/// absent has its default, and what breaks a rule or is unknown is an error:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_retry::{Backoff, RetryOptions};
/// let care: RetryOptions = toml::from_str(
///     r#"
///     attempts = 5
///     attempt_timeout = "2s"
///     backoff = { listed = ["1s", "10s", "1m"] }
///     "#,
/// ).unwrap();
/// let delays = [1, 10, 60].map(Duration::from_secs);
/// let same = RetryOptions::new()
///     .attempts(5)
///     .attempt_timeout(Duration::from_secs(2))
///     .backoff(Backoff::listed(&delays));
/// assert_eq!(care, same);
///
/// let error = toml::from_str::<RetryOptions>("attempts = 0").unwrap_err();
/// assert_eq!(error.message(), "attempts must be at least 1, but is 0");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct RetryOptions {
    pub(crate) attempts: u32,
    pub(crate) attempt_timeout: Option<Duration>,
    pub(crate) total_timeout: Option<Duration>,
    pub(crate) backoff: Backoff,
    pub(crate) seed: Option<u64>,
}

impl RetryOptions {
    /// The defaults of the table above.
    pub const fn new() -> Self {
        Self {
            attempts: 3,
            attempt_timeout: None,
            total_timeout: None,
            backoff: Backoff::exponential(Duration::from_millis(100)).jitter(Jitter::Full),
            seed: None,
        }
    }

    /// Sets how many attempts there are in all, the first included; 1 never retries, and `u32::MAX` is as good as for
    /// ever.
    ///
    /// # Panics
    /// When it is zero.
    #[track_caller]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = kept(rules::attempts(attempts));
        self
    }

    /// Sets how long one attempt may take before it is dropped, which counts as a failure.
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

    /// Sets how long a call may take in all, waits included. An attempt that runs at its end is dropped, and nobody waits
    /// for one that would begin at its end or later.
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

    /// Sets how long to wait between attempts.
    pub const fn backoff(mut self, backoff: Backoff) -> Self {
        self.backoff = backoff;
        self
    }

    /// Sets what jitter is drawn from, so that it can be repeated: the delays of the first call that fails are then those
    /// that [`Backoff::delays`] gives for this seed. Every other call has a seed of its own that is made of it.
    pub const fn seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Leaves jitter to chance.
    pub const fn without_seed(mut self) -> Self {
        self.seed = None;
        self
    }

    /// Whether a call has to look at the clock.
    pub(crate) const fn is_timed(&self) -> bool {
        self.attempt_timeout.is_some() || self.total_timeout.is_some()
    }
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self::new()
    }
}
