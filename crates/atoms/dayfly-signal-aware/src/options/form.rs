//! The options of a gate as configuration writes them.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::Table;
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

/// `{ wait = "30s", then = "refuse" }`.
mod deferral {
    use dayfly_signal::setting::{Table, duration};

    use super::{AfterDeferral, Deserialize, Deserializer, Duration, Serialize, Serializer};

    #[derive(Deserialize, Serialize)]
    #[serde(deny_unknown_fields)]
    struct Bound {
        #[serde(with = "duration")]
        wait: Duration,
        then: AfterDeferral,
    }

    #[expect(clippy::ref_option, reason = "serde hands the field over as it is")]
    pub(super) fn serialize<S: Serializer>(
        bound: &Option<(Duration, AfterDeferral)>,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        bound.map(|(wait, then)| Bound { wait, then }).serialize(output)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Option<(Duration, AfterDeferral)>, D::Error> {
        let bound = Option::<Table<Bound>>::deserialize(input)?;
        Ok(bound.map(|Table(Bound { wait, then })| (wait, then)))
    }
}
