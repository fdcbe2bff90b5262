//! How much a sink remembers, and for how long.

use std::time::Duration;

use crate::PatternSet;

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
    pub const fn max_age(mut self, age: Duration) -> Self {
        assert!(!age.is_zero(), "max_age must be longer than zero");
        self.max_age = age;
        self
    }

    /// Sets how many names may be raised at once; beyond it the one that was raised longest ago leaves the
    /// state and is counted. Names that are held do not count.
    ///
    /// # Panics
    /// When `names` is zero.
    #[must_use]
    pub const fn max_raised(mut self, names: usize) -> Self {
        assert!(names > 0, "max_raised must be at least 1");
        self.max_raised = names;
        self
    }

    /// Sets how many events wait for one subscriber before the oldest is dropped and reported as lag.
    ///
    /// # Panics
    /// When `events` is zero.
    #[must_use]
    pub const fn subscription_capacity(mut self, events: usize) -> Self {
        assert!(events > 0, "subscription_capacity must be at least 1");
        self.subscription_capacity = events;
        self
    }

    /// Sets how many signals a chain of causes may hold, the root included.
    ///
    /// # Panics
    /// When `signals` is zero.
    #[must_use]
    pub const fn max_depth(mut self, signals: u32) -> Self {
        assert!(signals > 0, "max_depth must be at least 1");
        self.max_depth = signals;
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
