//! Which signals gate, and for how long they may.

use std::time::Duration;

use dayfly_signal::{GateRules, PatternSet};

#[cfg(feature = "serde")]
mod form;

/// Which signals gate, and for how long they may.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`cancel_on`](Self::cancel_on) | none | signals that refuse while they are raised |
/// | [`defer_on`](Self::defer_on) | none | signals that make wait while they are raised |
/// | [`resume_on`](Self::resume_on) | none | signals that lift a deferral, when they are newer |
/// | [`max_deferral`](Self::max_deferral) | none | how long signals may defer, and what then |
/// | [`keyed`](Self::keyed) | no | whether a keyed signal gates its key only |
///
/// ```
/// use std::time::Duration;
/// use dayfly_signal_aware::{AfterDeferral, GateOptions};
///
/// let options = GateOptions::new()
///     .cancel_on("shutdown")
///     .defer_on("backpressure.*, circuit.open.*")
///     .max_deferral(Duration::from_secs(30), AfterDeferral::Refuse);
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it. The fields are the setters, what is
/// absent has its default, and what is unknown is an error:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_signal_aware::{AfterDeferral, GateOptions};
/// let options: GateOptions = toml::from_str(
///     r#"
///     cancel_on = "shutdown"
///     defer_on = ["backpressure.*", "circuit.open.*"]
///     max_deferral = { wait = "30s", then = "refuse" }
///     "#,
/// ).unwrap();
/// let same = GateOptions::new()
///     .cancel_on("shutdown")
///     .defer_on("backpressure.*, circuit.open.*")
///     .max_deferral(Duration::from_secs(30), AfterDeferral::Refuse);
/// assert_eq!(options, same);
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct GateOptions {
    cancel_on: PatternSet,
    defer_on: PatternSet,
    resume_on: PatternSet,
    pub(crate) max_deferral: Option<(Duration, AfterDeferral)>,
    keyed: bool,
}

/// What becomes of who has been deferred for as long as signals may.
///
/// With the feature `serde`, configuration writes `"pass"` or `"refuse"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "snake_case"))]
pub enum AfterDeferral {
    /// It passes, whatever defers it.
    Pass,
    /// It is refused, as [`Refused::Overdue`](crate::Refused::Overdue).
    Refuse,
}

impl GateOptions {
    /// The defaults of the table above: everything passes.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            cancel_on: PatternSet::new(),
            defer_on: PatternSet::new(),
            resume_on: PatternSet::new(),
            max_deferral: None,
            keyed: false,
        }
    }

    /// While a signal that these patterns mean is raised, everybody is refused.
    #[must_use]
    pub fn cancel_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.cancel_on = self.cancel_on.and(patterns);
        self
    }

    /// While a signal that these patterns mean is raised, everybody waits.
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

    /// Sets how long signals may defer somebody, and what becomes of it then. It can be changed while the gate is used.
    ///
    /// The time runs for each by itself, while it waits and the gate is shut for it without a break. Zero lets nobody
    /// wait.
    #[must_use]
    pub const fn max_deferral(mut self, wait: Duration, then: AfterDeferral) -> Self {
        self.max_deferral = Some((wait, then));
        self
    }

    /// Lets signals defer for as long as they are raised.
    #[must_use]
    pub const fn without_max_deferral(mut self) -> Self {
        self.max_deferral = None;
        self
    }

    /// Sets whether a keyed signal gates only who passes with that key. Otherwise it gates everybody.
    #[must_use]
    pub const fn keyed(mut self, keyed: bool) -> Self {
        self.keyed = keyed;
        self
    }

    pub(crate) const fn is_keyed(&self) -> bool {
        self.keyed
    }

    /// The rules that the gate shares with the coordinators.
    pub(crate) fn rules(&self) -> GateRules {
        GateRules::new()
            .cancel_on(&self.cancel_on)
            .defer_on(&self.defer_on)
            .resume_on(&self.resume_on)
            .keyed(self.keyed)
    }

    /// The first option that differs from these and that a gate takes at its start only.
    pub(crate) fn fixed_difference(&self, other: &Self) -> Option<&'static str> {
        let fixed = [
            ("cancel_on", self.cancel_on == other.cancel_on),
            ("defer_on", self.defer_on == other.defer_on),
            ("resume_on", self.resume_on == other.resume_on),
            ("keyed", self.keyed == other.keyed),
        ];
        fixed.into_iter().find(|(_, is_same)| !is_same).map(|(option, _)| option)
    }
}

impl Default for GateOptions {
    fn default() -> Self {
        Self::new()
    }
}
