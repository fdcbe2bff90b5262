//! The facades hear what a client hears, under the names that dashboards are built on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use dayfly::{Coordinator, CoordinatorOptions};
use dayfly_signal::{Draft, SignalSink};
use dayfly_telemetry::{Telemetry, TelemetryOptions};
use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder,
    SharedString, Unit,
};
use tracing::Level;

use crate::capture::Capture;

/// A recorder that adds up what it is told.
#[derive(Clone, Default)]
struct Recording {
    figures: Arc<Mutex<BTreeMap<String, f64>>>,
    units: Arc<Mutex<BTreeMap<String, Unit>>>,
}

struct Figure(Recording, String);

impl Recording {
    fn figure(&self, key: &Key) -> Arc<Figure> {
        let labels: Vec<String> =
            key.labels().map(|label| format!("{}={}", label.key(), label.value())).collect();
        Arc::new(Figure(self.clone(), format!("{}{{{}}}", key.name(), labels.join(","))))
    }

    fn describe(&self, name: &KeyName, unit: Option<Unit>) {
        self.units.lock().unwrap().insert(name.as_str().to_owned(), unit.unwrap());
    }
}

impl Figure {
    fn add(&self, more: f64) {
        *self.0.figures.lock().unwrap().entry(self.1.clone()).or_default() += more;
    }
}

impl CounterFn for Figure {
    fn increment(&self, more: u64) {
        self.add(f64::from(u32::try_from(more).unwrap()));
    }

    fn absolute(&self, _: u64) {
        unreachable!("counts are told by increments");
    }
}

impl GaugeFn for Figure {
    fn increment(&self, more: f64) {
        self.add(more);
    }

    fn decrement(&self, less: f64) {
        self.add(-less);
    }

    fn set(&self, level: f64) {
        self.0.figures.lock().unwrap().insert(self.1.clone(), level);
    }
}

impl HistogramFn for Figure {
    fn record(&self, value: f64) {
        self.add(value);
    }
}

impl Recorder for Recording {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, _: SharedString) {
        self.describe(&name, unit);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.figure(key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(self.figure(key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(self.figure(key))
    }
}

#[tokio::test(start_paused = true)]
async fn signals_are_events_of_tracing() {
    let (capture, _guard) = Capture::start();
    let signals = SignalSink::default();
    let telemetry = Telemetry::spawn(TelemetryOptions::new(), &signals);
    signals.raise(Draft::from("error.database:timeout").key("acme"));
    signals.retract("error.database");
    telemetry.flush().await;

    let events = capture.events();
    let seen: Vec<_> = events.iter().map(|event| (event.target.as_str(), event.level)).collect();
    let (signal, exception) = ("dayfly::signal", "dayfly::exception");
    assert_eq!(seen, [(signal, Level::INFO), (exception, Level::ERROR)]);
    let fields = &events[0].fields;
    assert_eq!(fields.get("message"), Some("error.database"));
    assert_eq!(fields.get("signal.name"), Some("error.database"));
    assert_eq!((fields.get("signal.kind"), fields.get("signal.key")), (Some("raised"), Some("acme")));
    assert_eq!((fields.get("signal.payload"), fields.get("signal.id")), (Some("timeout"), Some("1")));
    assert_eq!(fields.get("operation.id"), None);
    assert_eq!(events[1].fields.get("exception.type"), Some("error.database"));
    assert_eq!(events[1].fields.get("exception.message"), Some("timeout"));

    signals.raise("mode");
    signals.retract("mode");
    telemetry.flush().await;
    let kinds: Vec<_> = capture.events()[2..]
        .iter()
        .map(|event| event.fields.get("signal.kind").unwrap().to_owned())
        .collect();
    assert_eq!(kinds, ["raised", "retracted"]);
}

#[tokio::test(start_paused = true)]
async fn figures_have_the_names_and_units_that_are_promised() {
    let recording = Recording::default();
    let _guard = metrics::set_default_local_recorder(&recording);
    let signals = SignalSink::default();
    let telemetry = Telemetry::spawn(TelemetryOptions::new(), &signals);
    let work =
        Coordinator::spawn(CoordinatorOptions::new().max_concurrency(1), &signals, |_: u32, _| async {
            tokio::time::sleep(std::time::Duration::from_secs(2)).await;
        });
    telemetry.watch("work", &work);
    for item in [1, 2] {
        work.enqueue(item).await.unwrap();
    }
    work.drain().await;
    signals.raise("perf.query:35ms");
    signals.raise("perf.depth:7");
    telemetry.shutdown().await;

    let figures = recording.figures.lock().unwrap().clone();
    let expected = [
        ("dayfly.coordinator.active_operations{coordinator=work}", 0.0),
        ("dayfly.coordinator.operation.duration{coordinator=work,outcome=completed}", 4.0),
        ("dayfly.coordinator.operation.time_in_queue{coordinator=work}", 2.0),
        ("dayfly.coordinator.operations{coordinator=work,outcome=completed}", 2.0),
        ("dayfly.coordinator.queue.size{coordinator=work}", 0.0),
        ("dayfly.signal.raised{}", 2.0),
        ("perf.depth{}", 7.0),
        ("perf.query{}", 0.035),
    ];
    let figures: Vec<(&str, f64)> = figures.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    assert_eq!(figures, expected);
    let units = recording.units.lock().unwrap();
    for (name, unit) in [
        ("dayfly.coordinator.operation.duration", Unit::Seconds),
        ("dayfly.coordinator.operation.time_in_queue", Unit::Seconds),
        ("perf.query", Unit::Seconds),
        ("perf.depth", Unit::Count),
        ("dayfly.coordinator.operations", Unit::Count),
    ] {
        assert_eq!(units[name], unit, "{name}");
    }
}
