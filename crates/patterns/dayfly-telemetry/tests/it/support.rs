//! What several modules need.

use dayfly_signal::{SignalOptions, SignalSink};
use dayfly_telemetry::{Client, Event, InMemory, Metric, MetricValue, Telemetry, TelemetryOptions};

/// Telemetry over a sink of its own, and what it reports.
pub(crate) fn reporting(options: TelemetryOptions) -> (SignalSink, Telemetry, InMemory) {
    let (signals, seen) = (SignalSink::new(SignalOptions::new()), InMemory::new());
    let telemetry = Telemetry::spawn_with(options, &signals, seen.clone());
    (signals, telemetry, seen)
}

pub(crate) fn raise_all(signals: &SignalSink, texts: &[&str]) {
    for text in texts {
        signals.raise(*text);
    }
}

pub(crate) fn names(events: &[Event<'_>]) -> Vec<String> {
    events.iter().map(|event| event.name.to_string()).collect()
}

/// The sum of a counter with these labels.
pub(crate) fn counted(seen: &InMemory, name: &str, labels: &[(&str, &str)]) -> u64 {
    let metrics = seen.metrics();
    let meant = metrics.iter().filter(|metric| {
        metric.name == name && labels.iter().all(|(label, value)| metric.get(label) == Some(*value))
    });
    meant
        .map(|metric| match metric.value {
            MetricValue::Counter(more) => more,
            other => panic!("{name} is no counter: {other:?}"),
        })
        .sum()
}

/// A client that calls the given closure with the name of each report.
pub(crate) struct Calling<F>(pub(crate) F);

impl<F: Fn(&str) + Send + Sync + 'static> Client for Calling<F> {
    fn event(&self, event: &Event<'_>) {
        (self.0)(&event.name);
    }

    fn exception(&self, event: &Event<'_>) {
        (self.0)(&format!("exception {}", event.name));
    }

    fn metric(&self, metric: &Metric<'_>) {
        (self.0)(&format!("metric {}", metric.name));
    }
}
