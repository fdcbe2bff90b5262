//! What the relay is told of one receiver.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use dayfly::SignalPattern;
use dayfly_adaptive_rate::RateOptions;
use dayfly_circuit_breaker::BreakerOptions;
use dayfly_config::Secret as Hidden;
use dayfly_retry::{Backoff, Jitter, RetryOptions};
use reqwest::Url;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

use super::text::{Human, Whole};
use super::url::{has_credentials, of_http};
use crate::serve::ordering::Ordering;
use crate::webhook::Secret;

/// One receiver.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointSettings {
    /// Where its events go.
    pub url: HookUrl,
    /// What its events are signed with: more than one while the secret is being changed.
    pub secrets: Vec<Hidden<Secret>>,
    /// The types of events that it gets; `*` is any run of characters and `?` any one.
    #[serde(default = "every_type")]
    pub events: Vec<Glob>,
    /// What its events are ordered by.
    #[serde(default = "by_key")]
    pub key: Ordering,
    /// Deliveries at once.
    #[serde(default = "eight")]
    pub max_concurrency: Whole<1, 1_024>,
    /// Events that may wait for it. What comes beyond that is parked, so that the others are not held up.
    #[serde(default = "hundred_thousand")]
    pub max_waiting: Whole<1, { u64::MAX }>,
    /// How long it has to answer.
    #[serde(default = "fifteen_seconds")]
    pub timeout: Human,
    /// How often an event is tried, and when.
    #[serde(default)]
    pub retry: RetrySettings,
    /// When it is left alone for a while.
    #[serde(default)]
    pub circuit: CircuitSettings,
    /// How often it is asked; without it, as often as `max_concurrency` allows.
    #[serde(default)]
    pub rate: Option<RateSettings>,
}

/// How often an endpoint is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateSettings {
    /// Attempts in each period.
    pub limit: Whole<1, 1_000_000_000>,
    /// The period.
    #[serde(default = "one_second")]
    pub per: Human,
    /// Attempts at once, after a time without any; without it, as many as `limit`.
    #[serde(default)]
    pub burst: Option<Whole<1, 1_000_000_000>>,
}

/// The longest period of a rate.
pub(super) const LONGEST_PERIOD: Duration = Duration::from_secs(24 * 60 * 60);

/// How often an event is tried, and when.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetrySettings {
    /// Attempts in all, the first included.
    pub attempts: Whole<1, 1_000>,
    /// The wait after the first attempt; each further wait is twice as long.
    pub base: Human,
    /// The longest wait, also of what a receiver asks for.
    pub cap: Human,
    /// How many retries there may be for each event, over all events of the endpoint; without it, as many as `attempts`
    /// allows. What finds the budget used up is parked.
    pub budget: Option<Share>,
}

/// When an endpoint is left alone for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CircuitSettings {
    /// Breakdowns in a row that open the circuit.
    pub failure_threshold: Whole<1, 1_000_000>,
    /// How long it stays open.
    pub open_for: Human,
}

/// A share of retries, from 0 on.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
pub struct Share(pub f64);

/// Where a receiver is: http or https, with a host, and without a name and a password.
#[derive(Clone, PartialEq, Eq)]
pub struct HookUrl(Url);

/// A pattern of event types.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(SignalPattern);

