//! Reports kept in memory, for tests.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::client::{Client, Event, Metric, MetricValue};

/// Keeps reports in memory, for tests of what is reported.
///
/// A clone is the same client. Of events, exceptions and metrics it keeps the newest 4,096 each, unless it was made
/// [`with_capacity`](Self::with_capacity). What was raised before a [`flush`](crate::Telemetry::flush) is here after it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread", start_paused = true)] async fn main() {
/// use dayfly_signal::SignalSink;
/// use dayfly_telemetry::{InMemory, Telemetry, TelemetryOptions};
///
/// let (signals, seen) = (SignalSink::default(), InMemory::new());
/// let telemetry = Telemetry::spawn_with(TelemetryOptions::new(), &signals, seen.clone());
/// signals.raise("error.database:connection refused");
/// signals.raise("perf.query:35ms");
/// telemetry.flush().await;
///
/// assert_eq!(seen.events().len(), 2);
/// assert_eq!(seen.exceptions()[0].payload.as_deref(), Some("connection refused"));
/// assert_eq!(seen.values("perf.query"), [0.035]);
/// # }
/// ```
#[derive(Clone)]
pub struct InMemory {
    kept: Arc<Mutex<Kept>>,
}

struct Kept {
    events: VecDeque<Event<'static>>,
    exceptions: VecDeque<Event<'static>>,
    metrics: VecDeque<Metric<'static>>,
    capacity: usize,
}

impl InMemory {
    /// A client that has been told nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::with_capacity(4_096)
    }

    /// One that keeps so many events, exceptions and metrics, and of more of them the newest.
    #[must_use]
    pub fn with_capacity(reports: usize) -> Self {
        let (events, exceptions, metrics) = (VecDeque::new(), VecDeque::new(), VecDeque::new());
        Self { kept: Arc::new(Mutex::new(Kept { events, exceptions, metrics, capacity: reports })) }
    }

    /// The events, oldest first.
    #[must_use]
    pub fn events(&self) -> Vec<Event<'static>> {
        self.lock().events.iter().cloned().collect()
    }

    /// The exceptions, oldest first.
    #[must_use]
    pub fn exceptions(&self) -> Vec<Event<'static>> {
        self.lock().exceptions.iter().cloned().collect()
    }

    /// The metrics, oldest first.
    #[must_use]
    pub fn metrics(&self) -> Vec<Metric<'static>> {
        self.lock().metrics.iter().cloned().collect()
    }

    /// The values of all metrics of this name, whatever their labels, oldest first.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<f64> {
        let kept = self.lock();
        kept.metrics.iter().filter(|metric| metric.name == name).map(|metric| value(metric.value)).collect()
    }

    /// Forgets everything.
    pub fn clear(&self) {
        let mut kept = self.lock();
        kept.events.clear();
        kept.exceptions.clear();
        kept.metrics.clear();
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a test that counts beyond 2^53 reads `metrics`")]
const fn value(value: MetricValue) -> f64 {
    match value {
        MetricValue::Counter(more) => more as f64,
        MetricValue::Gauge(value) | MetricValue::Histogram(value) => value,
    }
}

/// Keeps one more, and at most so many.
fn keep<R>(reports: &mut VecDeque<R>, capacity: usize, report: R) {
    reports.push_back(report);
    while reports.len() > capacity {
        reports.pop_front();
    }
}

impl Client for InMemory {
    fn event(&self, event: &Event<'_>) {
        let kept = &mut *self.lock();
        keep(&mut kept.events, kept.capacity, event.clone().into_owned());
    }

    fn exception(&self, event: &Event<'_>) {
        let kept = &mut *self.lock();
        keep(&mut kept.exceptions, kept.capacity, event.clone().into_owned());
    }

    fn metric(&self, metric: &Metric<'_>) {
        let kept = &mut *self.lock();
        keep(&mut kept.metrics, kept.capacity, metric.clone().into_owned());
    }
}

impl Default for InMemory {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for InMemory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kept = self.lock();
        f.debug_struct("InMemory")
            .field("events", &kept.events.len())
            .field("exceptions", &kept.exceptions.len())
            .field("metrics", &kept.metrics.len())
            .finish()
    }
}
