//! A breaker that is nothing but a reading of the signals' history.

use std::future::Future;
use std::time::Duration;

use dayfly_signal::setting::{Checked, kept};
use dayfly_signal::{Counter, PatternSet, SignalSink, Watch};
use tokio::time::{Instant, timeout_at};

use crate::error::{CallError, Open};
use crate::horizon::after;

/// When a [`SignalBreaker`] is open: at so many failures within such a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalBreakerOptions {
    threshold: usize,
    within: Duration,
}

/// A breaker that keeps no state: it is open while so many failure signals lie within its window, and closes as they age
/// out of it. Whoever raises the signals decides what a failure is; several breakers may read the same ones differently.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use std::time::Duration;
/// use dayfly::SignalSink;
/// use dayfly_circuit_breaker::{SignalBreaker, SignalBreakerOptions};
///
/// let signals = SignalSink::default();
/// let options = SignalBreakerOptions::new().threshold(5).within(Duration::from_secs(30));
/// let api = SignalBreaker::new("api.failure", options, &signals);
/// for _ in 0..5 {
///     signals.raise("api.failure");
/// }
/// assert_eq!(api.retry_after().unwrap().as_secs(), 30);
/// api.closed().await;
/// assert!(!api.is_open());
/// # }
/// ```
#[derive(Debug)]
pub struct SignalBreaker {
    options: SignalBreakerOptions,
    signals: SignalSink,
    patterns: PatternSet,
    failures: Counter,
}

impl SignalBreakerOptions {
    /// Five failures within thirty seconds.
    #[must_use]
    pub const fn new() -> Self {
        Self { threshold: 5, within: Duration::from_secs(30) }
    }

    /// Sets how many failures open it. The sink's history has to hold as many.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn threshold(mut self, failures: usize) -> Self {
        self.threshold = kept(threshold(failures));
        self
    }

    /// Sets how long a failure counts. What the sink's history forgets sooner, for its age or for want of room, counts no
    /// longer than that, and then the breaker closes before it says that it will.
    #[must_use]
    pub const fn within(mut self, time: Duration) -> Self {
        self.within = time;
        self
    }
}

impl Default for SignalBreakerOptions {
    fn default() -> Self {
        Self::new()
    }
}

const fn threshold(failures: usize) -> Checked<usize> {
    if failures == 0 { Err("threshold must be at least 1") } else { Ok(failures) }
}

impl SignalBreaker {
    /// A breaker that reads the failures that these patterns mean.
    #[must_use]
    pub fn new(failures: impl Into<PatternSet>, options: SignalBreakerOptions, signals: &SignalSink) -> Self {
        let patterns = failures.into();
        let failures = signals.counter(patterns.clone(), options.within);
        Self { options, signals: signals.clone(), patterns, failures }
    }

    /// How many failures lie within the window.
    #[must_use]
    pub fn count(&self) -> usize {
        self.failures.count()
    }

    /// Whether there are too many of them.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.failures.count() >= self.options.threshold
    }

    /// How long it is until it closes, if nothing fails until then; `None` while it is closed.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        let closes = self.closes_at()?;
        Some(closes.saturating_duration_since(Instant::now()))
    }

    /// Whether a call may be made.
    ///
    /// # Errors
    /// While it is open.
    pub fn check(&self) -> Result<(), Open> {
        self.retry_after().map_or(Ok(()), |retry_after| Err(Open { retry_after }))
    }

    /// Makes a call, unless it is open. The call itself raises what counts.
    ///
    /// # Errors
    /// When it is open, and then `work` was not polled; or when the call fails.
    ///
    /// # Cancel safety
    /// Nothing is lost: there is nothing to lose.
    pub async fn call<V, E>(&self, work: impl Future<Output = Result<V, E>>) -> Result<V, CallError<E>> {
        self.check()?;
        work.await.map_err(CallError::Inner)
    }

    /// Waits until it is closed. A failure meanwhile makes it longer, a clearing shorter.
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    pub async fn closed(&self) {
        let mut watch: Option<Watch> = None;
        while let Some(closes) = self.closes_at() {
            // Watched first, so that a clearing in between is not missed.
            let Some(watch) = &mut watch else {
                watch = Some(self.signals.watch(self.patterns.clone()));
                continue;
            };
            if timeout_at(closes, watch.changed()).await.is_ok() {
                watch.mark_seen();
            }
        }
    }

    /// When the failure leaves the window that makes it one too many.
    fn closes_at(&self) -> Option<Instant> {
        let last = self.failures.nth_newest(self.options.threshold)?;
        // What lies exactly at the edge still counts.
        Some(after(last, self.options.within) + Duration::from_nanos(1))
    }
}
