//! What is reported, how much of it, and how often.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// What a [`Telemetry`](crate::Telemetry) reports.
///
/// | option | default | what it says |
/// |---|---|---|
/// | [`signals`](Self::signals) | all | whose events are reported |
/// | [`queue_capacity`](Self::queue_capacity) | 1,024 | events that wait to be reported |
/// | [`interval`](Self::interval) | 10 s | how often figures are reported |
/// | [`durations`](Self::durations) | on | whether each operation's time in the queue and at work is reported |
/// | [`max_series`](Self::max_series) | 256 | names of `perf.*` signals that become metrics, and names that are counted apart |
/// | [`count_by_name`](Self::count_by_name) | none | signals that are counted each by its name |
/// | [`sample`](Self::sample) | every event | of which names only one event in so many is reported |
/// | [`redact_payload_of`](Self::redact_payload_of) | none | names whose payload is not shown |
/// | [`redact_payload_like`](Self::redact_payload_like) | none | payloads that are not shown |
/// | [`redact_key_of`](Self::redact_key_of) | none | names whose key is not shown |
///
/// ```
/// use std::time::Duration;
/// use dayfly_telemetry::TelemetryOptions;
///
/// const BRISK: TelemetryOptions = TelemetryOptions::new().queue_capacity(8_192).interval(Duration::from_secs(1));
/// let careful = BRISK.sample("cache.*", 100).redact_payload_like("*token=*, *password=*").redact_key_of("customer.*");
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_telemetry::TelemetryOptions;
/// let read: TelemetryOptions = toml::from_str(
///     r#"
///     interval = "30s"
///     sample = [{ signals = "cache.*", one_in = 100 }]
///     redact_key_of = "customer.*"
///     "#,
/// ).unwrap();
/// let same = TelemetryOptions::new().interval(Duration::from_secs(30)).sample("cache.*", 100).redact_key_of("customer.*");
/// assert_eq!(read, same);
///
/// let error = toml::from_str::<TelemetryOptions>("queue_capacity = 0").unwrap_err();
/// assert_eq!(error.message(), "queue_capacity must be at least 1, but is 0");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TelemetryOptions {
    /// All of them where this is absent.
    pub(crate) signals: Option<PatternSet>,
    pub(crate) queue_capacity: usize,
    pub(crate) interval: Duration,
    pub(crate) durations: bool,
    pub(crate) max_series: usize,
    pub(crate) count_by_name: PatternSet,
    pub(crate) sample: Vec<(PatternSet, u32)>,
    pub(crate) redact_payload_of: PatternSet,
    pub(crate) redact_payload_like: PatternSet,
    pub(crate) redact_key_of: PatternSet,
}

impl TelemetryOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            signals: None,
            queue_capacity: 1_024,
            interval: Duration::from_secs(10),
            durations: true,
            max_series: 256,
            count_by_name: PatternSet::new(),
            sample: Vec::new(),
            redact_payload_of: PatternSet::new(),
            redact_payload_like: PatternSet::new(),
            redact_key_of: PatternSet::new(),
        }
    }

    /// Reports the signals that `patterns` mean, in addition to those of an earlier call, instead of all.
    #[must_use]
    pub fn signals(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.signals = Some(self.signals.unwrap_or_default().and(patterns));
        self
    }

    /// Sets how many events, and how many ends of operations, wait to be reported before the oldest is dropped.
    ///
    /// # Panics
    /// When `events` is zero.
    #[must_use]
    #[track_caller]
    pub const fn queue_capacity(mut self, events: usize) -> Self {
        self.queue_capacity = kept(rules::queue_capacity(events));
        self
    }

    /// Sets how often figures are reported. One beyond the clock's range, such as `Duration::MAX`, means at the end only.
    ///
    /// # Panics
    /// When `interval` is zero.
    #[must_use]
    #[track_caller]
    pub const fn interval(mut self, interval: Duration) -> Self {
        self.interval = kept(rules::interval(interval));
        self
    }

    /// Sets whether the time that each operation of a watched coordinator spends in the queue and at work is reported. It
    /// costs a snapshot at each end, about a third of a microsecond; counts and levels cost nothing between two reports.
    #[must_use]
    pub const fn durations(mut self, reported: bool) -> Self {
        self.durations = reported;
        self
    }

    /// Sets how many names of `perf.*` signals become metrics; the values of further names are counted as unmeasured. Zero
    /// makes no metric of any. As many names, and no more, are [counted by name](Self::count_by_name).
    #[must_use]
    pub const fn max_series(mut self, names: usize) -> Self {
        self.max_series = names;
        self
    }

    /// Counts the signals that `patterns` mean each by its name: `dayfly.signal.raised` has a label `signal` then. All others
    /// are counted together, without that label, and so are names beyond [`max_series`](Self::max_series); nothing is counted
    /// twice.
    ///
    /// A name is a label with this, so let it be names of things of which there are few, such as `circuit.open.*`: no key and
    /// no id.
    #[must_use]
    pub fn count_by_name(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.count_by_name = self.count_by_name.and(patterns);
        self
    }

    /// Of the names that `patterns` mean, reports the first event and then one in `one_in`.
    ///
    /// The first rule that means a name decides. Exceptions, metrics and counts are never sampled: they stay exact.
    ///
    /// # Panics
    /// When `one_in` is zero.
    #[must_use]
    #[track_caller]
    pub fn sample(mut self, patterns: impl Into<PatternSet>, one_in: u32) -> Self {
        self.sample.push((patterns.into(), kept(rules::one_in(one_in))));
        self
    }

    /// Does not show the payloads of these names; their `perf.*` values become no metric either.
    #[must_use]
    pub fn redact_payload_of(mut self, names: impl Into<PatternSet>) -> Self {
        self.redact_payload_of = self.redact_payload_of.and(names);
        self
    }

    /// Does not show payloads that `patterns` mean as a whole, such as `*token=*`.
    #[must_use]
    pub fn redact_payload_like(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.redact_payload_like = self.redact_payload_like.and(patterns);
        self
    }

    /// Does not show the keys of these names.
    #[must_use]
    pub fn redact_key_of(mut self, names: impl Into<PatternSet>) -> Self {
        self.redact_key_of = self.redact_key_of.and(names);
        self
    }

    /// The signals to subscribe to.
    pub(crate) fn subscribed(&self) -> PatternSet {
        self.signals.clone().unwrap_or_else(|| PatternSet::from("*"))
    }
}

impl Default for TelemetryOptions {
    fn default() -> Self {
        Self::new()
    }
}
