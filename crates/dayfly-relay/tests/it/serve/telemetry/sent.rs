//! Runs of the program with a collector beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::collector::{Collector, points, texts, values};
use crate::serve::endings::Program;
use crate::serve::receiver::Receiver;
use crate::serve::stage::{HEAD, Place, endpoint};

/// More than any run here takes: figures come because the run ends.
const SELDOM: &str = "interval = \"1h\"";

fn place(store: &str, telemetry: &str, endpoints: &str) -> Place {
    Place::new(&format!("{HEAD}store = \"{store}\"\n[telemetry]\n{telemetry}\n{endpoints}"))
}

fn telemetry(collector: &Collector) -> String {
    format!("otlp = \"{}\"\n{SELDOM}", collector.endpoint)
}

async fn ended(program: Program) -> String {
    program.signal("TERM");
    let (status, log) = program.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    log
}

#[tokio::test]
async fn spans_and_figures_of_a_run_arrive_under_their_names() {
    let collector = Collector::start().await;
    let receiver = Receiver::open().await;
    receiver.answer(|got, number| match (got.id.as_str(), number) {
        ("evt-retried", 0) => StatusCode::SERVICE_UNAVAILABLE,
        ("evt-parked", _) => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    });
    let endpoints = endpoint("orders", &receiver.url(), "");
    let place = place("memory", &telemetry(&collector), &endpoints);
    let program = Program::start(&place);
    for id in ["evt-at-once", "evt-retried", "evt-parked"] {
        program.api.hand_in(id, "customer-17").await;
    }
    let (refused, _) = program.api.post("/events", "no event").await;
    program.api.settled().await;
    let (replayed, _) = program.api.post("/events/replay", r#"{"endpoint":"orders"}"#).await;
    assert_eq!((refused, replayed), (StatusCode::BAD_REQUEST, StatusCode::OK));
    program.api.settled().await;
    let log = ended(program).await;
    assert!(!log.contains(" warn "), "{log}");

    let resources = collector.resources();
    assert!(resources.iter().all(|resource| resource["service.name"] == "dayfly-relay"), "{resources:?}");

    let spans = collector.spans();
    let mut names = BTreeMap::<&str, usize>::new();
    for span in &spans {
        *names.entry(&span.name).or_default() += 1;
    }
    // Once at once, twice for the one that is tried again, and once for each time that one is parked.
    let wanted = [("POST /events", 4), ("POST /events/replay", 1), ("delivery", 5)];
    assert_eq!(names, BTreeMap::from(wanted));

    let mut links = BTreeMap::<String, Vec<String>>::new();
    for delivery in spans.iter().filter(|span| span.name == "delivery") {
        assert!(delivery.parent_span_id.is_empty(), "it is a root");
        assert_eq!((delivery.kind, delivery.links.len()), (5, 1), "a consumer, linked to one request");
        let link = &delivery.links[0];
        let request = spans.iter().find(|span| span.span_id == link.span_id).unwrap();
        assert_eq!((request.kind, &request.trace_id), (2, &link.trace_id), "a server");
        assert!(request.start_time_unix_nano <= delivery.start_time_unix_nano);
        let attributes = texts(&delivery.attributes);
        let attempt = format!("{} {}", attributes["operation.attempt"], attributes["outcome"]);
        let by_request = format!("{} {}", request.name, hex::encode(&request.span_id));
        links.entry(by_request).or_default().push(attempt);
        let answer = &delivery.events[0];
        assert_eq!((&*answer.name, delivery.events.len()), ("answer", 1));
        let answer = texts(&answer.attributes);
        assert_eq!(answer["endpoint"], "orders");
        assert!(["200", "404", "503"].contains(&&*answer["http.response.status_code"]), "{answer:?}");
    }
    let mut attempts: Vec<Vec<String>> = links.into_values().collect();
    attempts.sort();
    assert_eq!(
        attempts,
        [vec!["1 again", "2 completed"], vec!["1 completed"], vec!["1 failed"], vec!["1 failed"]],
    );
    let statuses: BTreeSet<String> = spans
        .iter()
        .filter(|span| span.name == "POST /events")
        .map(|span| texts(&span.attributes)["http.response.status_code"].clone())
        .collect();
    assert_eq!(statuses, BTreeSet::from(["202".to_owned(), "400".to_owned()]));

    let metrics = collector.metrics();
    let names: Vec<&str> = metrics.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "dayfly.coordinator.active_operations",
            "dayfly.coordinator.operation.duration",
            "dayfly.coordinator.operation.time_in_queue",
            "dayfly.coordinator.operations",
            "dayfly.coordinator.queue.size",
            "dayfly.signal.raised",
        ]
    );
    let operations = points(&metrics["dayfly.coordinator.operations"]);
    let outcomes: BTreeMap<_, _> =
        operations.iter().map(|(labels, value)| (&*labels["outcome"], *value)).collect();
    assert_eq!((outcomes["completed"], outcomes["failed"]), (2.0, 2.0), "{outcomes:?}");
    assert!(operations.iter().all(|(labels, _)| labels["coordinator"] == "orders"));
    assert!(values(&metrics["dayfly.signal.raised"])[0] >= 4.0, "each end is a signal");

    let labels: BTreeSet<String> =
        metrics.values().flat_map(points).flat_map(|(labels, _)| labels.into_keys()).collect();
    assert_eq!(labels, BTreeSet::from(["coordinator".to_owned(), "outcome".to_owned()]));
    let everything = format!("{spans:?} {metrics:?}");
    let port = receiver.address.port().to_string();
    for private in ["evt-", "customer-17", "whsec_", "MfKQ9", "/hook", &port, "order.paid"] {
        assert!(!everything.contains(private), "{private}: {everything}");
    }
}

