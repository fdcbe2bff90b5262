//! The options of a file store as configuration writes them.

use dayfly_signal::setting::{Table, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FileOptions, rules};

/// Serde checks that these are the fields of [`FileOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "FileOptions", default = "FileOptions::new", deny_unknown_fields)]
struct Form {
    max_value_bytes: usize,
    #[serde(deserialize_with = "max_threads")]
    max_threads: usize,
    #[serde(deserialize_with = "watch_history")]
    watch_history: usize,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] FileOptions);

impl Serialize for FileOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for FileOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn watch_history<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let changes = usize::deserialize(input)?;
    obeyed(rules::watch_history(changes), changes)
}

fn max_threads<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let threads = usize::deserialize(input)?;
    obeyed(rules::max_threads(threads), threads)
}
