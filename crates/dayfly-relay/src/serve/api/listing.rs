//! `GET /events`: what waits or is parked, page by page.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::answer::{answer, failure};
use crate::serve::event::Event;
use crate::serve::ledger::LedgerError;
use crate::serve::log::chain;

const USUAL_LIMIT: usize = 100;
const MOST: usize = 1_000;

/// How many records one request looks at; where few of them are wanted, the page is short and has a next one.
const LOOKED_AT: usize = 10_000;
const AT_ONCE: usize = 64;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    #[serde(default)]
    state: Of,
    endpoint: Option<String>,
    /// The number after which the page begins.
    #[serde(default)]
    after: u64,
    limit: Option<usize>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of {
    #[default]
    Waiting,
    #[serde(alias = "failed")]
    Parked,
}

pub(super) async fn list(State(api): State<Api>, wanted: Result<Query<Wanted>, QueryRejection>) -> Response {
    let wanted = match wanted {
        Ok(Query(wanted)) => wanted,
        Err(wrong) => return failure(StatusCode::BAD_REQUEST, wrong.body_text()),
    };
    let limit = wanted.limit.unwrap_or(USUAL_LIMIT);
    if !(1..=MOST).contains(&limit) {
        return failure(StatusCode::BAD_REQUEST, format!("limit: a number from 1 to {MOST} is wanted"));
    }
    let listed = match (wanted.state, &wanted.endpoint) {
        (Of::Waiting, endpoint) => waiting(&api, endpoint.as_deref(), wanted.after, limit).await,
        (Of::Parked, Some(endpoint)) => parked(&api, endpoint, wanted.after, limit).await,
        (Of::Parked, None) => {
            return failure(StatusCode::BAD_REQUEST, "endpoint: what is parked is listed for one endpoint");
        }
    };
    match listed {
        Ok((events, next)) => answer(StatusCode::OK, &json!({ "events": events, "next": next })),
        Err(error) => {
            api.relay.log().warn(format!("events cannot be listed: {}", chain(&error)));
            failure(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
    }
}

type Listed = (Vec<Value>, Option<u64>);

async fn waiting(api: &Api, endpoint: Option<&str>, after: u64, limit: usize) -> Result<Listed, LedgerError> {
    let ledger = api.relay.ledger();
    let (mut events, mut from, mut looked_at) = (Vec::new(), after.saturating_add(1), 0);
    loop {
        let page = ledger.page(from, ledger.settled(), AT_ONCE).await?;
        for (number, record) in page.records {
            looked_at += 1;
            if endpoint.is_some_and(|endpoint| record.waiting.iter().all(|waiting| waiting != endpoint)) {
                continue;
            }
            let mut event = described(number, &record.event);
            event["waiting"] = json!(record.waiting);
            events.push(event);
            if events.len() == limit {
                return Ok((events, Some(number)));
            }
        }
        match page.more_from {
            None => return Ok((events, None)),
            Some(next) if looked_at >= LOOKED_AT => return Ok((events, Some(next - 1))),
            Some(next) => from = next,
        }
    }
}

async fn parked(api: &Api, endpoint: &str, after: u64, limit: usize) -> Result<Listed, LedgerError> {
    let (mut events, mut next) = (Vec::new(), Some(after));
    while let Some(after) = next.filter(|_| events.len() < limit) {
        let page = api.relay.ledger().parked_page(endpoint, after, AT_ONCE.min(limit - events.len())).await?;
        for (number, parked) in page.parked {
            let mut event = described(number, &parked.event);
            event["error"] = json!(parked.error);
            event["attempts"] = json!(parked.attempts);
            event["since"] = json!(parked.since);
            events.push(event);
        }
        next = page.more_after;
    }
    Ok((events, next))
}

/// An event without its data, which may be large and is nobody's business here.
fn described(number: u64, event: &Event) -> Value {
    json!({
        "number": number,
        "id": event.id,
        "type": event.kind,
        "key": event.key,
        "received": event.received,
        "bytes": event.data.get().len(),
    })
}
