//! Lanes of a priority coordinator: what each may do, and how it is named in snapshots.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::kept;
use thiserror::Error;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// One lane of a [`PriorityCoordinator`](crate::PriorityCoordinator), with bounds and gates of its own.
///
/// ```
/// use dayfly::LaneOptions;
///
/// let lanes = [
///     LaneOptions::new("urgent"),
///     LaneOptions::new("bulk").max_queued(10_000).max_concurrency(2).defer_on("load.high"),
/// ];
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it. The fields are the name and the
/// setters; only the name has to be there:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use dayfly::LaneOptions;
/// let lanes: Vec<LaneOptions> = serde_json::from_str(
///     r#"[{ "name": "urgent" }, { "name": "bulk", "max_queued": 10000, "defer_on": "load.high" }]"#,
/// ).unwrap();
/// assert_eq!(lanes[1], LaneOptions::new("bulk").max_queued(10_000).defer_on("load.high"));
///
/// let error = serde_json::from_str::<LaneOptions>(r#"{ "name": "bulk", "max_queued": 0 }"#).unwrap_err();
/// assert!(error.to_string().starts_with("max_queued must be at least 1, but is 0"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LaneOptions {
    pub(crate) name: Cow<'static, str>,
    pub(crate) max_queued: Option<usize>,
    pub(crate) max_concurrency: Option<usize>,
    pub(crate) cancel_on: PatternSet,
    pub(crate) defer_on: PatternSet,
    pub(crate) resume_on: PatternSet,
}

impl LaneOptions {
    /// A lane of this name, bounded and gated only as the coordinator is.
    #[must_use]
    pub fn new(name: impl Into<Cow<'static, str>>) -> Self {
        Self {
            name: name.into(),
            max_queued: None,
            max_concurrency: None,
            cancel_on: PatternSet::new(),
            defer_on: PatternSet::new(),
            resume_on: PatternSet::new(),
        }
    }

    /// Sets how many accepted operations of the lane may wait for their start.
    ///
    /// # Panics
    /// When it is zero or above Tokio's `Semaphore::MAX_PERMITS`.
    #[must_use]
    #[track_caller]
    pub const fn max_queued(mut self, operations: usize) -> Self {
        self.max_queued = Some(kept(rules::max_queued(operations)));
        self
    }

    /// Sets how many operations of the lane run at once.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_concurrency(mut self, operations: usize) -> Self {
        self.max_concurrency = Some(kept(rules::max_concurrency(operations)));
        self
    }

    /// While a signal that these patterns mean is raised, operations of the lane are skipped instead of started.
    #[must_use]
    pub fn cancel_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.cancel_on = self.cancel_on.and(patterns);
        self
    }

    /// While a signal that these patterns mean is raised, no operation of the lane starts.
    #[must_use]
    pub fn defer_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.defer_on = self.defer_on.and(patterns);
        self
    }

    /// A signal that these patterns mean lifts the lane's deferral, if it is newer than every signal that defers it.
    #[must_use]
    pub fn resume_on(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.resume_on = self.resume_on.and(patterns);
        self
    }
}

/// A lane as snapshots name it. The first lane has index 0 and the highest priority.
#[derive(Clone)]
pub struct Lane {
    pub(crate) index: usize,
    pub(crate) name: Arc<str>,
}

impl Lane {
    /// Its place, 0 being the highest priority.
    #[must_use]
    pub const fn index(&self) -> usize {
        self.index
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }
}

// A lane's name follows from its place.
impl PartialEq for Lane {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index
    }
}

impl Eq for Lane {}

impl Hash for Lane {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
    }
}

impl fmt::Debug for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lane({}: {})", self.index, self.name)
    }
}

impl fmt::Display for Lane {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// Why these lanes make no priority coordinator.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LanesError {
    /// There is no lane.
    #[error("a priority coordinator needs at least one lane")]
    Empty,
    /// A lane's name is blank.
    #[error("the name of lane {index} is blank")]
    Blank {
        /// The place of the lane, counted from 0.
        index: usize,
    },
    /// Two lanes have the same name.
    #[error("two lanes are named `{name}`")]
    Duplicate {
        /// The name.
        name: String,
    },
}

/// Gives each lane its place, after checking the names.
pub(crate) fn arrange(lanes: &[LaneOptions]) -> Result<Vec<Lane>, LanesError> {
    if lanes.is_empty() {
        return Err(LanesError::Empty);
    }
    for (index, lane) in lanes.iter().enumerate() {
        if lane.name.trim().is_empty() {
            return Err(LanesError::Blank { index });
        }
        if lanes[..index].iter().any(|earlier| earlier.name == lane.name) {
            return Err(LanesError::Duplicate { name: lane.name.to_string() });
        }
    }
    let named = lanes.iter().enumerate();
    Ok(named.map(|(index, lane)| Lane { index, name: Arc::from(&*lane.name) }).collect())
}
