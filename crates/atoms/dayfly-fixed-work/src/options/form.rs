//! The options as configuration writes them.

use std::borrow::Cow;

use dayfly::CoordinatorOptions;
use dayfly_signal::setting::{Table, obeyed};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{FixedWorkOptions, rules};

/// Serde checks that these are the fields of [`FixedWorkOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "FixedWorkOptions", default = "FixedWorkOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "workers")]
    workers: Option<usize>,
    work: CoordinatorOptions,
    #[serde(deserialize_with = "thread_name")]
    thread_name: Cow<'static, str>,
    #[serde(deserialize_with = "stack_size")]
    stack_size: Option<usize>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] FixedWorkOptions);

impl Serialize for FixedWorkOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for FixedWorkOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn workers<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let workers = Option::<usize>::deserialize(input)?;
    workers.map(|workers| obeyed(rules::workers(workers), workers)).transpose()
}

fn stack_size<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let bytes = Option::<usize>::deserialize(input)?;
    bytes.map(|bytes| obeyed(rules::stack_size(bytes), bytes)).transpose()
}

fn thread_name<'de, D: Deserializer<'de>>(input: D) -> Result<Cow<'static, str>, D::Error> {
    rules::thread_name(String::deserialize(input)?.into()).map_err(D::Error::custom)
}
