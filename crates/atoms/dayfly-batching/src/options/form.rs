//! The options as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{Checked, Table, duration, duration_or_never, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BatcherOptions, rules};

/// Serde checks that these are the fields of [`BatcherOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "BatcherOptions", default = "BatcherOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "max_items")]
    max_items: usize,
    #[serde(deserialize_with = "max_weight")]
    max_weight: Option<u64>,
    #[serde(with = "duration_or_never")]
    max_delay: Option<Duration>,
    #[serde(deserialize_with = "queue_capacity")]
    queue_capacity: Option<usize>,
    #[serde(deserialize_with = "max_in_flight")]
    max_in_flight: usize,
    #[serde(deserialize_with = "max_keys")]
    max_keys: usize,
    #[serde(with = "duration")]
    cancel_grace: Duration,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] BatcherOptions);

impl Serialize for BatcherOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for BatcherOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn count<'de, D: Deserializer<'de>>(input: D, rule: fn(usize) -> Checked<usize>) -> Result<usize, D::Error> {
    let given = usize::deserialize(input)?;
    obeyed(rule(given), given)
}

fn max_items<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    count(input, rules::max_items)
}

fn max_in_flight<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    count(input, rules::max_in_flight)
}

fn max_keys<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    count(input, rules::max_keys)
}

fn max_weight<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u64>, D::Error> {
    let weight = Option::<u64>::deserialize(input)?;
    weight.map(|weight| obeyed(rules::max_weight(weight), weight)).transpose()
}

fn queue_capacity<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let items = Option::<usize>::deserialize(input)?;
    items.map(|items| obeyed(rules::queue_capacity(items), items)).transpose()
}
