//! How a coordinator bounds, gates and remembers its work.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How a coordinator bounds, gates and remembers its work.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`max_concurrency`](Self::max_concurrency) | 16 | operations that run at once |
/// | [`queue_capacity`](Self::queue_capacity) | 1,024 | operations that are accepted and have not started |
/// | [`max_concurrency_per_key`](Self::max_concurrency_per_key) | 1 | operations of one key that run at once |
/// | [`max_queued_per_key`](Self::max_queued_per_key) | a quarter of the queue | accepted operations of one key |
/// | [`burst`](Self::burst) | 0 | turns that a key may save |
/// | [`age_after`](Self::age_after) | never | how long work waits in a priority lane before it rises by one |
/// | [`window_size`](Self::window_size) | 256 | finished operations that are remembered |
/// | [`max_age`](Self::max_age) | none | how long a finished operation is remembered |
/// | [`max_pinned`](Self::max_pinned) | 64 | operations that are remembered until they are unpinned |
/// | [`echo_capacity`](Self::echo_capacity) | 256 | signals that are remembered of operations that left the window |
/// | [`echo_retention`](Self::echo_retention) | 60 s | how long those are remembered |
/// | [`cancel_grace`](Self::cancel_grace) | 5 s | how long a cancelled body may take to end by itself |
/// | [`cancel_on`](Self::cancel_on), [`defer_on`](Self::defer_on), [`resume_on`](Self::resume_on) | none | signals that gate starts |
/// | [`max_deferral`](Self::max_deferral) | none | how long signals may defer an operation, and what then |
/// | [`drain_on`](Self::drain_on) | none | signals that end intake |
/// | [`clear_on`](Self::clear_on) | none | signals that clear others |
///
/// ```
/// use dayfly::CoordinatorOptions;
///
/// const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(8).queue_capacity(1_000);
/// let gated = WORK.defer_on("circuit.open.*").cancel_on("shutdown");
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it. The fields are the setters, what is
/// absent has its default, and what breaks a rule or is unknown is an error:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly::{AfterDeferral, CoordinatorOptions};
/// let gated: CoordinatorOptions = toml::from_str(
///     r#"
///     max_concurrency = 8
///     max_age = "1h 30m"
///     defer_on = ["circuit.open.*", "load.high"]
///     max_deferral = { wait = "30s", then = "skip" }
///     clear_on = [{ when = "deploy.done", clear = "deploy.*" }]
///     "#,
/// ).unwrap();
/// let same = CoordinatorOptions::new()
///     .max_concurrency(8)
///     .max_age(Duration::from_secs(5_400))
///     .defer_on("circuit.open.*, load.high")
///     .max_deferral(Duration::from_secs(30), AfterDeferral::Skip)
///     .clear_on("deploy.done", "deploy.*");
/// assert_eq!(gated, same);
///
/// let error = toml::from_str::<CoordinatorOptions>("max_concurrency = 0").unwrap_err();
/// assert_eq!(error.message(), "max_concurrency must be at least 1, but is 0");
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct CoordinatorOptions {
    pub(crate) max_concurrency: usize,
    pub(crate) queue_capacity: usize,
    pub(crate) max_concurrency_per_key: usize,
    pub(crate) max_queued_per_key: Option<usize>,
    pub(crate) burst: usize,
    pub(crate) age_after: Option<Duration>,
    pub(crate) window_size: usize,
    pub(crate) max_age: Option<Duration>,
    pub(crate) max_pinned: usize,
    pub(crate) echo_capacity: usize,
    pub(crate) echo_retention: Duration,
    pub(crate) cancel_grace: Duration,
    pub(crate) cancel_on: PatternSet,
    pub(crate) defer_on: PatternSet,
    pub(crate) resume_on: PatternSet,
    pub(crate) drain_on: PatternSet,
    pub(crate) clear_on: Vec<(PatternSet, PatternSet)>,
    pub(crate) max_deferral: Option<(Duration, AfterDeferral)>,
}

