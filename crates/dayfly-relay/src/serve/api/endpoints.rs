//! `GET /endpoints` and `POST /endpoints/{name}/enable`

use std::collections::BTreeMap;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;
use serde_json::json;

use super::Api;
use super::answer::{answer, failure};
use crate::serve::endpoint::Endpoint;
use crate::serve::ledger::Disabled;

/// What is told of an endpoint. Its secrets are not, and of its URL only where it leads to.
#[derive(Debug, Serialize)]
struct Told {
    name: String,
    url: String,
    key: String,
    max_concurrency: usize,
    /// Why and since when it gets nothing, if it does not.
    disabled: Option<Disabled>,
    circuit: &'static str,
    circuit_openings: u64,
    /// Whether it is left alone for a while because it asked for it.
    slow: bool,
    /// Events that wait for it, those in its queue included.
    waiting: u64,
    parked: u64,
    queued: u64,
    running: u64,
    attempts: u64,
    delivered: u64,
    parked_since_start: u64,
}

pub(super) async fn list(State(api): State<Api>) -> Response {
    let endpoints: Vec<Told> = api.relay.endpoints().values().map(|endpoint| told(&api, endpoint)).collect();
    let figures = api.relay.ledger().counts().figures();
    let is_gone = |name: &str| endpoints.iter().all(|told| told.name != name);
    // What was taken out of the configuration, and still has something here.
    let mut gone = BTreeMap::<&str, [u64; 2]>::new();
    for (place, counts) in [&figures.waiting, &figures.parked].into_iter().enumerate() {
        for (name, count) in counts.iter().filter(|(name, count)| **count > 0 && is_gone(name)) {
            gone.entry(name).or_default()[place] = *count;
        }
    }
    let gone: Vec<_> = gone
        .into_iter()
        .map(|(name, [waiting, parked])| json!({ "name": name, "waiting": waiting, "parked": parked }))
        .collect();
    answer(StatusCode::OK, &json!({ "endpoints": endpoints, "gone": gone }))
}

pub(super) async fn enable(State(api): State<Api>, name: Result<Path<String>, PathRejection>) -> Response {
    let name = match name {
        Ok(Path(name)) => name,
        Err(wrong) => return failure(StatusCode::BAD_REQUEST, wrong.body_text()),
    };
    match api.relay.endpoint(&name) {
        Some(endpoint) => {
            let was_disabled = endpoint.enable().await;
            answer(StatusCode::OK, &json!({ "name": name, "was_disabled": was_disabled }))
        }
        None => failure(StatusCode::NOT_FOUND, "there is no endpoint of this name"),
    }
}

fn told(api: &Api, endpoint: &Endpoint) -> Told {
    let (live, stats, counts) = (endpoint.live(), endpoint.stats(), api.relay.ledger().counts());
    let [attempts, delivered, parked_since_start] = endpoint.tally();
    Told {
        name: endpoint.name().to_owned(),
        url: live.settings.url.shown(),
        key: live.settings.key.to_string(),
        max_concurrency: stats.max_concurrency,
        disabled: endpoint.disabled(),
        circuit: endpoint.circuit().state().as_str(),
        circuit_openings: endpoint.circuit().stats().openings,
        slow: endpoint.is_slow(),
        waiting: counts.waiting_for(endpoint.name()),
        parked: counts.parked_for(endpoint.name()),
        queued: stats.pending,
        running: stats.running,
        attempts,
        delivered,
        parked_since_start,
    }
}
