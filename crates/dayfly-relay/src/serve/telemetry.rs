//! What a collector is told of the relay, where `relay.toml` names one, and of what `/metrics` shows the parts' own figures.
//!
//! A request that hands events in is a span, and each attempt of a delivery is one: a root, linked to the request, because
//! it may come long after it. The link is kept in the store with the event, so it holds after a restart as well. Figures are
//! those of each endpoint's queue, circuit and retries, and of the store. Ids, keys, URLs and data stand in none of it.

#[cfg(not(feature = "otlp"))]
mod absent;
#[cfg(feature = "otlp")]
mod exporter;
#[cfg(feature = "otlp")]
mod health;

use std::sync::LazyLock;

use axum::response::Response;
use dayfly_telemetry::{PrometheusPage, Traced};
use thiserror::Error;
use tracing::field::Empty;
use tracing::{Instrument, info_span};

#[cfg(not(feature = "otlp"))]
pub(super) use self::absent::Exporter;
#[cfg(feature = "otlp")]
pub(super) use self::exporter::Exporter;

/// Why nothing can be sent.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// The exporter cannot be made.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Open(#[from] dayfly_telemetry::OpenError),
    /// The process has other telemetry already.
    #[cfg(feature = "otlp")]
    #[error(transparent)]
    Install(#[from] dayfly_telemetry::InstallError),
    /// This relay can send nothing.
    #[cfg(not(feature = "otlp"))]
    #[error("this relay was built without telemetry")]
    NotBuilt,
}

/// What the parts of the relay tell of themselves, for `/metrics`. A process has one recorder, and so one page, however many
/// services.
static FIGURES: LazyLock<PrometheusPage> = LazyLock::new(PrometheusPage::new);

pub(super) fn page() -> &'static PrometheusPage {
    &FIGURES
}

/// The span that is current here, as a `traceparent`, if there is one that a collector is told of.
pub(super) fn current_span() -> Option<String> {
    Traced::new(()).trace_parent()
}

/// Answers a request in a span of its own. What a client says of its own spans is not heard: anybody may say it.
pub(super) async fn in_span(
    name: &'static str,
    route: &'static str,
    answer: impl Future<Output = Response>,
) -> Response {
    let span = info_span!(
        parent: None,
        "request",
        otel.name = name,
        otel.kind = "server",
        http.request.method = "POST",
        http.route = route,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    let answer = answer.instrument(span.clone()).await;
    let status = answer.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    answer
}
