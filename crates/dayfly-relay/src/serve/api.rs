//! The relay over HTTP.
//!
//! | request | answer |
//! |---|---|
//! | `POST /events` | takes events in: 202 when they are durable |
//! | `GET /events` | what waits or is parked, for one endpoint or all, page by page |
//! | `POST /events/replay` | hands parked events in again |
//! | `GET /endpoints` | each endpoint with its state and its figures |
//! | `POST /endpoints/{name}/enable` | delivers again to an endpoint that was disabled |
//! | `GET /healthz`, `GET /readyz` | whether the process lives, and whether it takes events in |
//! | `GET /metrics` | figures for Prometheus |
//!
//! Every error is a JSON object with a field `error`. There is no authentication: listen where only those reach it who may
//! hand in events.

mod answer;
mod endpoints;
mod health;
mod intake;
mod listing;
mod metrics;
mod replay;

use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use dayfly_config::Watched;

use self::answer::failure;
use super::relay::Relay;
use super::settings::Settings;

/// What every handler can ask.
#[derive(Clone, Debug)]
pub(super) struct Api {
    pub(super) relay: Relay,
    /// Where the settings come from, if they are followed.
    pub(super) config: Option<Arc<Watched<Settings>>>,
}

/// Everything that can be asked over HTTP.
pub(super) fn router(api: Api) -> Router {
    Router::new()
        .route("/events", post(intake::take).get(listing::list))
        .route("/events/replay", post(replay::replay))
        .route("/endpoints", get(endpoints::list))
        .route("/endpoints/{name}/enable", post(endpoints::enable))
        .route("/healthz", get(health::lives))
        .route("/readyz", get(health::is_ready))
        .route("/metrics", get(metrics::show))
        .fallback(unknown)
        .method_not_allowed_fallback(not_so)
        .with_state(api)
}

async fn unknown() -> Response {
    failure(StatusCode::NOT_FOUND, "there is nothing at this path")
}

async fn not_so() -> Response {
    failure(StatusCode::METHOD_NOT_ALLOWED, "this path has no such method")
}
