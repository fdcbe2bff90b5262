//! The options of a lane as configuration writes them.

use std::borrow::Cow;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::{Table, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{LaneOptions, rules};

/// Serde checks that these are the fields of [`LaneOptions`], so none can be forgotten. Only a lane's name has no
/// default.
#[derive(Deserialize, Serialize)]
#[serde(remote = "LaneOptions", deny_unknown_fields)]
struct Form {
    name: Cow<'static, str>,
    #[serde(default, deserialize_with = "max_queued")]
    max_queued: Option<usize>,
    #[serde(default, deserialize_with = "max_concurrency")]
    max_concurrency: Option<usize>,
    #[serde(default)]
    cancel_on: PatternSet,
    #[serde(default)]
    defer_on: PatternSet,
    #[serde(default)]
    resume_on: PatternSet,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] LaneOptions);

impl Serialize for LaneOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for LaneOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn max_queued<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let operations = Option::<usize>::deserialize(input)?;
    operations.map(|operations| obeyed(rules::max_queued(operations), operations)).transpose()
}

fn max_concurrency<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let operations = Option::<usize>::deserialize(input)?;
    operations.map(|operations| obeyed(rules::max_concurrency(operations), operations)).transpose()
}
