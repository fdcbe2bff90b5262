//! The options of a store in memory as configuration writes them.

use dayfly_signal::setting::{Table, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{MemoryOptions, rules};

/// Serde checks that these are the fields of [`MemoryOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "MemoryOptions", default = "MemoryOptions::new", deny_unknown_fields)]
struct Form {
    max_value_bytes: usize,
    #[serde(deserialize_with = "watch_history")]
    watch_history: usize,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] MemoryOptions);

impl Serialize for MemoryOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for MemoryOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn watch_history<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let changes = usize::deserialize(input)?;
    obeyed(rules::watch_history(changes), changes)
}
