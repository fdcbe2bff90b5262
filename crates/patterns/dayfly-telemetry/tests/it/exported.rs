//! Spans and metrics of a run arrive at a collector, named as documented; one that is down costs nobody anything.

use std::time::Duration;

use axum::http::StatusCode;
use dayfly::{Coordinator, CoordinatorOptions, SignalSink};
use dayfly_telemetry::{
    InstallError, OpenError, Otlp, OtlpOptions, Telemetry, TelemetryOptions, Traced, traced,
};
use tokio::net::{TcpListener, TcpSocket};
use tokio::time::timeout;
use tracing::{info, info_span};

use crate::collector::{Collector, points, texts, values};

/// A bound on what has to come, not a wait.
const PATIENCE: Duration = Duration::from_secs(30);

fn options(collector: &Collector) -> OtlpOptions {
    // The intervals are out of the way: what comes was asked for.
    OtlpOptions::new(&collector.endpoint).interval(Duration::from_secs(3_600))
}

fn trace_spans(otlp: &Otlp, spans: usize) {
    let _entered = otlp.enter();
    (0..spans).for_each(|_| drop(info_span!("one")));
}

#[tokio::test]
async fn spans_and_metrics_of_a_run_arrive_under_their_names() {
    let collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector).service_name("relay")).unwrap();
    let _entered = otlp.enter();
    let signals = SignalSink::default();
    let telemetry = Telemetry::spawn(TelemetryOptions::new(), &signals);
    let work = Coordinator::spawn(
        CoordinatorOptions::new(),
        &signals,
        traced("deliver", |item: u32, _| async move {
            info!("on its way");
            if item == 0 { Err("no receiver") } else { Ok(()) }
        }),
    );
    telemetry.watch("deliveries", &work);
    work.pause();
    for item in [0, 1] {
        // The request is over before its work begins, and so is its span.
        let item = info_span!("request").in_scope(|| Traced::new(item));
        work.enqueue(item).await.unwrap();
    }
    work.resume();
    work.drain().await;
    signals.raise("error.delivery:no receiver");
    signals.raise("perf.lookup:35ms");
    telemetry.shutdown().await;
    timeout(PATIENCE, otlp.shutdown()).await.unwrap().unwrap();

    let resources = collector.resources();
    assert!(resources.iter().all(|resource| resource["service.name"] == "relay"), "{resources:?}");
    let spans = collector.spans();
    let requests: Vec<_> = spans.iter().filter(|span| span.name == "request").collect();
    let deliveries: Vec<_> = spans.iter().filter(|span| span.name == "deliver").collect();
    assert_eq!((requests.len(), deliveries.len(), spans.len()), (2, 2, 4));
    for (request, delivery) in requests.iter().zip(&deliveries) {
        assert!(delivery.parent_span_id.is_empty(), "it is a root");
        assert_eq!(delivery.links.len(), 1);
        assert_eq!(delivery.links[0].trace_id, request.trace_id);
        assert_eq!(delivery.links[0].span_id, request.span_id);
        assert_eq!(delivery.events[0].name, "on its way");
        assert_eq!(delivery.kind, 5, "a consumer");
        assert!(request.end_time_unix_nano <= delivery.start_time_unix_nano);
    }
    let attributes: Vec<_> = deliveries.iter().map(|span| texts(&span.attributes)).collect();
    assert_eq!((&*attributes[0]["outcome"], &*attributes[1]["outcome"]), ("failed", "completed"));
    assert_eq!(attributes[0]["error"], "no receiver");
    assert_eq!(deliveries[0].status.as_ref().unwrap().code, 2, "an error");
    assert!(attributes[0].contains_key("operation.id") && attributes[0]["operation.attempt"] == "1");

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
            "perf.lookup",
        ]
    );
    let operations = points(&metrics["dayfly.coordinator.operations"]);
    let mut outcomes: Vec<_> =
        operations.iter().map(|(labels, value)| (&*labels["outcome"], *value)).collect();
    outcomes.sort_by_key(|(outcome, _)| *outcome);
    assert_eq!(outcomes, [("completed", 1.0), ("failed", 1.0)]);
    assert!(operations.iter().all(|(labels, _)| labels["coordinator"] == "deliveries"));
    assert_eq!(metrics["dayfly.coordinator.operation.duration"].unit, "s");
    assert_eq!(metrics["perf.lookup"].unit, "s");
    assert_eq!(values(&metrics["perf.lookup"]), [0.035]);
    assert_eq!(values(&metrics["dayfly.signal.raised"]), [2.0]);
    let exports = otlp.exports();
    assert_eq!((exports.delivered, exports.failed, exports.last_error), (2, 0, None));
}

