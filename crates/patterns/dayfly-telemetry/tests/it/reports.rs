//! Every signal is an event, an error an exception too, and a figure a metric of its payload.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_signal::{Draft, OperationId, SignalKind, SignalSink};
use dayfly_telemetry::{InMemory, MetricUnit, MetricValue, REDACTED, Telemetry, TelemetryOptions};

use crate::support::{counted, names, raise_all, reporting};

#[tokio::test(start_paused = true)]
async fn every_signal_is_an_event_in_order() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    raise_all(&signals, &["order.paid", "error.database:timeout", "perf.query:35ms", "order.paid"]);
    telemetry.flush().await;
    let events = seen.events();
    assert_eq!(names(&events), ["order.paid", "error.database", "perf.query", "order.paid"]);
    assert!(events.windows(2).all(|pair| pair[0].signal < pair[1].signal));
    assert!(events.iter().all(|event| event.kind == SignalKind::Raised));
}

#[tokio::test(start_paused = true)]
async fn an_event_says_who_raised_what_under_which_key() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let operation = OperationId::next();
    signals.source(operation).raise(Draft::from("order.paid:12 eur").key("acme"));
    telemetry.flush().await;
    let event = &seen.events()[0];
    assert_eq!(event.operation, Some(operation));
    assert_eq!((event.key.as_deref(), event.payload.as_deref()), (Some("acme"), Some("12 eur")));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_an_exception_with_its_payload_as_the_message() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    raise_all(&signals, &["error.database:timeout", "error", "errors.x", "circuit.error.x", "error.bare"]);
    telemetry.flush().await;
    let exceptions = seen.exceptions();
    assert_eq!(names(&exceptions), ["error.database", "error.bare"]);
    assert_eq!(exceptions[0].payload.as_deref(), Some("timeout"));
    assert_eq!(exceptions[1].payload, None);
    assert_eq!(seen.events().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_figure_is_a_metric_in_seconds_or_a_plain_number() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    raise_all(&signals, &["perf.query:35ms", "perf.depth:12", "perf.query:2s", "perf.odd:soon", "perf.bare"]);
    telemetry.flush().await;
    assert_eq!(seen.values("perf.query"), [0.035, 2.0]);
    assert_eq!(seen.values("perf.depth"), [12.0]);
    let metrics = seen.metrics();
    assert!(
        metrics
            .iter()
            .filter(|metric| metric.name.starts_with("perf."))
            .all(|metric| { matches!(metric.value, MetricValue::Histogram(_)) && metric.labels.is_empty() })
    );
    assert_eq!(metrics.iter().find(|metric| metric.name == "perf.query").unwrap().unit, MetricUnit::Seconds);
    assert_eq!(metrics.iter().find(|metric| metric.name == "perf.depth").unwrap().unit, MetricUnit::None);
    assert_eq!(telemetry.figures().unmeasured, 2);
    assert_eq!(seen.events().len(), 5, "what is no figure is an event all the same");
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_is_an_event_and_no_exception() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    signals.raise("error.x");
    signals.retract("error.x");
    drop(signals.hold("perf.mode"));
    telemetry.flush().await;
    let kinds: Vec<SignalKind> = seen.events().iter().map(|event| event.kind).collect();
    let (raised, retracted) = (SignalKind::Raised, SignalKind::Retracted);
    assert_eq!(kinds, [raised, retracted, raised, retracted]);
    assert_eq!(seen.exceptions().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn only_the_signals_that_are_asked_for_are_reported() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().signals("order.*").signals("error.*"));
    raise_all(&signals, &["order.paid", "cache.hit", "error.x"]);
    telemetry.flush().await;
    assert_eq!(names(&seen.events()), ["order.paid", "error.x"]);
    assert_eq!(telemetry.figures().received, 2);
}

