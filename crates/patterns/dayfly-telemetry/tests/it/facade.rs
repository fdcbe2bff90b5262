//! The facades hear what a client hears, under the names that dashboards are built on.

use dayfly::{Coordinator, CoordinatorOptions};
use dayfly_signal::{Draft, SignalSink};
use dayfly_telemetry::{Telemetry, TelemetryOptions};
use dayfly_testing::Figures;
use metrics::Unit;
use tracing::Level;

use crate::capture::Capture;

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
    let figures = Figures::new();
    let _guard = metrics::set_default_local_recorder(&figures);
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

    let expected = [
        ("dayfly.coordinator.active_operations{coordinator=work}", 0.0),
        ("dayfly.coordinator.operation.duration{coordinator=work,outcome=completed}", 2.0),
        ("dayfly.coordinator.operation.time_in_queue{coordinator=work}", 2.0),
        ("dayfly.coordinator.operations{coordinator=work,outcome=completed}", 2.0),
        ("dayfly.coordinator.queue.size{coordinator=work}", 0.0),
        ("dayfly.signal.raised{}", 2.0),
        ("perf.depth{}", 1.0),
        ("perf.query{}", 1.0),
    ];
    assert_eq!(figures.all(), expected.map(|(name, value)| (name.to_owned(), value)));
    for (name, sum) in [
        ("dayfly.coordinator.operation.duration{coordinator=work,outcome=completed}", 4.0),
        ("dayfly.coordinator.operation.time_in_queue{coordinator=work}", 2.0),
        ("perf.depth{}", 7.0),
        ("perf.query{}", 0.035),
    ] {
        assert!((figures.sum(name) - sum).abs() < f64::EPSILON, "{name}");
    }
    for (name, unit) in [
        ("dayfly.coordinator.operation.duration", Unit::Seconds),
        ("dayfly.coordinator.operation.time_in_queue", Unit::Seconds),
        ("perf.query", Unit::Seconds),
        ("perf.depth", Unit::Count),
        ("dayfly.coordinator.operations", Unit::Count),
    ] {
        assert_eq!(figures.unit(name), Some(unit), "{name}");
    }
}
