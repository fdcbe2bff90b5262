//! The options as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{HumanDuration, Table, duration, duration_or_never, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{WatchOptions, rules};

/// Serde checks that these are the fields of [`WatchOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "WatchOptions", default = "WatchOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(with = "duration")]
    settle: Duration,
    #[serde(with = "duration")]
    settle_within: Duration,
    #[serde(serialize_with = "duration_or_never::serialize", deserialize_with = "poll_every")]
    poll_every: Option<Duration>,
    watch: bool,
    #[serde(deserialize_with = "max_file_size")]
    max_file_size: u64,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] WatchOptions);

impl Serialize for WatchOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for WatchOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn poll_every<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let pause = duration_or_never::deserialize(input)?;
    pause.map(|pause| obeyed(rules::poll_every(pause), HumanDuration(pause))).transpose()
}

fn max_file_size<'de, D: Deserializer<'de>>(input: D) -> Result<u64, D::Error> {
    let bytes = u64::deserialize(input)?;
    obeyed(rules::max_file_size(bytes), bytes)
}
