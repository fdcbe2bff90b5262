//! The options as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{HumanDuration, Table, duration, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{OtlpOptions, rules};

/// Serde checks that these are the fields of [`OtlpOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "OtlpOptions", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "endpoint")]
    endpoint: String,
    #[serde(default = "service_name")]
    service_name: String,
    #[serde(
        default = "default_interval",
        serialize_with = "duration::serialize",
        deserialize_with = "interval"
    )]
    interval: Duration,
    #[serde(
        default = "default_timeout",
        serialize_with = "duration::serialize",
        deserialize_with = "timeout"
    )]
    timeout: Duration,
    #[serde(default = "default_sample", deserialize_with = "sample")]
    sample: f64,
    #[serde(default = "filter")]
    filter: String,
    #[serde(default)]
    log: Option<String>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] OtlpOptions);

impl Serialize for OtlpOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for OtlpOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn defaults() -> OtlpOptions {
    OtlpOptions::new(String::new())
}

fn service_name() -> String {
    defaults().service_name
}

fn default_interval() -> Duration {
    defaults().interval
}

fn default_timeout() -> Duration {
    defaults().timeout
}

fn default_sample() -> f64 {
    defaults().sample
}

fn filter() -> String {
    defaults().filter
}

fn endpoint<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    let options = OtlpOptions::new(String::deserialize(input)?);
    options.base().map_err(serde::de::Error::custom)?;
    Ok(options.endpoint)
}

fn interval<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let interval = HumanDuration::deserialize(input)?;
    obeyed(rules::interval(interval.0), interval)
}

fn timeout<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let timeout = HumanDuration::deserialize(input)?;
    obeyed(rules::timeout(timeout.0), timeout)
}

fn sample<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(input)?;
    obeyed(rules::sample(share), share)
}