#[tokio::test]
async fn signals_of_state_are_reported() {
    let collector = Collector::start().await;
    let receiver = Receiver::open().await;
    receiver.answer(|_, _| StatusCode::GONE);
    let place = place("memory", &telemetry(&collector), &endpoint("gone", &receiver.url(), ""));
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    program.api.settled().await;
    assert!(program.api.endpoint("gone").await["disabled"].is_object());
    ended(program).await;
    // That it is disabled, and that its event is parked.
    assert_eq!(values(&collector.metrics()["dayfly.signal.raised"]), [2.0]);
}

#[tokio::test]
async fn a_delivery_after_a_restart_is_linked_to_its_request_before() {
    let collector = Collector::start().await;
    let receiver = Receiver::open().await;
    let hold = receiver.hold().await;
    let short = format!("drain_deadline = \"100ms\"\n{HEAD}store = \"redb:relay.db\"");
    let file = format!(
        "{short}\n[telemetry]\n{}\n{}",
        telemetry(&collector),
        endpoint("one", &receiver.url(), "max_concurrency = 1")
    );
    let place = Place::new(&file);
    let program = Program::start(&place);
    program.api.hand_in("held", "k").await;
    program.api.hand_in("waits", "k").await;
    receiver.count(1).await;
    // Whatever of the first run does not arrive by its deadline: what was handed in is linked all the same.
    program.signal("TERM");
    program.ended().await;
    drop(hold);
    let program = Program::start(&place);
    program.api.settled().await;
    ended(program).await;
    let spans = collector.spans();
    let completed: Vec<_> = spans
        .iter()
        .filter(|span| span.name == "delivery" && texts(&span.attributes)["outcome"] == "completed")
        .collect();
    assert_eq!(completed.len(), 2, "{spans:?}");
    let links: BTreeSet<_> = completed.iter().map(|span| span.links[0].span_id.clone()).collect();
    assert_eq!(links.len(), 2, "each has its own request");
}

#[tokio::test]
async fn a_new_endpoint_is_watched_as_well() {
    let collector = Collector::start().await;
    let receiver = Receiver::open().await;
    let place = place("memory", &telemetry(&collector), &endpoint("first", &receiver.url(), ""));
    let program = Program::start(&place);
    let both = endpoint("first", &receiver.url(), "") + &endpoint("second", &receiver.url(), "");
    place.write(&format!("{HEAD}store = \"memory\"\n[telemetry]\n{}\n{both}", telemetry(&collector)));
    program
        .api
        .until("/metrics", |text| {
            text.as_str().unwrap().lines().any(|line| line == "dayfly_relay_config_reloads_total 1")
        })
        .await;
    program.api.hand_in("a", "k").await;
    program.api.settled().await;
    ended(program).await;
    let metrics = collector.metrics();
    let operations = points(&metrics["dayfly.coordinator.operations"]);
    let watched: BTreeSet<_> = operations.iter().map(|(labels, _)| labels["coordinator"].clone()).collect();
    assert_eq!(watched, BTreeSet::from(["first".to_owned(), "second".to_owned()]));
    let reloads = points(&metrics["dayfly.config.reloads"]);
    assert!(reloads.iter().any(|(labels, _)| labels["outcome"] == "reloaded"), "{reloads:?}");
}