#[tokio::test(start_paused = true)]
async fn what_is_redacted_reaches_no_client_by_any_way() {
    let options = TelemetryOptions::new()
        .redact_payload_of("error.login, perf.salary")
        .redact_payload_like("*token=*")
        .redact_key_of("customer.*");
    let (signals, telemetry, seen) = reporting(options);
    raise_all(
        &signals,
        &["error.login:hunter2", "perf.salary:9000", "http.request:GET /?token=abc", "perf.ok:1"],
    );
    signals.raise(Draft::from("customer.seen:today").key("Jane"));
    signals.raise(Draft::from("order.paid").key("7"));
    telemetry.flush().await;

    let everything = format!("{:?} {:?} {:?}", seen.events(), seen.exceptions(), seen.metrics());
    for secret in ["hunter2", "9000", "token=abc", "Jane"] {
        assert!(!everything.contains(secret), "{secret} in {everything}");
    }
    let events = seen.events();
    assert_eq!(events[0].payload.as_deref(), Some(REDACTED));
    assert_eq!(seen.exceptions()[0].payload.as_deref(), Some(REDACTED));
    assert_eq!(events[2].payload.as_deref(), Some(REDACTED));
    assert_eq!((events[4].key.as_deref(), events[4].payload.as_deref()), (Some(REDACTED), Some("today")));
    assert_eq!((events[5].key.as_deref(), events[5].payload.as_deref()), (Some("7"), None));
    assert_eq!(seen.values("perf.ok"), [1.0]);
    assert_eq!(telemetry.figures().unmeasured, 1);
}

#[tokio::test(start_paused = true)]
async fn sampling_thins_events_and_neither_exceptions_nor_metrics() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().sample("cache.*", 1).sample("*", 10));
    for _ in 0..20 {
        raise_all(&signals, &["error.x", "perf.y:1", "cache.hit"]);
    }
    telemetry.flush().await;
    assert_eq!(seen.exceptions().len(), 20);
    assert_eq!(seen.values("perf.y").len(), 20);
    let events = names(&seen.events());
    assert_eq!(events.iter().filter(|name| *name == "cache.hit").count(), 20, "the first rule decides");
    assert_eq!(events.len(), 24, "the first and then one in ten of the other forty");
    assert_eq!(telemetry.figures().sampled_out, 36);
}

#[tokio::test(start_paused = true)]
async fn names_that_a_stranger_chooses_make_no_more_series_than_allowed() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().max_series(2));
    for number in 0..100 {
        signals.raise(format!("perf.{number}:1").as_str());
    }
    signals.raise("perf.0:2");
    telemetry.flush().await;
    let mut series: Vec<String> = seen.metrics().iter().map(|metric| metric.name.to_string()).collect();
    series.retain(|name| name.starts_with("perf."));
    assert_eq!(series, ["perf.0", "perf.1", "perf.0"]);
    assert_eq!(telemetry.figures().unmeasured, 98);
}

#[tokio::test(start_paused = true)]
async fn raises_are_counted_without_labels() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    raise_all(&signals, &["a", "b", "error.x"]);
    signals.retract("a");
    telemetry.flush().await;
    assert_eq!(seen.values("dayfly.signal.raised"), [3.0]);
    assert!(seen.metrics().iter().all(|metric| metric.labels.is_empty()));
    telemetry.flush().await;
    assert_eq!(seen.values("dayfly.signal.raised"), [3.0], "nothing new is nothing to tell");
}

#[tokio::test(start_paused = true)]
async fn raises_are_counted_by_name_where_that_is_asked_for_and_none_twice() {
    let options = TelemetryOptions::new().count_by_name("circuit.open.*").max_series(2).sample("*", 100);
    let (signals, telemetry, seen) = reporting(options.clone());
    let raise = || {
        raise_all(&signals, &["circuit.open.a", "circuit.open.b:x", "circuit.open.c", "order.paid"]);
        signals.raise(Draft::from("circuit.open.a").key("Jane"));
        signals.retract("circuit.open.a");
    };
    raise();
    telemetry.flush().await;
    telemetry.reconfigure(&options.interval(Duration::from_secs(7))).unwrap();
    raise();
    telemetry.flush().await;
    let raised = |name: &str| counted(&seen, "dayfly.signal.raised", &[("signal", name)]);
    assert_eq!((raised("circuit.open.a"), raised("circuit.open.b"), raised("circuit.open.c")), (4, 2, 0));
    assert_eq!(counted(&seen, "dayfly.signal.raised", &[]), 10, "each is counted once");
    assert!(!format!("{:?}", seen.metrics()).contains("Jane"));
}

#[tokio::test(start_paused = true)]
async fn the_client_in_memory_keeps_the_newest() {
    let (signals, seen) = (SignalSink::default(), InMemory::with_capacity(2));
    let telemetry = Telemetry::spawn_with(TelemetryOptions::new(), &signals, seen.clone());
    raise_all(&signals, &["error.1", "error.2", "error.3"]);
    telemetry.flush().await;
    assert_eq!(names(&seen.events()), ["error.2", "error.3"]);
    assert_eq!(names(&seen.exceptions()), ["error.2", "error.3"]);
    seen.clear();
    assert!(seen.events().is_empty() && seen.exceptions().is_empty() && seen.metrics().is_empty());
}
