//! Between which bounds a limit moves, on which signals, and how latencies are judged.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

const DOUBLE_ON: &str = "load.high";
const HALVE_ON: &str = "load.low";

/// Between which bounds a limit moves, on which signals, and how latencies are judged.
///
/// | option | default | unit | what it means |
/// |---|---|---|---|
/// | [`bounds`](Self::bounds) | 4 to 256 | at once | the limit is never below the first nor above the second |
/// | [`initial`](Self::initial) | 16 | at once | the limit at the start, within the bounds |
/// | [`double_on`](Self::double_on) | `load.high` | signals | each raise doubles the limit once |
/// | [`halve_on`](Self::halve_on) | `load.low` | signals | each raise halves the limit once |
/// | [`tolerance`](Self::tolerance) | 1.5 | times the baseline | a latency up to which there is no queue worth the name |
/// | [`quantile`](Self::quantile) | 0.5 | share | which latency of a window speaks for it |
/// | [`window`](Self::window) | 500 ms | time | how long latencies are collected, at least |
/// | [`min_samples`](Self::min_samples) | 20 | samples | how many have to be there before they are judged |
/// | [`probe_every`](Self::probe_every) | 30 s | time | how old the baseline may get before it is measured anew |
/// | [`max_latency`](Self::max_latency) | none | time | what takes longer counts as a drop, whatever the baseline says |
///
/// ```
/// use std::time::Duration;
/// use dayfly_dynamic_concurrency::AdaptiveLimitOptions;
///
/// const CARE: AdaptiveLimitOptions =
///     AdaptiveLimitOptions::new().bounds(2, 100).initial(10).max_latency(Duration::from_secs(2));
/// let quiet = CARE.without_signals();
/// ```
///
/// With the feature `serde` they are read from configuration and written to it, with the setters' names and rules;
/// `bounds` is `{ min = 4, max = 256 }`, and what is absent has its default.
#[derive(Clone, Debug, PartialEq)]
pub struct AdaptiveLimitOptions {
    pub(crate) bounds: Bounds,
    pub(crate) initial: usize,
    /// `None` is the default, which cannot be made in a `const`.
    double_on: Option<PatternSet>,
    halve_on: Option<PatternSet>,
    pub(crate) tolerance: f64,
    pub(crate) quantile: f64,
    pub(crate) window: Duration,
    pub(crate) min_samples: u32,
    pub(crate) probe_every: Duration,
    pub(crate) max_latency: Option<Duration>,
}

/// Both at once, so that neither can be set to the wrong side of the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub(crate) struct Bounds {
    pub(crate) min: usize,
    pub(crate) max: usize,
}

impl AdaptiveLimitOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            bounds: Bounds { min: 4, max: 256 },
            initial: 16,
            double_on: None,
            halve_on: None,
            tolerance: 1.5,
            quantile: 0.5,
            window: Duration::from_millis(500),
            min_samples: 20,
            probe_every: Duration::from_secs(30),
            max_latency: None,
        }
    }

    /// Sets between which numbers the limit moves, both included: the ceiling is absolute, and so is the floor.
    ///
    /// # Panics
    /// When `min` is zero, `max` is below it, or above 1,000,000,000.
    #[must_use]
    #[track_caller]
    pub const fn bounds(mut self, min: usize, max: usize) -> Self {
        let (min, max) = kept(rules::bounds(min, max));
        self.bounds = Bounds { min, max };
        self
    }

    /// Sets the limit at the start. Outside of the bounds it is the bound. Later changes of it change nothing.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn initial(mut self, limit: usize) -> Self {
        self.initial = kept(rules::initial(limit));
        self
    }

    /// Sets which signals double the limit, once for each raise; the empty set for none.
    #[must_use]
    pub fn double_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.double_on = unless_default(patterns.into(), DOUBLE_ON);
        self
    }

    /// Sets which signals halve the limit, once for each raise; the empty set for none. A signal that both sets mean
    /// halves it.
    #[must_use]
    pub fn halve_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.halve_on = unless_default(patterns.into(), HALVE_ON);
        self
    }

    /// No signal moves the limit.
    #[must_use]
    pub fn without_signals(self) -> Self {
        self.double_on(PatternSet::new()).halve_on(PatternSet::new())
    }

    /// Sets up to how many times the baseline a latency may be before the limit falls. Half way there it grows half as
    /// fast.
    ///
    /// # Panics
    /// When it is not above 1, or above 100.
    #[must_use]
    #[track_caller]
    pub const fn tolerance(mut self, factor: f64) -> Self {
        self.tolerance = kept(rules::tolerance(factor));
        self
    }

    /// Sets which latency speaks for a window: 0.5 is the median, 1 the longest.
    ///
    /// # Panics
    /// When it is not above 0, or above 1.
    #[must_use]
    #[track_caller]
    pub const fn quantile(mut self, share: f64) -> Self {
        self.quantile = kept(rules::quantile(share));
        self
    }

    /// Sets how long latencies are collected before they are judged. It is judged when a sample ends, never by a timer.
    #[must_use]
    pub const fn window(mut self, time: Duration) -> Self {
        self.window = time;
        self
    }

    /// Sets how many samples a window has to hold before it is judged; until then it goes on.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn min_samples(mut self, samples: u32) -> Self {
        self.min_samples = kept(rules::min_samples(samples));
        self
    }

    /// Sets how old the baseline may get. Then the limit is halved for one window, never below the floor, and what is
    /// measured there is the new baseline; where half of the limit is not in use anyway, nothing is lowered for it.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn probe_every(mut self, time: Duration) -> Self {
        self.probe_every = kept(rules::probe_every(time));
        self
    }

    /// Sets a latency that cannot be healthy. A call that takes longer counts as a drop, also when it succeeds and when
    /// it is given up: so a long incident is never taken for the new normal.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_latency(mut self, time: Duration) -> Self {
        self.max_latency = Some(kept(rules::max_latency(time)));
        self
    }

    /// No latency counts as a drop by itself.
    #[must_use]
    pub const fn without_max_latency(mut self) -> Self {
        self.max_latency = None;
        self
    }

    /// The signals that double it, the default ones written out.
    pub(crate) fn doubling(&self) -> PatternSet {
        self.double_on.clone().unwrap_or_else(|| PatternSet::from(DOUBLE_ON))
    }

    /// The signals that halve it, the default ones written out.
    pub(crate) fn halving(&self) -> PatternSet {
        self.halve_on.clone().unwrap_or_else(|| PatternSet::from(HALVE_ON))
    }
}

/// The default has one form only, so that equal options are equal.
fn unless_default(patterns: PatternSet, default: &str) -> Option<PatternSet> {
    (patterns != PatternSet::from(default)).then_some(patterns)
}

impl Default for AdaptiveLimitOptions {
    fn default() -> Self {
        Self::new()
    }
}