#[tokio::test]
async fn an_enqueuer_whose_span_is_still_open_is_linked_once() {
    let collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector)).unwrap();
    let _entered = otlp.enter();
    let work =
        Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), traced("x", |(), _| async {}));
    let request = info_span!("request");
    work.enqueue(request.in_scope(|| Traced::new(()))).await.unwrap();
    work.drain().await;
    drop(request);
    timeout(PATIENCE, otlp.flush()).await.unwrap().unwrap();
    let spans = collector.spans();
    assert_eq!(spans.iter().find(|span| span.name == "x").unwrap().links.len(), 1);
}

#[tokio::test]
async fn a_link_that_was_written_down_holds_in_another_process() {
    let collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector)).unwrap();
    let _entered = otlp.enter();
    let work =
        Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), traced("x", |(), _| async {}));
    assert_eq!(Traced::new(()).trace_parent(), None, "outside of any span");
    let written = info_span!("request").in_scope(|| Traced::new(())).trace_parent().unwrap();
    work.enqueue(Traced::from_trace_parent((), &written)).await.unwrap();
    work.enqueue(Traced::from_trace_parent((), "nonsense")).await.unwrap();
    work.drain().await;
    timeout(PATIENCE, otlp.flush()).await.unwrap().unwrap();
    let spans = collector.spans();
    let request = spans.iter().find(|span| span.name == "request").unwrap();
    let links: Vec<_> = spans.iter().filter(|span| span.name == "x").flat_map(|span| &span.links).collect();
    assert_eq!(links.len(), 1);
    assert_eq!((&links[0].trace_id, &links[0].span_id), (&request.trace_id, &request.span_id));
}

#[tokio::test]
async fn a_flush_sends_everything_and_adds_nothing_of_its_own() {
    let collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector).filter("trace")).unwrap();
    let _entered = otlp.enter();
    for round in 1..=2 {
        (0..1_000).for_each(|_| drop(info_span!("one")));
        timeout(PATIENCE, otlp.flush()).await.unwrap().unwrap();
        assert_eq!(collector.spans().iter().filter(|span| span.name == "one").count(), 1_000 * round);
    }
    assert_eq!(collector.spans().len(), 2_000);
}

#[tokio::test]
async fn metrics_are_sent_at_each_interval() {
    let mut collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector).interval(Duration::from_millis(10))).unwrap();
    let _entered = otlp.enter();
    metrics::counter!("test.count").increment(3);
    collector.requests(2).await;
    assert_eq!(values(&collector.metrics()["test.count"]), [3.0]);
    assert!(collector.spans().is_empty());
}

#[tokio::test]
async fn every_kind_of_figure_arrives_as_it_was_told() {
    let collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector)).unwrap();
    let _entered = otlp.enter();
    metrics::counter!("test.absolute").absolute(5);
    metrics::counter!("test.absolute").absolute(3);
    metrics::counter!("test.absolute").absolute(8);
    let level = metrics::gauge!("test.level", "of" => "water");
    level.set(4.0);
    level.increment(2.5);
    level.decrement(1.0);
    metrics::histogram!("test.values").record(2.0);
    metrics::histogram!("test.values").record(f64::NAN);
    metrics::histogram!("test.values").record(3.0);
    timeout(PATIENCE, otlp.flush()).await.unwrap().unwrap();
    let metrics = collector.metrics();
    let value = |name: &str| values(&metrics[name])[0];
    assert_eq!((value("test.absolute"), value("test.level"), value("test.values")), (8.0, 5.5, 5.0));
    assert_eq!(points(&metrics["test.level"])[0].0["of"], "water");
}

#[tokio::test]
async fn an_end_that_nobody_waits_for_is_an_end_all_the_same() {
    let mut collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector)).unwrap();
    trace_spans(&otlp, 1);
    drop(otlp.shutdown());
    collector.requests(1).await;
    assert_eq!(collector.spans()[0].name, "one");
    timeout(PATIENCE, otlp.shutdown()).await.unwrap().unwrap();
    timeout(PATIENCE, otlp.flush()).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_drop_sends_what_waits_and_blocks_nobody() {
    let mut collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector)).unwrap();
    trace_spans(&otlp, 1);
    // This thread serves the collector: if the drop waited for it, it would wait for ever.
    drop(otlp);
    collector.requests(1).await;
    assert_eq!(collector.spans()[0].name, "one");
}

#[tokio::test]
async fn a_share_of_nothing_sends_no_span() {
    let collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector).sample(0.0)).unwrap();
    trace_spans(&otlp, 100);
    timeout(PATIENCE, otlp.shutdown()).await.unwrap().unwrap();
    assert!(collector.spans().is_empty());
}