/// A text that is no URL of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a URL such as `https://example.org/hook` is wanted, {0}")]
pub struct ParseUrlError(&'static str);

fn one_second() -> Human {
    Human(Duration::from_secs(1))
}

fn every_type() -> Vec<Glob> {
    vec![Glob(SignalPattern::new("*"))]
}

fn by_key() -> Ordering {
    Ordering::Pointer("/key".to_owned())
}

fn eight() -> Whole<1, 1_024> {
    Whole(8)
}

fn hundred_thousand() -> Whole<1, { u64::MAX }> {
    Whole(100_000)
}

fn fifteen_seconds() -> Human {
    Human(Duration::from_secs(15))
}

impl EndpointSettings {
    /// An endpoint that gets everything, in the order of each key.
    #[must_use]
    pub fn new(url: HookUrl, secrets: impl IntoIterator<Item = Secret>) -> Self {
        Self {
            url,
            secrets: secrets.into_iter().map(Hidden::new).collect(),
            events: every_type(),
            key: by_key(),
            max_concurrency: eight(),
            max_waiting: hundred_thousand(),
            timeout: fifteen_seconds(),
            retry: RetrySettings::default(),
            circuit: CircuitSettings::default(),
            rate: None,
        }
    }

    /// The options of its rate: also without a quota there are pauses, which are bounded as all waits are.
    pub(crate) fn rate_options(&self) -> RateOptions {
        let options = RateOptions::new().without_pause_on().max_keys(1).max_pause(self.retry.cap.0);
        let Some(RateSettings { limit, per, burst }) = self.rate else { return options };
        // The check has told of other periods by then.
        let period = per.0.clamp(Duration::from_millis(1), LONGEST_PERIOD);
        options.starts(limit.to_u32()).burst(burst.unwrap_or(limit).to_u32()).period(period)
    }

    /// The options of its circuit. Whatever runs at once may run as a probe, since none of it is refused: starts wait.
    pub(crate) fn breaker(&self) -> BreakerOptions {
        let CircuitSettings { failure_threshold, open_for } = self.circuit;
        BreakerOptions::new()
            .failure_threshold(failure_threshold.to_u32())
            .open_for(open_for.0)
            .probes(self.max_concurrency.to_u32())
    }

    /// Whether it gets events of this type.
    #[must_use]
    pub fn wants(&self, kind: &str) -> bool {
        self.events.iter().any(|glob| glob.0.matches(kind))
    }
}

impl RetrySettings {
    /// The options of the retrier.
    pub fn options(&self) -> RetryOptions {
        RetryOptions::new().attempts(self.attempts.to_u32()).backoff(self.backoff())
    }

    /// The waits between attempts.
    pub fn backoff(&self) -> Backoff {
        Backoff::exponential(self.base.0).cap(self.cap.0).jitter(Jitter::Full)
    }
}

impl Default for RetrySettings {
    fn default() -> Self {
        Self {
            attempts: Whole(12),
            base: Human(Duration::from_secs(2)),
            cap: Human(Duration::from_secs(15 * 60)),
            budget: None,
        }
    }
}

impl Default for CircuitSettings {
    fn default() -> Self {
        Self { failure_threshold: Whole(5), open_for: Human(Duration::from_secs(15)) }
    }
}

impl HookUrl {
    /// The URL itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// The address, where the URL names one and no host.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        let host = self.0.host_str()?;
        host.trim_start_matches('[').trim_end_matches(']').parse().ok()
    }

    /// The part of it that may be shown: paths and queries of hooks have secrets in them as often as not.
    #[must_use]
    pub fn shown(&self) -> String {
        self.0.origin().ascii_serialization()
    }
}

impl fmt::Debug for HookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HookUrl({}/..)", self.shown())
    }
}

impl FromStr for HookUrl {
    type Err = ParseUrlError;

    fn from_str(text: &str) -> Result<Self, ParseUrlError> {
        let url = of_http(text).map_err(ParseUrlError)?;
        if has_credentials(&url) {
            return Err(ParseUrlError("without a name and a password"));
        }
        Ok(Self(url))
    }
}

/// Read as text, so that an error never repeats it: hooks have secrets in their paths.
impl<'de> Deserialize<'de> for HookUrl {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        String::deserialize(input)?.parse().map_err(serde::de::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Glob {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let text = String::deserialize(input)?;
        if text.trim().is_empty() {
            return Err(serde::de::Error::custom("a pattern of event types such as `order.*` is wanted"));
        }
        Ok(Self(SignalPattern::new(text)))
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let share = f64::deserialize(input)?;
        if (0.0..=1_000.0).contains(&share) {
            Ok(Self(share))
        } else {
            Err(serde::de::Error::custom("a number from 0 to 1000 is wanted"))
        }
    }
}