#[tokio::test]
async fn figures_come_at_each_interval_while_it_runs() {
    let mut collector = Collector::start().await;
    let receiver = Receiver::open().await;
    let brisk = format!("otlp = \"{}\"\ninterval = \"100ms\"\nservice_name = \"hooks\"", collector.endpoint);
    let place = place("memory", &brisk, &endpoint("one", &receiver.url(), ""));
    let program = Program::start(&place);
    collector.requests(3).await;
    assert!(collector.metrics().contains_key("dayfly.coordinator.queue.size"));
    assert!(collector.resources().iter().all(|resource| resource["service.name"] == "hooks"));
    ended(program).await;
}

#[tokio::test]
async fn without_the_setting_nothing_is_sent_whatever_the_environment_says() {
    let collector = Collector::start().await;
    let receiver = Receiver::open().await;
    let place = place("memory", "interval = \"100ms\"", &endpoint("one", &receiver.url(), ""));
    let environment =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.endpoint), ("OTEL_TRACES_EXPORTER", "otlp")];
    let program = Program::start_in(&place, &environment);
    program.api.hand_in("a", "k").await;
    program.api.settled().await;
    let log = ended(program).await;
    assert!(collector.spans().is_empty() && collector.metrics().is_empty());
    assert!(!log.contains("telemetry"), "{log}");
}

#[tokio::test]
async fn a_collector_that_is_down_costs_a_line_and_no_event() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let down = format!("otlp = \"http://{}/s3cr3t\"\n{SELDOM}", listener.local_addr().unwrap());
    drop(listener);
    let receiver = Receiver::open().await;
    let place = place("memory", &down, &endpoint("one", &receiver.url(), ""));
    let program = Program::start(&place);
    let events: Vec<_> =
        (0..200).map(|number| json!({ "id": number.to_string(), "type": "x", "data": number })).collect();
    let (status, _) = program.api.post("/events", json!(events).to_string()).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    program.api.settled().await;
    assert_eq!(receiver.got().len(), 200);
    let log = ended(program).await;
    let told: Vec<_> = log.lines().filter(|line| line.contains("telemetry: ")).collect();
    assert_eq!(told.len(), 1, "{log}");
    assert!(told[0].contains("the collector did not take everything") && !log.contains("s3cr3t"), "{log}");
}

#[tokio::test]
async fn a_collector_that_takes_nothing_is_told_once() {
    let mut refusing = Collector::answering(StatusCode::BAD_REQUEST).await;
    let receiver = Receiver::open().await;
    let brisk = format!("otlp = \"{}\"\ninterval = \"100ms\"", refusing.endpoint);
    let place = place("memory", &brisk, &endpoint("one", &receiver.url(), ""));
    let program = Program::start(&place);
    refusing.requests(5).await;
    let log = ended(program).await;
    let told = log.lines().filter(|line| line.contains("takes nothing, spans are lost")).count();
    assert_eq!(told, 1, "{log}");
    assert!(log.contains("the collector answered 400 Bad Request"), "{log}");
}

#[tokio::test]
async fn what_the_deadline_cuts_off_is_told_within_the_deadline() {
    let collector = Collector::start().await;
    let receiver = Receiver::open().await;
    let _hold = receiver.hold().await;
    let file = format!(
        "drain_deadline = \"5s\"\n{HEAD}store = \"memory\"\n[telemetry]\n{}\n{}",
        telemetry(&collector),
        endpoint("one", &receiver.url(), "")
    );
    let place = Place::new(&file);
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    receiver.count(1).await;
    let log = ended(program).await;
    let deliveries = collector.spans().into_iter().filter(|span| span.name == "delivery");
    let outcomes: Vec<_> = deliveries.map(|span| texts(&span.attributes)["outcome"].clone()).collect();
    assert_eq!(outcomes, ["cancelled"], "{log}");
    assert!(collector.metrics().contains_key("dayfly.coordinator.operations"), "{log}");
}

#[tokio::test]
async fn a_collector_that_never_answers_holds_up_no_end() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let silent = format!("otlp = \"http://{}\"\n{SELDOM}", listener.local_addr().unwrap());
    let receiver = Receiver::open().await;
    let file = format!(
        "drain_deadline = \"500ms\"\n{HEAD}store = \"memory\"\n[telemetry]\n{silent}\n{}",
        endpoint("one", &receiver.url(), "")
    );
    let place = Place::new(&file);
    let program = Program::start(&place);
    program.api.hand_in("a", "k").await;
    program.api.settled().await;
    let asked = Instant::now();
    let log = ended(program).await;
    // One request of an exporter may take five seconds, and there are several.
    assert!(asked.elapsed() < Duration::from_secs(5), "{:?}", asked.elapsed());
    assert!(log.contains("telemetry: the collector did not take the rest by the deadline"), "{log}");
    drop(listener);
}
