//! The demo's side of the relay: how its endpoints are set, how a history is handed in, and how it went.

use std::collections::{BTreeMap, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use dayfly::{DrainReport, SignalSink, Stats};
use serde_json::value::to_raw_value;
use tokio::time::Instant;

use super::DemoError;
use super::inbox::{Data, KIND};
use crate::event::Event;
use crate::serve::endpoint::Endpoint;
use crate::serve::event::{BadText, EventKey, Submission};
use crate::serve::ordering::Ordering;
use crate::serve::relay::Relay;
use crate::serve::settings::{
    CircuitSettings, EndpointSettings, Human, RetrySettings, Settings, StoreSpec, Whole,
};
use crate::webhook::Secret;

/// More than all faults of an event and the whole outage of a receiver, if it all fell on one event.
const ATTEMPTS: u64 = 100;

/// Longer than any slow answer of the demo; whoever takes longer is taken for gone.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many events are handed in together.
const AT_ONCE: usize = 256;

/// Where an endpoint's events go.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) name: &'static str,
    pub(super) url: String,
    pub(super) secret: Secret,
}

/// How the endpoints work.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manner {
    /// In the order of each path; otherwise in the order of handing in, whatever the path.
    pub(super) keyed: bool,
    pub(super) concurrency: usize,
    /// How many events are going to be delivered.
    pub(super) total: u64,
}

/// How a delivery went, as the relay saw it.
#[derive(Clone, Debug)]
pub(super) struct Delivered {
    pub(super) drained: DrainReport,
    pub(super) retries: u64,
    pub(super) openings: u64,
    pub(super) peak_backlog: u64,
    pub(super) first_error: Option<String>,
    pub(super) time: Duration,
}

/// What `relay.toml` would say.
pub(super) fn settings(targets: Vec<Target>, manner: Manner, store: PathBuf) -> Result<Settings, DemoError> {
    let mut endpoints = BTreeMap::new();
    for Target { name, url, secret } in targets {
        let url = url.parse().map_err(|wrong| DemoError::Setting(format!("{name}: {wrong}")))?;
        let mut endpoint = EndpointSettings::new(url, [secret]);
        // The one difference that `--unordered` makes.
        if !manner.keyed {
            endpoint.key = Ordering::None;
        }
        endpoint.max_concurrency = Whole(manner.concurrency as u64);
        endpoint.max_waiting = Whole(u64::MAX);
        endpoint.timeout = Human(TIMEOUT);
        endpoint.retry = RetrySettings {
            attempts: Whole(ATTEMPTS),
            base: Human(Duration::from_millis(10)),
            // A receiver cannot ask for less than a second, if it asks for anything.
            cap: Human(Duration::from_secs(1)),
            budget: None,
        };
        endpoint.circuit =
            CircuitSettings { failure_threshold: Whole(5), open_for: Human(Duration::from_millis(100)) };
        let name = name.parse().map_err(|wrong| DemoError::Setting(format!("{name}: {wrong}")))?;
        endpoints.insert(name, endpoint);
    }
    let mut settings = Settings {
        store: StoreSpec::Redb(store),
        allow_private_addresses: true,
        endpoints,
        ..Settings::default()
    };
    settings.limits.backlog = Whole(u64::MAX);
    Ok(settings)
}

/// Hands all events in, in their order.
pub(super) async fn hand_in(relay: &Relay, events: &[Arc<Event>]) -> Result<(), DemoError> {
    for some in events.chunks(AT_ONCE) {
        let submissions = some.iter().map(|event| submission(event)).collect::<Result<_, _>>()?;
        relay.accept(submissions).await?;
    }
    Ok(())
}

fn submission(event: &Event) -> Result<Submission, DemoError> {
    let wrong = |wrong: BadText| DemoError::Setting(format!("{}: {wrong}", event.id));
    // A path that is longer than a key still has a key of its own.
    let key: EventKey = event.path.to_string().parse().or_else(|_| hashed(event)).map_err(wrong)?;
    Ok(Submission {
        id: Some(event.id.parse().map_err(wrong)?),
        kind: KIND.parse().map_err(wrong)?,
        key: Some(key),
        data: to_raw_value(&Data::from(event))?,
    })
}

fn hashed(event: &Event) -> Result<EventKey, BadText> {
    use sha2::{Digest, Sha256};
    hex::encode(Sha256::digest(event.path.as_bytes())).parse()
}

/// Raises a signal at each quarter of an endpoint's way, for whoever wants to tell, until it is dropped.
pub(super) fn tell_quarters(signals: &SignalSink, total: u64) -> impl Drop + use<> {
    let (sink, delivered) = (signals.clone(), Mutex::new(HashMap::<String, u64>::new()));
    let quarter = move |delivered: u64| delivered * 4 / total.max(1);
    signals.listen("event.delivered.*", move |signal| {
        let Some(endpoint) = signal.name().strip_prefix("event.delivered.") else { return };
        let now = {
            let mut delivered = delivered.lock().unwrap_or_else(PoisonError::into_inner);
            let delivered = delivered.entry(endpoint.to_owned()).or_default();
            *delivered += 1;
            *delivered
        };
        if quarter(now - 1) != quarter(now) {
            sink.raise(&*format!("delivery.reached.{endpoint}:{}", quarter(now) * 25));
        }
    })
}

impl Delivered {
    /// Waits until an endpoint has nothing left.
    pub(super) async fn of(endpoint: Endpoint, start: Instant) -> Self {
        endpoint.idle().await;
        let time = start.elapsed();
        let drained = endpoint.stop(TIMEOUT).await;
        let Stats { again, peak_pending, .. } = endpoint.stats();
        Self {
            drained,
            retries: again,
            openings: endpoint.circuit().stats().openings,
            peak_backlog: peak_pending,
            first_error: endpoint.first_error(),
            time,
        }
    }
}
