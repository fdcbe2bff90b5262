//! Where reports go: one trait, and what it is told.

use std::borrow::Cow;
use std::sync::Arc;

use dayfly_signal::{OperationId, SignalId, SignalKind};
use tokio::time::Instant;

/// Takes reports. [`Facade`](crate::Facade) hands them to `tracing` and `metrics`, [`InMemory`](crate::InMemory) keeps them
/// for tests, and anything else can stand in their place.
///
/// Calls come from one task, one after the other, and must not block: what takes long belongs into a queue of the client's
/// own. A call that panics costs its report only, and is counted as [`failed`](crate::Figures::failed).
pub trait Client: Send + Sync + 'static {
    /// A signal was raised or taken back.
    fn event(&self, event: &Event<'_>);

    /// An `error.*` signal was raised: the name says what kind of error it is, the payload is its message. Its event was
    /// reported just before, unless it was left out by sampling.
    fn exception(&self, event: &Event<'_>);

    /// A figure: the payload of a `perf.*` signal, or something about a watched coordinator.
    fn metric(&self, metric: &Metric<'_>);
}

/// A signal as it may be shown: what is redacted is not in it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event<'a> {
    /// The signal's place in its sink.
    pub signal: SignalId,
    /// Its name.
    pub name: Cow<'a, str>,
    /// Its key, or [`REDACTED`].
    pub key: Option<Cow<'a, str>>,
    /// Its payload, or [`REDACTED`].
    pub payload: Option<Cow<'a, str>>,
    /// The operation that raised it.
    pub operation: Option<OperationId>,
    /// Whether it was raised or taken back.
    pub kind: SignalKind,
    /// When that happened, on Tokio's clock.
    pub at: Instant,
}

/// What stands in the place of a key or a payload that is not shown.
pub const REDACTED: &str = "[redacted]";

/// One figure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Metric<'a> {
    /// Its name, such as `dayfly.coordinator.operations`, or that of a `perf.*` signal.
    pub name: Cow<'a, str>,
    /// What kind of figure it is, and the figure.
    pub value: MetricValue,
    /// What it is measured in.
    pub unit: MetricUnit,
    /// Names with their values. None of them is a key, a URL or an id.
    pub labels: Vec<(&'static str, Cow<'a, str>)>,
}

/// A figure of one of three kinds.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum MetricValue {
    /// So many more since the last report.
    Counter(u64),
    /// So many at this moment.
    Gauge(f64),
    /// One value of a distribution.
    Histogram(f64),
}

/// What a figure is measured in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum MetricUnit {
    /// Nothing: a count, a share, or what only the name tells.
    None,
    /// Seconds.
    Seconds,
}

impl Event<'_> {
    /// The same, without a loan.
    #[must_use]
    pub fn into_owned(self) -> Event<'static> {
        Event {
            name: owned(self.name),
            key: self.key.map(owned),
            payload: self.payload.map(owned),
            signal: self.signal,
            operation: self.operation,
            kind: self.kind,
            at: self.at,
        }
    }
}

impl<'a> Metric<'a> {
    pub(crate) fn new(name: impl Into<Cow<'a, str>>, value: MetricValue, unit: MetricUnit) -> Self {
        Self { name: name.into(), value, unit, labels: Vec::new() }
    }

    pub(crate) fn label(mut self, name: &'static str, value: impl Into<Cow<'a, str>>) -> Self {
        self.labels.push((name, value.into()));
        self
    }

    /// The value of a label, if there is one of this name.
    #[must_use]
    pub fn get(&self, label: &str) -> Option<&str> {
        self.labels.iter().find(|(name, _)| *name == label).map(|(_, value)| &**value)
    }

    /// The same, without a loan.
    #[must_use]
    pub fn into_owned(self) -> Metric<'static> {
        let labels = self.labels.into_iter().map(|(name, value)| (name, owned(value)));
        Metric { name: owned(self.name), value: self.value, unit: self.unit, labels: labels.collect() }
    }
}

fn owned(text: Cow<'_, str>) -> Cow<'static, str> {
    Cow::Owned(text.into_owned())
}

impl<C: Client + ?Sized> Client for Arc<C> {
    fn event(&self, event: &Event<'_>) {
        (**self).event(event);
    }

    fn exception(&self, event: &Event<'_>) {
        (**self).exception(event);
    }

    fn metric(&self, metric: &Metric<'_>) {
        (**self).metric(metric);
    }
}
