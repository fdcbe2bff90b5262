//! The options of a cache as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{Table, duration, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{CacheOptions, rules};

/// Serde checks that these are the fields of [`CacheOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[expect(clippy::struct_field_names, reason = "each is the most of something")]
#[serde(remote = "CacheOptions", default = "CacheOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "max_entries")]
    max_entries: usize,
    max_bytes: usize,
    #[serde(with = "duration")]
    max_age: Duration,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] CacheOptions);

impl Serialize for CacheOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for CacheOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn max_entries<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let entries = usize::deserialize(input)?;
    obeyed(rules::max_entries(entries), entries)
}
