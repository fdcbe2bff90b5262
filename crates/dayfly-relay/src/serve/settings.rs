//! `relay.toml`: what the relay is told by its operator.
//!
//! Every value is checked where it is read, so that an error names the file, the place and the key.

mod endpoint;
mod telemetry;
mod text;
mod url;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use dayfly_config::Invalid;
use dayfly_limit::KeyedLimiterOptions;
use serde::Deserialize;
use thiserror::Error;

pub use endpoint::{CircuitSettings, EndpointSettings, HookUrl, ParseUrlError, RateSettings, RetrySettings};
pub use telemetry::{CollectorUrl, ParseCollectorError, ParseServiceError, ServiceName, TelemetrySettings};
pub use text::{EndpointName, Human, ParseNameError, Whole};

use super::addresses::is_public;

/// Everything that `relay.toml` says.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Where the API listens. It holds from the start on.
    pub listen: SocketAddr,
    /// Where events are kept. It holds from the start on.
    pub store: StoreSpec,
    /// Whether receivers may be in private networks.
    pub allow_private_addresses: bool,
    /// How long deliveries under way may take to end when the relay is asked to stop.
    pub drain_deadline: Human,
    /// How long an id is remembered, so that the same event is not taken in twice. It holds from the start on.
    pub idempotency_window: Human,
    /// How long a parked event is kept. It holds from the start on.
    pub keep_parked: Human,
    /// The bounds of the API.
    pub limits: Limits,
    /// Where spans and figures go. It holds from the start on.
    pub telemetry: TelemetrySettings,
    /// The receivers, by name.
    pub endpoints: BTreeMap<EndpointName, EndpointSettings>,
}

/// The bounds of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Bytes of a request's body.
    pub body_bytes: Whole<1, { 256 << 20 }>,
    /// Bytes of one event's data.
    pub event_bytes: Whole<1, { 64 << 20 }>,
    /// Events of one request.
    pub events_per_request: Whole<1, 100_000>,
    /// Events that wait for their delivery.
    pub backlog: Whole<1, { u64::MAX }>,
    /// Requests to receivers at once, over all endpoints.
    pub requests: Whole<1, 100_000>,
    /// Requests to one host at once, over all endpoints that lead there.
    pub requests_per_host: Whole<1, 100_000>,
    /// Open connections. It holds from the start on.
    pub connections: Whole<1, 100_000>,
    /// How long a client may take to send the head of a request, and its body.
    pub request_timeout: Human,
}

/// Where events are kept: `redb:<file>`, `file:<folder>` or `memory`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum StoreSpec {
    /// In a file, the default.
    Redb(PathBuf),
    /// In a folder, one file for each entry.
    File(PathBuf),
    /// In memory: nothing outlives the process.
    Memory,
}

/// A text that names no store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a store is `redb:<file>`, `file:<folder>` or `memory`")]
pub struct ParseStoreError;

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8_080)),
            store: StoreSpec::Redb(PathBuf::from("relay.db")),
            allow_private_addresses: false,
            drain_deadline: Human(Duration::from_secs(30)),
            idempotency_window: Human(Duration::from_secs(24 * 60 * 60)),
            keep_parked: Human(Duration::from_secs(30 * 24 * 60 * 60)),
            limits: Limits::default(),
            telemetry: TelemetrySettings::default(),
            endpoints: BTreeMap::new(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: Whole(1 << 20),
            event_bytes: Whole(256 << 10),
            events_per_request: Whole(1_000),
            backlog: Whole(1_000_000),
            requests: Whole(1_024),
            requests_per_host: Whole(128),
            connections: Whole(1_024),
            request_timeout: Human(Duration::from_secs(10)),
        }
    }
}

impl Limits {
    /// The bounds of requests to receivers.
    pub(super) fn of_requests(&self) -> KeyedLimiterOptions {
        KeyedLimiterOptions::new()
            .limit(self.requests.to_usize())
            .limit_per_key(self.requests_per_host.to_usize())
    }
}

impl Settings {
    /// What can only be checked with all values at hand.
    ///
    /// # Errors
    /// Names each key that is wrong.
    pub fn check(&self) -> Result<(), Invalid> {
        let mut wrong: Vec<Invalid> = self.telemetry.wrong().collect();
        for (name, endpoint) in &self.endpoints {
            let at = |key: &str| format!("endpoints.{name}.{key}");
            if endpoint.secrets.is_empty() {
                wrong.push(Invalid::at(at("secrets"), "at least one secret is wanted"));
            }
            if !self.allow_private_addresses
                && let Some(address) = endpoint.url.address().filter(|address| !is_public(*address))
            {
                let rule =
                    format!("{address} is no public address; `allow_private_addresses = true` allows it");
                wrong.push(Invalid::at(at("url"), rule));
            }
            if endpoint.retry.base.0 > endpoint.retry.cap.0 {
                wrong.push(Invalid::at(at("retry.base"), "the first wait is longer than the longest, `cap`"));
            }
            if let Some(rate) = endpoint.rate
                && !(Duration::from_millis(1)..=endpoint::LONGEST_PERIOD).contains(&rate.per.0)
            {
                wrong.push(Invalid::at(at("rate.per"), "a period from 1ms to 1day is wanted"));
            }
            if endpoint.circuit.open_for.0.is_zero() {
                wrong.push(Invalid::at(at("circuit.open_for"), "a circuit is open for more than no time"));
            }
        }
        match wrong.into_iter().reduce(Invalid::and) {
            None => Ok(()),
            Some(invalid) => Err(invalid),
        }
    }

    /// The settings that are different and that hold from the start on.
    #[must_use]
    pub fn fixed_differences(&self, other: &Self) -> Vec<&'static str> {
        let differences = [
            (self.listen != other.listen, "listen"),
            (self.store != other.store, "store"),
            (self.idempotency_window != other.idempotency_window, "idempotency_window"),
            (self.keep_parked != other.keep_parked, "keep_parked"),
            (self.limits.connections != other.limits.connections, "limits.connections"),
            (self.limits.request_timeout != other.limits.request_timeout, "limits.request_timeout"),
            (self.telemetry != other.telemetry, "telemetry"),
        ];
        differences.into_iter().filter_map(|(differs, name)| differs.then_some(name)).collect()
    }
}

impl FromStr for StoreSpec {
    type Err = ParseStoreError;

    fn from_str(text: &str) -> Result<Self, ParseStoreError> {
        let path = |path: &str| if path.is_empty() { Err(ParseStoreError) } else { Ok(PathBuf::from(path)) };
        match text.split_once(':') {
            None if text == "memory" => Ok(Self::Memory),
            Some(("redb", file)) => path(file).map(Self::Redb),
            Some(("file", folder)) => path(folder).map(Self::File),
            _ => Err(ParseStoreError),
        }
    }
}

impl TryFrom<String> for StoreSpec {
    type Error = ParseStoreError;

    fn try_from(text: String) -> Result<Self, ParseStoreError> {
        text.parse()
    }
}

#[cfg(test)]
mod tests;
