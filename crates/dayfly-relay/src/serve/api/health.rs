//! `GET /healthz` and `GET /readyz`

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::Api;
use super::answer::answer;

/// That there is an answer is the answer.
pub(super) async fn lives() -> Response {
    answer(StatusCode::OK, &json!({ "alive": true }))
}

/// Whether events are taken in. A configuration that was rejected is told here, and is no reason to send events elsewhere:
/// the last good one is in force.
pub(super) async fn is_ready(State(api): State<Api>) -> Response {
    let is_ready = !api.relay.is_draining();
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let mut body = json!({ "ready": is_ready });
    if let Some(config) = &api.config {
        let rejected = config.last_rejection().filter(|_| config.is_stale());
        let problems =
            rejected.map(|rejection| rejection.problems.iter().map(ToString::to_string).collect::<Vec<_>>());
        body["configuration"] = json!({ "generation": config.generation(), "rejected": problems });
    }
    answer(status, &body)
}
