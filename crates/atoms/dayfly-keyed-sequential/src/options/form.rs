//! The options as configuration writes them.

use std::borrow::Cow;

use dayfly::CoordinatorOptions;
use dayfly_signal::setting::Table;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{SequentialOptions, rules};

/// Serde checks that these are the fields of [`SequentialOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "SequentialOptions", default = "SequentialOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "work")]
    work: CoordinatorOptions,
    #[serde(deserialize_with = "parked_signal")]
    parked_signal: Cow<'static, str>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] SequentialOptions);

impl Serialize for SequentialOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for SequentialOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn work<'de, D: Deserializer<'de>>(input: D) -> Result<CoordinatorOptions, D::Error> {
    rules::work(CoordinatorOptions::deserialize(input)?).map_err(D::Error::custom)
}

fn parked_signal<'de, D: Deserializer<'de>>(input: D) -> Result<Cow<'static, str>, D::Error> {
    rules::parked_signal(String::deserialize(input)?.into()).map_err(D::Error::custom)
}
