//! Where spans and figures of the relay go.

use std::fmt;
use std::time::Duration;

use dayfly_config::Invalid;
use reqwest::Url;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::text::Human;
use super::url::{has_credentials, of_http};

/// How often figures are told at the most, and at the least.
const INTERVALS: std::ops::RangeInclusive<Duration> =
    Duration::from_millis(100)..=Duration::from_secs(24 * 60 * 60);

/// Where spans and figures go. It all holds from the start on.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetrySettings {
    /// The collector; without one, nothing is sent.
    pub otlp: Option<CollectorUrl>,
    /// What the relay calls itself there.
    pub service_name: ServiceName,
    /// How often figures are sent.
    pub interval: Human,
}

/// Where a collector takes OTLP over HTTP, without `/v1/traces`.
#[derive(Clone, PartialEq, Eq)]
pub struct CollectorUrl(Url);

/// What a service is called: 1 to 255 bytes of text without control characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct ServiceName(String);

/// A text that is no URL of a collector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a URL such as `http://127.0.0.1:4318` is wanted, {0}")]
pub struct ParseCollectorError(&'static str);

/// A text that is no name of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the name of a service is 1 to 255 bytes of text without control characters")]
pub struct ParseServiceError;

impl Default for TelemetrySettings {
    fn default() -> Self {
        Self {
            otlp: None,
            service_name: ServiceName("dayfly-relay".to_owned()),
            interval: Human(Duration::from_secs(10)),
        }
    }
}

impl TelemetrySettings {
    /// What is wrong with values that are each well by themselves.
    pub(super) fn wrong(&self) -> impl Iterator<Item = Invalid> + use<> {
        let is_unheard = self.otlp.is_some() && !cfg!(feature = "otlp");
        let unheard = is_unheard.then(|| {
            let rule = "this relay was built without telemetry: build it with `--features otlp`";
            Invalid::at("telemetry.otlp", rule)
        });
        let interval = (!INTERVALS.contains(&self.interval.0))
            .then(|| Invalid::at("telemetry.interval", "an interval from 100ms to 1day is wanted"));
        unheard.into_iter().chain(interval)
    }
}

impl CollectorUrl {
    /// The URL itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// The part of it that may be shown: collectors that are for hire have secrets in their paths.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl ServiceName {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::str::FromStr for CollectorUrl {
    type Err = ParseCollectorError;

    fn from_str(text: &str) -> Result<Self, ParseCollectorError> {
        let url = of_http(text).map_err(ParseCollectorError)?;
        if has_credentials(&url) {
            let rule = "without a name and a password, which `OTEL_EXPORTER_OTLP_HEADERS` may hold";
            return Err(ParseCollectorError(rule));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(ParseCollectorError("without a query and a fragment"));
        }
        if ["/v1/traces", "/v1/metrics"].iter().any(|path| url.path().trim_end_matches('/').ends_with(path)) {
            return Err(ParseCollectorError("without `/v1/traces` and `/v1/metrics`, which are added"));
        }
        Ok(Self(url))
    }
}

impl fmt::Debug for CollectorUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CollectorUrl({}/..)", self.shown())
    }
}

/// Read as text, so that an error never repeats it.
impl<'de> Deserialize<'de> for CollectorUrl {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

impl TryFrom<String> for ServiceName {
    type Error = ParseServiceError;

    fn try_from(text: String) -> Result<Self, ParseServiceError> {
        let is_name = matches!(text.len(), 1..=255) && !text.chars().any(char::is_control);
        if is_name && !text.trim().is_empty() { Ok(Self(text)) } else { Err(ParseServiceError) }
    }
}
