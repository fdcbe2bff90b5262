//! The options of limiters as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{HumanDuration, Table, duration, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{KeyedLimiterOptions, LimiterOptions, rules};

/// Serde checks that these are the fields of [`LimiterOptions`], so none can be forgotten. Whether the limit may be zero
/// is known when all are read.
#[derive(Deserialize, Serialize)]
#[serde(remote = "LimiterOptions", default = "LimiterOptions::new", deny_unknown_fields)]
struct Form {
    limit: usize,
    allow_zero: bool,
    #[serde(with = "age_after")]
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
    #[serde(with = "age_after")]
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

/// `"30s"`, or `"never"`: what is left out has the default, so that there must be a word for it.
mod age_after {
    use std::borrow::Cow;

    use serde::de::IntoDeserializer;
    use serde::de::value::{CowStrDeserializer, Error as Wrong};

    use super::{Deserialize, Deserializer, Duration, HumanDuration, Serialize, Serializer, obeyed, rules};

    const NEVER: &str = "never";

    #[expect(clippy::ref_option, reason = "serde hands the field over as it is")]
    pub(super) fn serialize<S: Serializer>(age: &Option<Duration>, output: S) -> Result<S::Ok, S::Error> {
        match age {
            Some(age) => HumanDuration(*age).serialize(output),
            None => output.serialize_str(NEVER),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
        let text = Cow::<str>::deserialize(input)?;
        if text == NEVER {
            return Ok(None);
        }
        let text: CowStrDeserializer<'_, Wrong> = text.into_deserializer();
        let wait = HumanDuration::deserialize(text).map_err(serde::de::Error::custom)?;
        obeyed(rules::age_after(wait.0), wait).map(Some)
    }
}
