//! Runs of the program with a collector beside it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use axum::http::StatusCode;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use serde_json::json;
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::Instant;

use super::collector::{Collector, points, texts, values};
use crate::serve::endings::Program;
use crate::serve::receiver::Receiver;
use crate::serve::stage::{HEAD, Place, SECRET, endpoint};

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
            "dayfly.circuit_breaker.calls",
            "dayfly.circuit_breaker.state",
            "dayfly.coordinator.active_operations",
            "dayfly.coordinator.operation.duration",
            "dayfly.coordinator.operation.time_in_queue",
            "dayfly.coordinator.operations",
            "dayfly.coordinator.queue.size",
            "dayfly.kv.operation.duration",
            "dayfly.kv.operations",
            "dayfly.retry.attempts",
            "dayfly.signal.raised",
        ]
    );
    let operations = points(&metrics["dayfly.coordinator.operations"]);
    let outcomes: BTreeMap<_, _> =
        operations.iter().map(|(labels, value)| (&*labels["outcome"], *value)).collect();
    assert_eq!((outcomes["completed"], outcomes["failed"]), (2.0, 2.0), "{outcomes:?}");
    assert!(operations.iter().all(|(labels, _)| labels["coordinator"] == "orders"));
    assert!(count(&metrics["dayfly.signal.raised"], &[]) >= 4, "each end is a signal");

    let labels: BTreeSet<String> =
        metrics.values().flat_map(points).flat_map(|(labels, _)| labels.into_keys()).collect();
    let wanted = ["breaker", "coordinator", "operation", "outcome", "retry", "state"].map(str::to_owned);
    assert_eq!(labels, BTreeSet::from(wanted));
    let everything = format!("{spans:?} {metrics:?}");
    names_nobody(&everything, &receiver, &["order.paid"]);
}

/// Nothing of the events and of where they go stands in what is told. A port is a number, which a time may have in it; so it
/// is looked for in an address, as a value and as a text.
fn names_nobody(told: &str, receiver: &Receiver, more: &[&str]) {
    let port = receiver.address.port();
    let addressed = [format!(":{port}"), format!("({port})"), format!("\"{port}\"")];
    let private = ["evt-", "customer-17", "whsec_", "MfKQ9", "/hook", "127.0.0.1"];
    for private in private.iter().chain(more).copied().chain(addressed.iter().map(String::as_str)) {
        assert!(!told.contains(private), "{private}: {told}");
    }
}

/// How often what was counted under these labels, or nothing where it was not.
fn count(metric: &Metric, labels: &[(&str, &str)]) -> u32 {
    let is_meant = |found: &BTreeMap<String, String>| {
        labels.iter().all(|(label, value)| found.get(*label).is_some_and(|found| found == value))
    };
    let sum: f64 = points(metric).iter().filter(|(found, _)| is_meant(found)).map(|(_, value)| value).sum();
    sum.to_string().parse().unwrap()
}

