//! The options of a sink as configuration writes them.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{SignalOptions, rules};
use crate::PatternSet;
use crate::setting::{HumanDuration, Table, duration, obeyed};

/// Serde checks that these are the fields of [`SignalOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "SignalOptions", default = "SignalOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "capacity")]
    capacity: usize,
    #[serde(serialize_with = "duration::serialize", deserialize_with = "max_age")]
    max_age: Duration,
    #[serde(deserialize_with = "max_raised")]
    max_raised: usize,
    #[serde(deserialize_with = "subscription_capacity")]
    subscription_capacity: usize,
    #[serde(deserialize_with = "max_depth")]
    max_depth: u32,
    terminal: PatternSet,
    leaf: PatternSet,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] SignalOptions);

impl Serialize for SignalOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for SignalOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn capacity<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    // No capacity is wrong: the setter itself says what is kept.
    Ok(SignalOptions::new().capacity(usize::deserialize(input)?).capacity)
}

fn max_age<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let age = HumanDuration::deserialize(input)?;
    obeyed(rules::max_age(age.0), age)
}

fn max_raised<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let names = usize::deserialize(input)?;
    obeyed(rules::max_raised(names), names)
}

fn subscription_capacity<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let events = usize::deserialize(input)?;
    obeyed(rules::subscription_capacity(events), events)
}

fn max_depth<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let signals = u32::deserialize(input)?;
    obeyed(rules::max_depth(signals), signals)
}
