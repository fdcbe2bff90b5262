//! `GET /events`: what waits or is parked, page by page.

mod parked;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use dayfly::SignalPattern;
use serde::Deserialize;
use serde_json::{Value, json};

use self::parked::parked;
use super::Api;
use super::answer::{answer, failure};
use crate::serve::event::Event;
use crate::serve::ledger::LedgerError;
use crate::serve::log::chain;
use crate::serve::settings::EndpointName;

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
    /// A pattern of types, as endpoints have it.
    #[serde(rename = "type")]
    kind: Option<String>,
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
    let Wanted { state, endpoint, kind, after, .. } = wanted;
    if let Some(Err(wrong)) = endpoint.as_deref().map(str::parse::<EndpointName>) {
        return failure(StatusCode::BAD_REQUEST, format!("endpoint: {wrong}"));
    }
    if kind.as_deref().is_some_and(is_blank) {
        return failure(StatusCode::BAD_REQUEST, NO_TYPES);
    }
    let which = Which { endpoint, kind: kind.map(SignalPattern::new), after, limit };
    let listed = match state {
        Of::Waiting => waiting(&api, &which).await,
        Of::Parked => parked(&api, &which).await,
    };
    match listed {
        Ok((events, next)) => answer(StatusCode::OK, &json!({ "events": events, "next": next })),
        Err(error) => {
            api.relay.log().warn(format!("events cannot be listed: {}", chain(&error)));
            failure(StatusCode::SERVICE_UNAVAILABLE, error.to_string())
        }
    }
}

/// What is said of a pattern that nothing has a type for.
pub(super) const NO_TYPES: &str = "type: a pattern of event types such as `order.*` is wanted";

pub(super) fn is_blank(pattern: &str) -> bool {
    pattern.trim().is_empty()
}

/// Which events are listed.
#[derive(Debug)]
struct Which {
    endpoint: Option<String>,
    kind: Option<SignalPattern>,
    after: u64,
    limit: usize,
}

impl Which {
    fn wants(&self, event: &Event) -> bool {
        self.kind.as_ref().is_none_or(|kind| kind.matches(&event.kind))
    }
}

type Listed = (Vec<Value>, Option<u64>);

async fn waiting(api: &Api, which: &Which) -> Result<Listed, LedgerError> {
    let ledger = api.relay.ledger();
    let (mut events, mut from, mut looked_at) = (Vec::new(), which.after.saturating_add(1), 0);
    loop {
        let page = ledger.page(from, ledger.settled(), AT_ONCE).await?;
        for (number, record) in page.records {
            looked_at += 1;
            let is_for = |endpoint: &String| record.waiting.contains(endpoint);
            if !which.endpoint.as_ref().is_none_or(is_for) || !which.wants(&record.event) {
                continue;
            }
            let mut event = described(number, &record.event);
            event["waiting"] = json!(record.waiting);
            events.push(event);
            if events.len() == which.limit {
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
