//! Looking back: which events of the history are meant.

use tokio::time::Instant;

use crate::signal::Label;
use crate::{OperationId, PatternSet, Signal, SignalId};

/// Which events of the history are meant. What is not set means every event.
///
/// A text or a [`PatternSet`] becomes a query by name.
///
/// ```
/// use dayfly_signal::{Draft, Query, SignalSink};
///
/// let signals = SignalSink::default();
/// signals.raise(Draft::from("order.paid").key("7"));
/// signals.raise("order.paid");
/// assert!(signals.has("order.*"));
/// assert_eq!(signals.history(Query::new().name("order.paid").key("7")).len(), 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    patterns: Option<PatternSet>,
    name: Option<String>,
    key: Option<String>,
    operation: Option<OperationId>,
    after: Option<SignalId>,
    since: Option<Instant>,
    until: Option<Instant>,
}

impl Query {
    /// Every event.
    #[must_use]
    pub const fn new() -> Self {
        Self { patterns: None, name: None, key: None, operation: None, after: None, since: None, until: None }
    }

    /// Only events with exactly this name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Only events whose names these patterns mean.
    #[must_use]
    pub fn matching(mut self, patterns: impl Into<PatternSet>) -> Self {
        self.patterns = Some(patterns.into());
        self
    }

    /// Only events with this key.
    #[must_use]
    pub fn key(mut self, key: impl Into<String>) -> Self {
        self.key = Some(key.into());
        self
    }

    /// Only events that this operation raised.
    #[must_use]
    pub const fn operation(mut self, operation: OperationId) -> Self {
        self.operation = Some(operation);
        self
    }

    /// Only events after this one.
    #[must_use]
    pub const fn after(mut self, seen: SignalId) -> Self {
        self.after = Some(seen);
        self
    }

    /// Only events at or after this instant.
    #[must_use]
    pub const fn since(mut self, start: Instant) -> Self {
        self.since = Some(start);
        self
    }

    /// Only events at or after `start` and before `end`.
    #[must_use]
    pub const fn between(mut self, start: Instant, end: Instant) -> Self {
        self.since = Some(start);
        self.until = Some(end);
        self
    }

    /// Whether this event is meant: for those who keep events of their own.
    #[must_use]
    pub fn selects(&self, event: &Signal) -> bool {
        event.id.0 > self.first() && self.means(&event.label, event.operation, || event.at)
    }

    pub(crate) fn first(&self) -> u64 {
        self.after.map_or(0, SignalId::get)
    }

    /// Whether an event is meant. When it was raised is asked for only where it matters.
    pub(crate) fn means(
        &self,
        label: &Label,
        operation: Option<OperationId>,
        at: impl Fn() -> Instant,
    ) -> bool {
        self.patterns.as_ref().is_none_or(|patterns| patterns.matches(&label.name))
            && self.name.as_deref().is_none_or(|name| *label.name == *name)
            && self.key.as_deref().is_none_or(|key| label.key.as_deref() == Some(key))
            && self.operation.is_none_or(|meant| operation == Some(meant))
            && self.since.is_none_or(|start| at() >= start)
            && self.until.is_none_or(|end| at() < end)
    }
}

impl<P: Into<PatternSet>> From<P> for Query {
    fn from(patterns: P) -> Self {
        Self::new().matching(patterns)
    }
}
