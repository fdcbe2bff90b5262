//! The options of a database file as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{HumanDuration, Table, obeyed, optional_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RedbOptions, rules};

/// Serde checks that these are the fields of [`RedbOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "RedbOptions", default = "RedbOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "max_value_bytes")]
    max_value_bytes: usize,
    #[serde(deserialize_with = "queue_capacity")]
    queue_capacity: usize,
    #[serde(serialize_with = "optional_duration::serialize", deserialize_with = "sync_within")]
    sync_within: Option<Duration>,
    #[serde(deserialize_with = "watch_history")]
    watch_history: usize,
    cache_bytes: usize,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] RedbOptions);

impl Serialize for RedbOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for RedbOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn max_value_bytes<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let bytes = usize::deserialize(input)?;
    obeyed(rules::max_value_bytes(bytes), bytes)
}

fn queue_capacity<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let writes = usize::deserialize(input)?;
    obeyed(rules::queue_capacity(writes), writes)
}

fn sync_within<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let time = Option::<HumanDuration>::deserialize(input)?;
    time.map(|time| obeyed(rules::sync_within(time.0), time)).transpose()
}

fn watch_history<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let changes = usize::deserialize(input)?;
    obeyed(rules::watch_history(changes), changes)
}
