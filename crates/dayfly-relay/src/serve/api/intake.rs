//! `POST /events`

use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use super::Api;
use super::answer::{answer, failure, later, read};
use crate::serve::log::chain;
use crate::serve::parse::{Bounds, parse};
use crate::serve::relay::{AcceptError, BACKLOG_PAUSE, Relay};
use crate::serve::telemetry::in_span;

/// Takes the events of a body in, all or none, and says so when they are durable.
pub(super) async fn take(State(api): State<Api>, request: Request) -> Response {
    in_span("POST /events", "/events", taken(&api.relay, request)).await
}

async fn taken(relay: &Relay, request: Request) -> Response {
    if relay.is_draining() {
        return refused(relay, &AcceptError::Draining);
    }
    let limits = relay.settings().limits;
    let body = match read(request, limits.body_bytes.to_usize(), limits.request_timeout.0).await {
        Ok(body) => body,
        Err(unread) => return unread.answer(),
    };
    let bounds =
        Bounds { events: limits.events_per_request.to_usize(), event_bytes: limits.event_bytes.to_usize() };
    let submissions = match parse(&body, bounds) {
        Ok(submissions) => submissions,
        Err(bad) if bad.too_large => return answer(StatusCode::PAYLOAD_TOO_LARGE, &bad),
        Err(bad) => return answer(StatusCode::BAD_REQUEST, &bad),
    };
    match relay.accept(submissions).await {
        Ok(receipts) => {
            let duplicates = receipts.iter().filter(|receipt| receipt.duplicate).count();
            let accepted = receipts.len() - duplicates;
            let body = json!({ "accepted": accepted, "duplicates": duplicates, "events": receipts });
            answer(StatusCode::ACCEPTED, &body)
        }
        Err(error) => refused(relay, &error),
    }
}

pub(super) fn refused(relay: &Relay, error: &AcceptError) -> Response {
    match error {
        AcceptError::Backlog => later(StatusCode::TOO_MANY_REQUESTS, error.to_string(), BACKLOG_PAUSE),
        AcceptError::Draining => later(StatusCode::SERVICE_UNAVAILABLE, error.to_string(), BACKLOG_PAUSE),
        AcceptError::Ledger(_) | AcceptError::Ended(_) => {
            relay.log().warn(format!("events are not taken in: {}", chain(error)));
            // The details of the store are for the operator.
            failure(
                StatusCode::SERVICE_UNAVAILABLE,
                "the events may or may not have been kept: send them again",
            )
        }
    }
}
