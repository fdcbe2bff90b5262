//! The options of a retry as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{Checked, HumanDuration, Table, obeyed, optional_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RetryOptions, rules};
use crate::Backoff;

/// Serde checks that these are the fields of [`RetryOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "RetryOptions", default = "RetryOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "attempts")]
    attempts: u32,
    #[serde(serialize_with = "optional_duration::serialize", deserialize_with = "attempt_timeout")]
    attempt_timeout: Option<Duration>,
    #[serde(serialize_with = "optional_duration::serialize", deserialize_with = "total_timeout")]
    total_timeout: Option<Duration>,
    backoff: Backoff,
    seed: Option<u64>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] RetryOptions);

impl Serialize for RetryOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for RetryOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn attempts<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let attempts = u32::deserialize(input)?;
    obeyed(rules::attempts(attempts), attempts)
}

fn attempt_timeout<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    timeout(input, rules::attempt_timeout)
}

fn total_timeout<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    timeout(input, rules::total_timeout)
}

fn timeout<'de, D: Deserializer<'de>>(
    input: D,
    rule: fn(Duration) -> Checked<Duration>,
) -> Result<Option<Duration>, D::Error> {
    let given = Option::<HumanDuration>::deserialize(input)?;
    given.map(|given| obeyed(rule(given.0), given)).transpose()
}
