//! `POST /events/replay`: parked events are handed in again, page by page, through the same bounds as new ones.

use std::collections::HashSet;

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use dayfly::SignalPattern;
use serde::Deserialize;
use serde_json::json;

use super::Api;
use super::answer::{answer, failure, read};
use super::intake::refused;
use super::listing::{NO_TYPES, is_blank};
use crate::serve::relay::{AcceptError, Relay, Replay};
use crate::serve::telemetry::in_span;

const USUAL_LIMIT: usize = 100;
const MOST: usize = 1_000;

/// More than a thousand of the longest ids.
const BODY_BYTES: usize = 256 * 1024;

/// Which parked events are handed in again.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    endpoint: String,
    #[serde(default)]
    ids: Option<HashSet<String>>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    after: u64,
    #[serde(default)]
    limit: Option<usize>,
}

pub(super) async fn replay(State(api): State<Api>, request: Request) -> Response {
    in_span("POST /events/replay", "/events/replay", replayed(&api.relay, request)).await
}

async fn replayed(relay: &Relay, request: Request) -> Response {
    let within = relay.settings().limits.request_timeout.0;
    let body = match read(request, BODY_BYTES, within).await {
        Ok(body) => body,
        Err(unread) => return unread.answer(),
    };
    let Wanted { endpoint, ids, kind, after, limit } = match serde_json::from_slice(&body) {
        Ok(wanted) => wanted,
        Err(wrong) => return failure(StatusCode::BAD_REQUEST, wrong.to_string()),
    };
    let limit = limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return failure(StatusCode::BAD_REQUEST, format!("limit: a number from 1 to {MOST} is wanted"));
    }
    if kind.as_deref().is_some_and(is_blank) {
        return failure(StatusCode::BAD_REQUEST, NO_TYPES);
    }
    match relay.endpoint(&endpoint) {
        None => return failure(StatusCode::NOT_FOUND, "there is no endpoint of this name"),
        Some(endpoint) if endpoint.disabled().is_some() => {
            return failure(StatusCode::CONFLICT, "the endpoint is disabled: enable it first");
        }
        Some(_) => {}
    }
    let which = Replay { endpoint, ids, kind: kind.map(SignalPattern::new), after, limit };
    match relay.replay(which).await {
        Ok((replayed, next)) => answer(StatusCode::OK, &json!({ "replayed": replayed, "next": next })),
        Err(AcceptError::Ledger(error)) => {
            relay.log().warn(format!("a replay ended early: {}", crate::serve::log::chain(&error)));
            failure(StatusCode::SERVICE_UNAVAILABLE, "some events may have been replayed: ask again")
        }
        Err(error) => refused(relay, &error),
    }
}