#[tokio::test]
async fn a_collector_that_is_not_there_is_an_error_at_the_end_and_nothing_before() {
    // Kept, so that nobody else listens there meanwhile.
    let closed = TcpSocket::new_v4().unwrap();
    closed.bind(([127, 0, 0, 1], 0).into()).unwrap();
    let endpoint = format!("http://{}", closed.local_addr().unwrap());
    let otlp = Otlp::open(&OtlpOptions::new(endpoint).timeout(Duration::from_secs(1))).unwrap();
    let _entered = otlp.enter();
    // Five times as many as wait for a collector: what is too much is dropped at once.
    (0..10_000).for_each(|_| drop(info_span!("lost")));
    metrics::counter!("test.count").increment(1);
    let error = timeout(PATIENCE, otlp.shutdown()).await.unwrap().unwrap_err();
    assert!(error.to_string().starts_with("the collector did not take everything"), "{error}");
    let again = timeout(PATIENCE, otlp.shutdown()).await.unwrap().unwrap_err();
    assert_eq!(again, error, "the end is the same whoever asks");
    let exports = otlp.exports();
    assert!(exports.failed > 0 && exports.delivered == 0, "{exports:?}");
    let last = exports.last_error.unwrap();
    assert!(last.contains("error sending request") && !last.contains("http"), "no URL is told on: {last}");
}

#[tokio::test]
async fn a_collector_that_never_answers_does_not_hold_up_the_end() {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let otlp = Otlp::open(&OtlpOptions::new(endpoint).timeout(Duration::from_millis(100))).unwrap();
    let _entered = otlp.enter();
    drop(info_span!("lost"));
    metrics::counter!("test.count").increment(1);
    assert!(timeout(PATIENCE, otlp.shutdown()).await.unwrap().is_err());
    assert!(otlp.exports().failed >= 2);
    drop(listener);
}

#[tokio::test]
async fn a_collector_that_refuses_is_counted_with_its_answer() {
    let collector = Collector::answering(StatusCode::BAD_REQUEST).await;
    let otlp = Otlp::open(&options(&collector)).unwrap();
    trace_spans(&otlp, 1);
    assert!(timeout(PATIENCE, otlp.flush()).await.unwrap().is_err());
    let exports = otlp.exports();
    assert_eq!((exports.delivered, exports.failed), (0, 1));
    assert_eq!(exports.last_error.as_deref(), Some("the collector answered 400 Bad Request"));
}

#[tokio::test]
async fn what_cannot_be_followed_is_an_error_and_no_panic() {
    for endpoint in ["", "localhost:4318", "ftp://x", "http://", "http://x?y=1", "no url", "/v1"] {
        let error = Otlp::open(&OtlpOptions::new(endpoint)).unwrap_err();
        assert!(matches!(error, OpenError::Endpoint { .. }), "{endpoint}: {error}");
    }
    let error = Otlp::open(&OtlpOptions::new("http://x").filter("a=nonsense")).unwrap_err();
    assert!(matches!(error, OpenError::Filter { .. }), "{error}");
    let error = Otlp::open(&OtlpOptions::new("http://x").log("a=nonsense")).unwrap_err();
    assert_eq!(error.to_string(), "`a=nonsense` is no filter, such as `info` or `info,my_crate=debug`");
    // What lies beyond any clock is never.
    let endless = OtlpOptions::new("http://127.0.0.1:9").interval(Duration::MAX).timeout(Duration::MAX);
    drop(Otlp::open(&endless).unwrap());
}

#[tokio::test]
async fn a_process_has_one() {
    let mut collector = Collector::start().await;
    let otlp = Otlp::open(&options(&collector)).unwrap();
    otlp.install().unwrap();
    let second = Otlp::open(&options(&collector)).unwrap();
    assert_eq!(second.install(), Err(InstallError::TracingInUse));
    // Other threads send through it too.
    std::thread::spawn(|| drop(info_span!("elsewhere"))).join().unwrap();
    timeout(PATIENCE, otlp.shutdown()).await.unwrap().unwrap();
    collector.requests(1).await;
    assert!(collector.spans().iter().any(|span| span.name == "elsewhere"));
}

#[test]
fn no_runtime_is_needed_to_open_and_to_drop() {
    let otlp = Otlp::open(&OtlpOptions::new("http://127.0.0.1:9")).unwrap();
    drop(otlp.flush());
    drop(otlp);
}

#[test]
fn handles_may_go_to_other_threads() {
    fn goes<T: Send + Sync + std::fmt::Debug>() {}
    goes::<Otlp>();
    goes::<OtlpOptions>();
    goes::<OpenError>();
}
