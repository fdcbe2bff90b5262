//! Reports as events of `tracing` and figures of `metrics`, for whatever subscriber and recorder there are.

use std::sync::{Mutex, PoisonError};

use dayfly_signal::{OperationId, SignalKind};
use hashbrown::HashSet;
use metrics::{Label, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

use crate::client::{Client, Event, Metric, MetricUnit, MetricValue};
use crate::names;

/// Hands reports to `tracing` and to the facade `metrics`: the client of every [`Telemetry`](crate::Telemetry) that is not
/// given another one.
///
/// | report | where it goes |
/// |---|---|
/// | a signal | an event of target `dayfly::signal`, level info; its name is the message, and the fields are `signal.name`, `signal.id`, `signal.kind`, `signal.key`, `signal.payload` and `operation.id` |
/// | `error.*` | one more event of target `dayfly::exception`, level error, with `exception.type` and `exception.message` as OpenTelemetry names them |
/// | a figure | a counter, gauge or histogram of the recorder that is installed when it is reported |
#[derive(Debug, Default)]
pub struct Facade {
    /// The series that were described: as many as there are, which is bounded.
    described: Mutex<HashSet<Box<str>>>,
}

impl Facade {
    /// A client that hands on what it is told.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tells the recorder the unit of a name, the first time.
    fn describe(&self, metric: &Metric<'_>) {
        let mut described = self.described.lock().unwrap_or_else(PoisonError::into_inner);
        if described.contains(&*metric.name) {
            return;
        }
        described.insert((&*metric.name).into());
        drop(described);
        let unit = match metric.unit {
            MetricUnit::None => metrics::Unit::Count,
            MetricUnit::Seconds => metrics::Unit::Seconds,
        };
        let text = names::description(&metric.name);
        let name = metric.name.clone().into_owned();
        match metric.value {
            MetricValue::Counter(_) => describe_counter!(name, unit, text),
            MetricValue::Gauge(_) => describe_gauge!(name, unit, text),
            MetricValue::Histogram(_) => describe_histogram!(name, unit, text),
        }
    }
}

impl Client for Facade {
    fn event(&self, event: &Event<'_>) {
        let kind = match event.kind {
            SignalKind::Retracted => "retracted",
            _ => "raised",
        };
        let name = &*event.name;
        tracing::info!(
            target: "dayfly::signal",
            { "signal.name" = name,
            "signal.id" = event.signal.get(),
            "signal.kind" = kind,
            "signal.key" = event.key.as_deref(),
            "signal.payload" = event.payload.as_deref(),
            "operation.id" = event.operation.map(OperationId::get) },
            "{name}"
        );
    }

    fn exception(&self, event: &Event<'_>) {
        tracing::error!(
            target: "dayfly::exception",
            { "exception.type" = &*event.name,
            "exception.message" = event.payload.as_deref(),
            "signal.id" = event.signal.get(),
            "operation.id" = event.operation.map(OperationId::get) },
            "exception"
        );
    }

    fn metric(&self, metric: &Metric<'_>) {
        self.describe(metric);
        let name = metric.name.clone().into_owned();
        let labels = metric.labels.iter().map(|(name, value)| Label::new(*name, value.to_string()));
        let labels: Vec<Label> = labels.collect();
        match metric.value {
            MetricValue::Counter(more) => counter!(name, labels).increment(more),
            MetricValue::Gauge(level) => gauge!(name, labels).set(level),
            MetricValue::Histogram(value) => histogram!(name, labels).record(value),
        }
    }
}