/// Circuits, attempts and the store, to whoever scrapes and to the collector.
#[tokio::test]
async fn circuits_attempts_and_the_store_are_told_by_their_names_and_nothing_private_is() {
    let collector = Collector::start().await;
    let receiver = Receiver::open().await;
    receiver.answer(|got, number| match (got.id.as_str(), number) {
        ("evt-down", 0 | 1) => StatusCode::SERVICE_UNAVAILABLE,
        ("evt-busy", 0) => StatusCode::TOO_MANY_REQUESTS,
        ("evt-unwanted", _) => StatusCode::NOT_FOUND,
        _ => StatusCode::OK,
    });
    let endpoint = format!(
        "[endpoints.orders]\nurl = \"{}\"\nsecrets = [\"{SECRET}\"]\n\
         retry = {{ attempts = 5, base = \"1ms\", cap = \"10ms\" }}\n\
         circuit = {{ failure_threshold = 2, open_for = \"20ms\" }}\n",
        receiver.url(),
    );
    let place = place("memory", &telemetry(&collector), &endpoint);
    let program = Program::start(&place);
    // One after the other, so that the failures are in a row.
    for id in ["evt-down", "evt-busy", "evt-unwanted", "evt-good"] {
        program.api.hand_in(id, "customer-17").await;
        program.api.settled().await;
    }
    let (_, scraped) = program.api.get("/metrics").await;
    let scraped = scraped.as_str().unwrap().to_owned();
    ended(program).await;

    let metrics = collector.metrics();
    let calls = |outcome| {
        count(&metrics["dayfly.circuit_breaker.calls"], &[("breaker", "orders"), ("outcome", outcome)])
    };
    assert_eq!(["succeeded", "failed", "ignored"].map(calls), [3, 2, 2]);
    let changes = |from, to| {
        let labels = [("breaker", "orders"), ("from", from), ("to", to)];
        count(&metrics["dayfly.circuit_breaker.transitions"], &labels)
    };
    assert_eq!((changes("closed", "open"), changes("open", "half-open")), (1, 1));
    let most = values(&metrics["dayfly.circuit_breaker.state"]).into_iter().fold(0.0, f64::max);
    assert!((most - 1.0).abs() < f64::EPSILON, "there is one, and it is somewhere: {most}");
    let attempts =
        |outcome| count(&metrics["dayfly.retry.attempts"], &[("retry", "orders"), ("outcome", outcome)]);
    assert_eq!(["succeeded", "retried", "not_retryable"].map(attempts), [3, 3, 1]);
    let raised = |name: &str| count(&metrics["dayfly.signal.raised"], &[("signal", name)]);
    assert_eq!((raised("circuit.open.orders"), raised("rate.limited.orders")), (1, 1));
    let stored = &metrics["dayfly.kv.operations"];
    assert!(count(stored, &[("operation", "put"), ("outcome", "done")]) >= 4, "{stored:?}");
    assert_eq!(metrics["dayfly.kv.operation.duration"].unit, "s");

    for line in [
        "dayfly_circuit_breaker_calls_total{breaker=\"orders\",outcome=\"failed\"} 2",
        "dayfly_circuit_breaker_state{breaker=\"orders\",state=\"open\"} 0",
        "dayfly_circuit_breaker_transitions_total{breaker=\"orders\",from=\"closed\",to=\"open\"} 1",
        "dayfly_retry_attempts_total{outcome=\"retried\",retry=\"orders\"} 3",
        "# TYPE dayfly_kv_operation_duration_seconds histogram",
        "# TYPE dayfly_kv_operations_total counter",
    ] {
        assert!(scraped.lines().any(|other| other == line), "{line}: {scraped}");
    }
    let everything = format!("{:?} {metrics:?} {scraped}", collector.spans());
    names_nobody(&everything, &receiver, &["order.paid", "ledger"]);
}

/// Whoever scrapes is told without a collector as well.
#[tokio::test]
async fn without_a_collector_the_page_has_the_figures_of_every_part() {
    let receiver = Receiver::open().await;
    let program = Program::start(&place("memory", SELDOM, &endpoint("orders", &receiver.url(), "")));
    program.api.hand_in("evt-1", "customer-17").await;
    program.api.settled().await;
    let (_, page) = program.api.get("/metrics").await;
    let page = page.as_str().unwrap().to_owned();
    for line in [
        "dayfly_circuit_breaker_calls_total{breaker=\"orders\",outcome=\"succeeded\"} 1",
        "dayfly_circuit_breaker_state{breaker=\"orders\",state=\"closed\"} 1",
        "dayfly_retry_attempts_total{outcome=\"succeeded\",retry=\"orders\"} 1",
        "# TYPE dayfly_kv_operations_total counter",
    ] {
        assert!(page.lines().any(|other| other == line), "{line}: {page}");
    }
    // A family stands once, and so does each series.
    let mut series: Vec<_> =
        page.lines().filter_map(|line| line.rsplit_once(' ')).map(|(name, _)| name).collect();
    let all = series.len();
    series.sort_unstable();
    series.dedup();
    assert_eq!(series.len(), all, "{page}");
    assert!(!page.contains("evt-1") && !page.contains("customer-17"), "{page}");
    ended(program).await;
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
    let raised = &collector.metrics()["dayfly.signal.raised"];
    assert_eq!(count(raised, &[("signal", "endpoint.disabled.gone")]), 1);
    assert_eq!(count(raised, &[]), 2);
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
    // Kept, so that nobody else listens there meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let down = format!("otlp = \"http://{}/s3cr3t\"\n{SELDOM}", closed.local_addr().unwrap());
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
