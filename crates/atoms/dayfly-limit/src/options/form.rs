//! The options of limiters as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{HumanDuration, Table, duration, duration_or_never, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{KeyedLimiterOptions, LimiterOptions, rules};

/// Serde checks that these are the fields of [`LimiterOptions`], so none can be forgotten. Whether the limit may be zero
/// is known when all are read.
#[derive(Deserialize, Serialize)]
#[serde(remote = "LimiterOptions", default = "LimiterOptions::new", deny_unknown_fields)]
struct Form {
    limit: usize,
    allow_zero: bool,
    #[serde(serialize_with = "duration_or_never::serialize", deserialize_with = "age_after")]
    age_after: Option<Duration>,
    #[serde(serialize_with = "duration::serialize", deserialize_with = "claim_within")]
    claim_within: Duration,
}

/// Serde checks that these are the fields of [`KeyedLimiterOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "KeyedLimiterOptions", default = "KeyedLimiterOptions::new", deny_unknown_fields)]
struct KeyedForm {
    #[serde(deserialize_with = "total")]
    limit: usize,
    #[serde(deserialize_with = "limit_per_key")]
    limit_per_key: usize,
    #[serde(deserialize_with = "max_keys")]
    max_keys: usize,
    #[serde(serialize_with = "duration_or_never::serialize", deserialize_with = "age_after")]
    age_after: Option<Duration>,
    #[serde(serialize_with = "duration::serialize", deserialize_with = "claim_within")]
    claim_within: Duration,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] LimiterOptions);

#[derive(Deserialize)]
#[serde(transparent)]
struct KeyedFormed(#[serde(with = "KeyedForm")] KeyedLimiterOptions);

impl Serialize for LimiterOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for LimiterOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let Table(Formed(options)) = Table::deserialize(input)?;
        obeyed(rules::limit(options.limit, options.allow_zero), options.limit)?;
        Ok(options)
    }
}

impl Serialize for KeyedLimiterOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        KeyedForm::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for KeyedLimiterOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(KeyedFormed(options))| options)
    }
}

fn total<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let permits = usize::deserialize(input)?;
    obeyed(rules::total(permits), permits)
}

fn limit_per_key<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let permits = usize::deserialize(input)?;
    obeyed(rules::limit_per_key(permits), permits)
}

fn max_keys<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let keys = usize::deserialize(input)?;
    obeyed(rules::max_keys(keys), keys)
}

fn claim_within<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let time = HumanDuration::deserialize(input)?;
    obeyed(rules::claim_within(time.0), time)
}

fn age_after<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let wait = duration_or_never::deserialize(input)?;
    wait.map(|wait| obeyed(rules::age_after(wait), HumanDuration(wait))).transpose()
}
