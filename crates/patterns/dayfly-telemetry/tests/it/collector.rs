//! A collector of OTLP over HTTP, on loopback, that writes down what it is sent.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

pub(crate) struct Collector {
    pub(crate) endpoint: String,
    taken: Arc<Mutex<Taken>>,
    requests: watch::Receiver<usize>,
    _server: JoinSet<()>,
}

#[derive(Default)]
struct Taken {
    spans: Vec<Span>,
    metrics: Vec<Metric>,
    resources: Vec<BTreeMap<String, String>>,
}

impl Collector {
    /// One that takes what it is sent, and answers with this status.
    pub(crate) async fn answering(status: StatusCode) -> Self {
        let taken = Arc::<Mutex<Taken>>::default();
        let (told, requests) = watch::channel(0);
        let told = Arc::new(told);
        let noted = |take: fn(&mut Taken, Bytes)| {
            let (taken, told) = (taken.clone(), told.clone());
            post(move |headers: HeaderMap, body: Bytes| async move {
                assert_eq!(headers["content-type"], "application/x-protobuf");
                take(&mut taken.lock().unwrap(), body);
                told.send_modify(|requests| *requests += 1);
                status
            })
        };
        let router = Router::new().route("/v1/traces", noted(Taken::take_spans));
        let router = router.route("/v1/metrics", noted(Taken::take_metrics));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { endpoint, taken, requests, _server: server }
    }

    pub(crate) async fn start() -> Self {
        Self::answering(StatusCode::OK).await
    }

    /// Waits until it has taken so many requests.
    pub(crate) async fn requests(&mut self, least: usize) {
        let enough = self.requests.wait_for(|requests| *requests >= least);
        timeout(Duration::from_secs(30), enough).await.unwrap().unwrap();
    }

    pub(crate) fn spans(&self) -> Vec<Span> {
        self.taken.lock().unwrap().spans.clone()
    }

    /// The newest state of every metric, by name.
    pub(crate) fn metrics(&self) -> BTreeMap<String, Metric> {
        let taken = self.taken.lock().unwrap();
        taken.metrics.iter().map(|metric| (metric.name.clone(), metric.clone())).collect()
    }

    /// What everyone who sent something says about themselves.
    pub(crate) fn resources(&self) -> Vec<BTreeMap<String, String>> {
        self.taken.lock().unwrap().resources.clone()
    }
}

impl Taken {
    fn take_spans(&mut self, body: Bytes) {
        for group in ExportTraceServiceRequest::decode(body).unwrap().resource_spans {
            self.resources.push(texts(&group.resource.unwrap().attributes));
            self.spans.extend(group.scope_spans.into_iter().flat_map(|scope| scope.spans));
        }
    }

    fn take_metrics(&mut self, body: Bytes) {
        for group in ExportMetricsServiceRequest::decode(body).unwrap().resource_metrics {
            self.resources.push(texts(&group.resource.unwrap().attributes));
            self.metrics.extend(group.scope_metrics.into_iter().flat_map(|scope| scope.metrics));
        }
    }
}

/// Attributes as text.
pub(crate) fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::StringValue(text) => text.clone(),
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    };
    let pair = |pair: &KeyValue| {
        let value = pair.value.as_ref().and_then(|value| value.value.as_ref());
        (pair.key.clone(), value.map(text).unwrap_or_default())
    };
    attributes.iter().map(pair).collect()
}

/// Each point of a metric: its labels, and its value; of a distribution the sum.
pub(crate) fn points(metric: &Metric) -> Vec<(BTreeMap<String, String>, f64)> {
    let number = |number: Option<Number>| match number.unwrap() {
        Number::AsInt(number) => f64::from(i32::try_from(number).unwrap()),
        Number::AsDouble(number) => number,
    };
    match metric.data.clone().unwrap() {
        Data::Sum(sum) => {
            sum.data_points.iter().map(|point| (texts(&point.attributes), number(point.value))).collect()
        }
        Data::Gauge(gauge) => {
            gauge.data_points.iter().map(|point| (texts(&point.attributes), number(point.value))).collect()
        }
        Data::Histogram(values) => {
            values.data_points.iter().map(|point| (texts(&point.attributes), point.sum.unwrap())).collect()
        }
        other => panic!("{} is of no kind that was asked for: {other:?}", metric.name),
    }
}

/// The values of a metric, whatever their labels.
pub(crate) fn values(metric: &Metric) -> Vec<f64> {
    points(metric).into_iter().map(|(_, value)| value).collect()
}
