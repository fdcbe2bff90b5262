//! The options of a gate as configuration writes them.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::{Table, deferral};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AfterDeferral, GateOptions};

/// Serde checks that these are the fields of [`GateOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "GateOptions", default = "GateOptions::new", deny_unknown_fields)]
struct Form {
    cancel_on: PatternSet,
    defer_on: PatternSet,
    resume_on: PatternSet,
    keyed: bool,
    #[serde(with = "deferral")]
    max_deferral: Option<(Duration, AfterDeferral)>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] GateOptions);

impl Serialize for GateOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for GateOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}