/// What becomes of an operation that signals have deferred for as long as they may.
///
/// With the feature `serde`, configuration writes `"run"` or `"skip"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AfterDeferral {
    /// It starts, whatever defers it.
    Run,
    /// It is skipped.
    Skip,
}

impl CoordinatorOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_concurrency: 16,
            queue_capacity: 1_024,
            max_concurrency_per_key: 1,
            max_queued_per_key: None,
            burst: 0,
            age_after: None,
            window_size: 256,
            max_age: None,
            max_pinned: 64,
            echo_capacity: 256,
            echo_retention: Duration::from_secs(60),
            cancel_grace: Duration::from_secs(5),
            cancel_on: PatternSet::new(),
            defer_on: PatternSet::new(),
            resume_on: PatternSet::new(),
            drain_on: PatternSet::new(),
            clear_on: Vec::new(),
            max_deferral: None,
        }
    }

    /// Sets how many operations run at once. It can be changed while the coordinator runs.
    ///
    /// # Panics
    /// When it is zero; to start nothing for a while, pause.
    #[must_use]
    #[track_caller]
    pub const fn max_concurrency(mut self, operations: usize) -> Self {
        self.max_concurrency = kept(rules::max_concurrency(operations));
        self
    }

    /// Sets how many accepted operations may wait for their start, those that wait for another attempt included.
    ///
    /// # Panics
    /// When it is zero or above Tokio's `Semaphore::MAX_PERMITS`.
    #[must_use]
    #[track_caller]
    pub const fn queue_capacity(mut self, operations: usize) -> Self {
        self.queue_capacity = kept(rules::queue_capacity(operations));
        self
    }

    /// Sets how many operations of one key run at once. With 1, a key's order is the order of enqueueing.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_concurrency_per_key(mut self, operations: usize) -> Self {
        self.max_concurrency_per_key = kept(rules::max_concurrency_per_key(operations));
        self
    }

    /// Sets how many accepted operations of one key may wait for their start.
    ///
    /// # Panics
    /// When it is zero or above Tokio's `Semaphore::MAX_PERMITS`.
    #[must_use]
    #[track_caller]
    pub const fn max_queued_per_key(mut self, operations: usize) -> Self {
        self.max_queued_per_key = Some(kept(rules::max_queued_per_key(operations)));
        self
    }

    /// Sets how many turns a key may save that it could not use, in keyed coordinators: its round was not over when its
    /// work was. It has them in addition when it has work again while it still runs, or when its gate opens.
    #[must_use]
    pub const fn burst(mut self, turns: usize) -> Self {
        self.burst = turns;
        self
    }

    /// Sets how long an operation waits in a lane before it rises to the one above, in priority coordinators.
    ///
    /// # Panics
    /// When it is zero: everything would be in the highest lane.
    #[must_use]
    #[track_caller]
    pub const fn age_after(mut self, wait: Duration) -> Self {
        self.age_after = Some(kept(rules::age_after(wait)));
        self
    }

    /// Sets how many finished operations are remembered; 0 remembers none. Running ones always are.
    #[must_use]
    pub const fn window_size(mut self, operations: usize) -> Self {
        self.window_size = operations;
        self
    }

    /// Sets how long a finished operation is remembered, counted from its finish.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = Some(age);
        self
    }

    /// Remembers finished operations however old they are, as long as the window has room.
    #[must_use]
    pub const fn without_max_age(mut self) -> Self {
        self.max_age = None;
        self
    }

    /// Sets how many operations can be pinned at once; 0 allows none.
    #[must_use]
    pub const fn max_pinned(mut self, operations: usize) -> Self {
        self.max_pinned = operations;
        self
    }

    /// Sets how many signals of operations that left the window are remembered; 0 remembers none.
    #[must_use]
    pub const fn echo_capacity(mut self, signals: usize) -> Self {
        self.echo_capacity = signals;
        self
    }

    /// Sets how long signals of operations that left the window are remembered.
    #[must_use]
    pub const fn echo_retention(mut self, age: Duration) -> Self {
        self.echo_retention = age;
        self
    }

    /// Sets how long a body may go on after `cancel` before it is dropped. Zero drops it at its next suspension.
    #[must_use]
    pub const fn cancel_grace(mut self, grace: Duration) -> Self {
        self.cancel_grace = grace;
        self
    }

    /// While a signal that these patterns mean is raised, operations are skipped instead of started.
    ///
    /// What everything is skipped for needs no slot of the coordinator; behind the bound of its own key or lane an
    /// operation is skipped when it could have started. A keyed signal skips its key only in a keyed coordinator.
    #[must_use]
    pub fn cancel_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.cancel_on = self.cancel_on.and(patterns);
        self
    }

    /// While a signal that these patterns mean is raised, no operation starts.
    ///
    /// A keyed signal defers only its key in a keyed coordinator, and everything elsewhere.
    #[must_use]
    pub fn defer_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.defer_on = self.defer_on.and(patterns);
        self
    }

    /// A signal that these patterns mean lifts a deferral, if it is newer than every signal that defers.
    #[must_use]
    pub fn resume_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.resume_on = self.resume_on.and(patterns);
        self
    }

    /// Sets how long signals may defer an operation, and what becomes of it then.
    ///
    /// The time runs while the operation is queued and the gate is shut. A pause is no deferral.
    #[must_use]
    pub const fn max_deferral(mut self, wait: Duration, then: AfterDeferral) -> Self {
        self.max_deferral = Some((wait, then));
        self
    }

    /// A signal that these patterns mean closes the coordinator when it is raised, also when it is idle. One that was
    /// raised before the coordinator existed does not.
    #[must_use]
    pub fn drain_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.drain_on = self.drain_on.and(patterns);
        self
    }

    /// When a signal that `patterns` mean is raised, the signals that `cleared` mean are cleared from the sink, history
    /// and state. Several rules may be given.
    #[must_use]
    pub fn clear_on(mut self, patterns: impl Into<PatternSet>, cleared: impl Into<PatternSet>) -> Self {
        self.clear_on.push((patterns.into(), cleared.into()));
        self
    }

    /// How many operations may be there at once that were accepted and have not ended:
    /// [`queue_capacity`](Self::queue_capacity) and [`max_concurrency`](Self::max_concurrency) together.
    #[must_use]
    pub const fn most_at_once(&self) -> usize {
        self.queue_capacity.saturating_add(self.max_concurrency)
    }

    /// The first option that differs from these and that a coordinator takes at its start only.
    pub(crate) fn fixed_difference(&self, other: &Self) -> Option<&'static str> {
        let fixed = [
            ("max_concurrency_per_key", self.max_concurrency_per_key == other.max_concurrency_per_key),
            ("max_queued_per_key", self.max_queued_per_key == other.max_queued_per_key),
            ("burst", self.burst == other.burst),
            ("age_after", self.age_after == other.age_after),
            ("cancel_on", self.cancel_on == other.cancel_on),
            ("defer_on", self.defer_on == other.defer_on),
            ("resume_on", self.resume_on == other.resume_on),
            ("drain_on", self.drain_on == other.drain_on),
            ("clear_on", self.clear_on == other.clear_on),
        ];
        fixed.into_iter().find(|(_, is_same)| !is_same).map(|(option, _)| option)
    }

    /// The bound of one key: what was set, else a quarter of the queue, and never less than 1.
    pub(crate) fn queued_per_key(&self) -> usize {
        self.max_queued_per_key.unwrap_or((self.queue_capacity / 4).max(1))
    }
}

impl Default for CoordinatorOptions {
    fn default() -> Self {
        Self::new()
    }
}
