//! What can be watched: anything that has a coordinator's figures and tells of its operations' ends.

use std::fmt::Display;
use std::hash::Hash;
use std::time::Duration;

use dayfly::{
    Coordinator, KeyedCoordinator, OperationSnapshot, OperationState, PriorityCoordinator, ResultCoordinator,
    StatsHandle,
};

/// What [`Telemetry::watch`](crate::Telemetry::watch) takes: every coordinator, and whatever stands in front of one.
pub trait Watchable {
    /// The figures, without keeping open what they are of.
    fn figures(&self) -> StatsHandle;

    /// Calls `told` with every operation that ends from now on. It is quick and does not panic.
    fn tell_ends(&self, told: impl Fn(OperationEnd) + Send + Sync + 'static);
}

/// How an operation ended, and what it took. Neither its key nor its id is here: nobody labels a metric with them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OperationEnd {
    outcome: &'static str,
    time_in_queue: Option<Duration>,
    duration: Option<Duration>,
}

impl OperationEnd {
    /// The end of a completed operation that took so long: for a [`Watchable`] of one's own.
    #[must_use]
    pub const fn lasting(duration: Duration) -> Self {
        Self { outcome: "completed", time_in_queue: None, duration: Some(duration) }
    }

    /// `completed`, `failed`, `cancelled`, `skipped` or `panicked`.
    #[must_use]
    pub const fn outcome(&self) -> &'static str {
        self.outcome
    }

    /// From acceptance to the start of the first attempt; nothing when it never started, and nothing after a further
    /// attempt: its snapshot does not tell any more when the first one started.
    #[must_use]
    pub const fn time_in_queue(&self) -> Option<Duration> {
        self.time_in_queue
    }

    /// How long the last attempt took; nothing when there was none.
    #[must_use]
    pub const fn duration(&self) -> Option<Duration> {
        self.duration
    }
}

impl<K> From<&OperationSnapshot<K>> for OperationEnd {
    fn from(snapshot: &OperationSnapshot<K>) -> Self {
        let started = snapshot.started_at;
        let time_in_queue = started.filter(|_| snapshot.attempt == 1);
        let time_in_queue = time_in_queue.map(|at| at.saturating_duration_since(snapshot.enqueued_at));
        let duration = started
            .zip(snapshot.finished_at)
            .map(|(started, finished)| finished.saturating_duration_since(started));
        Self { outcome: outcome(snapshot.state), time_in_queue, duration }
    }
}

const fn outcome(state: OperationState) -> &'static str {
    match state {
        OperationState::Completed => "completed",
        OperationState::Failed => "failed",
        OperationState::Cancelled => "cancelled",
        OperationState::Skipped => "skipped",
        OperationState::Panicked => "panicked",
        _ => "other",
    }
}

macro_rules! watchable {
    ([$($generics:ident),*] $coordinator:ty, [$($bounds:tt)*]) => {
        impl<$($generics),*> Watchable for $coordinator
        where
            $($bounds)*
        {
            fn figures(&self) -> StatsHandle {
                self.stats_handle()
            }

            fn tell_ends(&self, told: impl Fn(OperationEnd) + Send + Sync + 'static) {
                self.on_finish(move |snapshot| told(OperationEnd::from(snapshot)));
            }
        }
    };
}

watchable!([T] Coordinator<T>, [T: Send + 'static]);
watchable!([K, T] KeyedCoordinator<K, T>, [K: Eq + Hash + Clone + Send + Sync + 'static, T: Send + 'static]);
watchable!([T] PriorityCoordinator<T>, [T: Send + 'static]);
watchable!([T, V, E] ResultCoordinator<T, V, E>, [T: Send + 'static, V: Send + 'static, E: Display + Send + 'static]);
