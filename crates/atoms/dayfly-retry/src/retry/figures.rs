//! Attempts as figures of the facade `metrics`: each one once, by what came of it.

use std::fmt;
use std::sync::{Arc, LazyLock};

use dayfly::contain::contain;
use metrics::{Key, KeyName, Label, Level, Metadata, Recorder, Unit, with_recorder};

use crate::GaveUp;

/// What is counted. The name is binding: dashboards are built on it.
const ATTEMPTS: &str = "dayfly.retry.attempts";

const METADATA: Metadata<'static> = Metadata::new(module_path!(), Level::INFO, Some(module_path!()));

/// What came of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    Succeeded,
    Retried,
    NotRetryable,
    AttemptsExhausted,
    DeadlineExceeded,
    BudgetExhausted,
    Cancelled,
    Dropped,
}

/// The series of one name, made once: counting costs the recorder's look-up and nothing of ours.
#[derive(Clone)]
pub(super) struct Figures(Arc<[Key; Came::ALL.len()]>);

/// An attempt of which nobody knows yet what comes of it. Dropped like that, it came to nothing: whoever waited for it went
/// away, or it panicked.
#[must_use = "dropped, it counts as dropped"]
pub(super) struct UnderWay<'a>(Option<&'a Figures>);

/// The series of all who have no name.
static NAMELESS: LazyLock<Figures> = LazyLock::new(|| Figures::labelled(None));

impl Came {
    const ALL: [Self; 8] = [
        Self::Succeeded,
        Self::Retried,
        Self::NotRetryable,
        Self::AttemptsExhausted,
        Self::DeadlineExceeded,
        Self::BudgetExhausted,
        Self::Cancelled,
        Self::Dropped,
    ];

    const fn outcome(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Retried => "retried",
            Self::NotRetryable => "not_retryable",
            Self::AttemptsExhausted => "attempts_exhausted",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::BudgetExhausted => "budget_exhausted",
            Self::Cancelled => "cancelled",
            Self::Dropped => "dropped",
        }
    }
}

impl Figures {
    pub(super) fn nameless() -> Self {
        NAMELESS.clone()
    }

    pub(super) fn named(name: &str) -> Self {
        Self::labelled(Some(name))
    }

    fn labelled(name: Option<&str>) -> Self {
        tell(|recorder| {
            let text = "attempts that have ended, by what came of them";
            recorder.describe_counter(KeyName::from_const_str(ATTEMPTS), Some(Unit::Count), text.into());
        });
        let name = name.map(|name| Label::new("retry", name.to_owned()));
        let key = |came: Came| {
            let outcome = Label::new("outcome", came.outcome());
            Key::from_parts(ATTEMPTS, name.iter().cloned().chain([outcome]).collect::<Vec<_>>())
        };
        Self(Arc::new(Came::ALL.map(key)))
    }

    /// An attempt begins, or has ended and is to be judged.
    #[inline]
    pub(super) const fn under_way(&self) -> UnderWay<'_> {
        UnderWay(Some(self))
    }

    fn count(&self, came: Came) {
        let key = &self.0[came as usize];
        tell(|recorder| recorder.register_counter(key, &METADATA).increment(1));
    }
}

impl UnderWay<'_> {
    /// It succeeded.
    #[inline]
    pub(super) fn succeeded(self) {
        self.came_to(Came::Succeeded);
    }

    /// It failed: another one follows, or why not.
    pub(super) fn settled<T>(self, settled: &Result<T, GaveUp>) {
        self.came_to(match settled {
            Ok(_) => Came::Retried,
            Err(GaveUp::NotRetryable) => Came::NotRetryable,
            Err(GaveUp::AttemptsExhausted) => Came::AttemptsExhausted,
            Err(GaveUp::DeadlineExceeded) => Came::DeadlineExceeded,
            Err(GaveUp::BudgetExhausted) => Came::BudgetExhausted,
            Err(GaveUp::Cancelled) => Came::Cancelled,
        });
    }

    fn came_to(mut self, came: Came) {
        if let Some(figures) = self.0.take() {
            figures.count(came);
        }
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(figures) = self.0.take() {
            figures.count(Came::Dropped);
        }
    }
}

/// The recorder is foreign code; its panic costs one figure and no call.
fn tell(told: impl FnOnce(&dyn Recorder)) {
    let _told = contain(|| with_recorder(told));
}

impl fmt::Debug for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Figures").finish_non_exhaustive()
    }
}
