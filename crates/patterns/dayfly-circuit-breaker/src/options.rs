//! When a breaker opens, for how long, and what closes it again.

use std::time::Duration;

use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
pub(crate) mod rules;

/// When a breaker opens, for how long, and what closes it again.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`failure_threshold`](Self::failure_threshold) | 5 | failures in a row that open it |
/// | [`failure_rate`](Self::failure_rate) | off | the share of failed calls within the window that opens it |
/// | [`slow_rate`](Self::slow_rate) | off | the share of slow calls within the window that opens it |
/// | [`slow_after`](Self::slow_after) | 1 s | a call that takes longer is slow |
/// | [`minimum_calls`](Self::minimum_calls) | 20 | calls within the window before a share means anything |
/// | [`window`](Self::window) | the last 100 calls | what shares are taken of |
/// | [`open_for`](Self::open_for) | 30 s | how long it stays open before it admits probes |
/// | [`probes`](Self::probes) | 1 | calls at once while it is half-open |
/// | [`successes`](Self::successes) | 1 | probes that have to succeed before it closes |
///
/// Each of the three conditions stands by itself: whichever is met first opens the breaker.
///
/// ```
/// use std::time::Duration;
/// use dayfly_circuit_breaker::{BreakerOptions, Window};
///
/// const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(5).open_for(Duration::from_secs(30));
/// let shares = CARE
///     .without_failure_threshold()
///     .failure_rate(0.5)
///     .window(Window::Time(Duration::from_secs(60)))
///     .minimum_calls(10);
/// ```
///
/// With the feature `serde` they are read from configuration and written to it, with the setters' names and rules;
/// `window` is `{ calls = 100 }` or `{ time = "60s" }`.
#[derive(Clone, Debug, PartialEq)]
pub struct BreakerOptions {
    pub(crate) failure_threshold: Option<u32>,
    pub(crate) failure_rate: Option<f64>,
    pub(crate) slow_rate: Option<f64>,
    pub(crate) slow_after: Duration,
    pub(crate) minimum_calls: u32,
    pub(crate) window: Window,
    pub(crate) open_for: Duration,
    pub(crate) probes: u32,
    pub(crate) successes: u32,
}

/// What the shares of failed and slow calls are taken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Window {
    /// The last so many calls, 1 to 65,536.
    Calls(#[cfg_attr(feature = "serde", serde(deserialize_with = "form::calls"))] u32),
    /// The calls of the last so long, in tenths of it: the oldest tenth leaves at once.
    Time(#[cfg_attr(feature = "serde", serde(with = "form::time"))] Duration),
}

impl BreakerOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            failure_threshold: Some(5),
            failure_rate: None,
            slow_rate: None,
            slow_after: Duration::from_secs(1),
            minimum_calls: 20,
            window: Window::Calls(100),
            open_for: Duration::from_secs(30),
            probes: 1,
            successes: 1,
        }
    }

    /// Sets how many failures in a row open it.
    ///
    /// # Panics
    /// When it is zero, or above 1,000,000,000.
    #[must_use]
    #[track_caller]
    pub const fn failure_threshold(mut self, failures: u32) -> Self {
        self.failure_threshold = Some(kept(rules::failure_threshold(failures)));
        self
    }

    /// No number of failures in a row opens it.
    #[must_use]
    pub const fn without_failure_threshold(mut self) -> Self {
        self.failure_threshold = None;
        self
    }

    /// Sets the share of failed calls that opens it, above 0 and up to 1.
    ///
    /// # Panics
    /// When it is not within these bounds.
    #[must_use]
    #[track_caller]
    pub const fn failure_rate(mut self, share: f64) -> Self {
        self.failure_rate = Some(kept(rules::failure_rate(share)));
        self
    }

    /// No share of failed calls opens it.
    #[must_use]
    pub const fn without_failure_rate(mut self) -> Self {
        self.failure_rate = None;
        self
    }

    /// Sets the share of slow calls that opens it, above 0 and up to 1. Every call then costs two readings of the clock.
    ///
    /// # Panics
    /// When it is not within these bounds.
    #[must_use]
    #[track_caller]
    pub const fn slow_rate(mut self, share: f64) -> Self {
        self.slow_rate = Some(kept(rules::slow_rate(share)));
        self
    }

    /// No share of slow calls opens it.
    #[must_use]
    pub const fn without_slow_rate(mut self) -> Self {
        self.slow_rate = None;
        self
    }

    /// Sets how long a call may take before it is slow. It counts for [`slow_rate`](Self::slow_rate) only.
    #[must_use]
    pub const fn slow_after(mut self, time: Duration) -> Self {
        self.slow_after = time;
        self
    }

    /// Sets how many calls the window has to hold before a share opens anything. A window of fewer calls is full first, and
    /// then it is enough.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn minimum_calls(mut self, calls: u32) -> Self {
        self.minimum_calls = kept(rules::minimum_calls(calls));
        self
    }

    /// Sets what shares are taken of.
    ///
    /// # Panics
    /// When it is empty, or of more than 65,536 calls.
    #[must_use]
    #[track_caller]
    pub const fn window(mut self, window: Window) -> Self {
        self.window = kept(rules::window(window));
        self
    }

    /// Sets how long it stays open before it admits probes.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn open_for(mut self, time: Duration) -> Self {
        self.open_for = kept(rules::open_for(time));
        self
    }

    /// Sets how many calls it admits at once while it is half-open.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn probes(mut self, calls: u32) -> Self {
        self.probes = kept(rules::probes(calls));
        self
    }

    /// Sets how many probes have to succeed before it closes. One that fails opens it again.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn successes(mut self, calls: u32) -> Self {
        self.successes = kept(rules::successes(calls));
        self
    }

    /// Whether completions have to be looked at one by one, because shares are taken of them.
    pub(crate) const fn takes_shares(&self) -> bool {
        self.failure_rate.is_some() || self.slow_rate.is_some()
    }
}

impl Default for BreakerOptions {
    fn default() -> Self {
        Self::new()
    }
}
