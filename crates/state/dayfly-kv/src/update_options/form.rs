//! The options of an update as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{Table, duration, obeyed, optional_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{UpdateOptions, rules};

/// Serde checks that these are the fields of [`UpdateOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "UpdateOptions", default = "UpdateOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "attempts")]
    attempts: u32,
    #[serde(with = "duration")]
    delay: Duration,
    #[serde(with = "duration")]
    max_delay: Duration,
    jitter: bool,
    #[serde(with = "optional_duration")]
    time_to_live: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] UpdateOptions);

impl Serialize for UpdateOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for UpdateOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn attempts<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let attempts = u32::deserialize(input)?;
    obeyed(rules::attempts(attempts), attempts)
}
