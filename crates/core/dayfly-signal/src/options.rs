//! How much a sink remembers, and for how long.

use std::time::Duration;

use crate::PatternSet;
use crate::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How much a [`SignalSink`](crate::SignalSink) remembers.
///
/// | option | default | what it bounds |
/// |---|---|---|
/// | [`capacity`](Self::capacity) | 4,096 | events in the history |
/// | [`max_age`](Self::max_age) | 60 s | how long an event stays in the history, and a raise in the state |
/// | [`max_raised`](Self::max_raised) | 4,096 | names that are raised at once |
/// | [`subscription_capacity`](Self::subscription_capacity) | 1,024 | events that wait for one subscriber |
/// | [`max_depth`](Self::max_depth) | 16 | signals in one chain of causes |
/// | [`terminal`](Self::terminal), [`leaf`](Self::leaf) | none | names that end a chain, names that stand in none |
///
/// ```
/// use std::time::Duration;
/// use dayfly_signal::SignalOptions;
///
/// const BRIEF: SignalOptions = SignalOptions::new().capacity(1_000).max_age(Duration::from_secs(10));
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it. The fields are the setters, what is
/// absent has its default, and what breaks a rule or is unknown is an error:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_signal::SignalOptions;
/// let brief: SignalOptions = toml::from_str(
///     r#"
///     capacity = 1_000
///     max_age = "1m 30s"
///     terminal = "shutdown, *.failed"
///     "#,
/// ).unwrap();
/// let same = SignalOptions::new().capacity(1_000).max_age(Duration::from_secs(90)).terminal("shutdown, *.failed");
/// assert_eq!(brief, same);
///
/// let error = toml::from_str::<SignalOptions>(r#"max_age = "0s""#).unwrap_err();
/// assert_eq!(error.message(), "max_age must be longer than zero, but is 0s");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignalOptions {
    pub(crate) capacity: usize,
    pub(crate) max_age: Duration,
    pub(crate) max_raised: usize,
    pub(crate) subscription_capacity: usize,
    pub(crate) max_depth: u32,
    pub(crate) terminal: PatternSet,
    pub(crate) leaf: PatternSet,
}

impl SignalOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            capacity: 4_096,
            max_age: Duration::from_secs(60),
            max_raised: 4_096,
            subscription_capacity: 1_024,
            max_depth: 16,
            terminal: PatternSet::new(),
            leaf: PatternSet::new(),
        }
    }

    /// Sets how many events the history holds. 0 is taken as 1: a sink always remembers its newest event.
    #[must_use]
    pub const fn capacity(mut self, events: usize) -> Self {
        self.capacity = if events == 0 { 1 } else { events };
        self
    }

    /// Sets the age at which an event leaves the history and a raise stops to count.
    ///
    /// # Panics
    /// When `age` is zero: nothing could ever be raised.
    #[must_use]
    #[track_caller]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = kept(rules::max_age(age));
        self
    }

    /// Sets how many names may be raised at once; beyond it the one that was raised longest ago leaves the
    /// state and is counted. Names that are held do not count.
    ///
    /// # Panics
    /// When `names` is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_raised(mut self, names: usize) -> Self {
        self.max_raised = kept(rules::max_raised(names));
        self
    }

    /// Sets how many events wait for one subscriber before the oldest is dropped and reported as lag.
    ///
    /// # Panics
    /// When `events` is zero.
    #[must_use]
    #[track_caller]
    pub const fn subscription_capacity(mut self, events: usize) -> Self {
        self.subscription_capacity = kept(rules::subscription_capacity(events));
        self
    }

    /// Sets how many signals a chain of causes may hold, the root included. What a callback takes back, holds or clears
    /// has no causes, and callbacks are told of it no deeper than that either.
    ///
    /// # Panics
    /// When `signals` is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_depth(mut self, signals: u32) -> Self {
        self.max_depth = kept(rules::max_depth(signals));
        self
    }

    /// Names that nothing may follow in a chain of causes.
    #[must_use]
    pub fn terminal(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.terminal = self.terminal.and(patterns);
        self
    }

    /// Names that are raised without a chain, whatever causes them.
    #[must_use]
    pub fn leaf(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.leaf = self.leaf.and(patterns);
        self
    }
}

impl Default for SignalOptions {
    fn default() -> Self {
        Self::new()
    }
}
