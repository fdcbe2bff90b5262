//! The options of a rate as configuration writes them.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::{HumanDuration, Table, duration, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RATE_LIMIT, RateOptions, rules};

/// Serde checks that these are the fields of [`RateOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "RateOptions", default = "RateOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "starts")]
    starts: u32,
    #[serde(serialize_with = "duration::serialize", deserialize_with = "period")]
    period: Duration,
    #[serde(deserialize_with = "burst")]
    burst: Option<u32>,
    #[serde(deserialize_with = "max_keys")]
    max_keys: usize,
    #[serde(with = "duration")]
    max_pause: Duration,
    #[serde(with = "pause_on")]
    pause_on: Option<PatternSet>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] RateOptions);

impl Serialize for RateOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for RateOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn starts<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let starts = u32::deserialize(input)?;
    obeyed(rules::starts(starts), starts)
}

fn period<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let period = HumanDuration::deserialize(input)?;
    obeyed(rules::period(period.0), period)
}

fn burst<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    let burst = Option::<u32>::deserialize(input)?;
    burst.map(|starts| obeyed(rules::burst(starts), starts)).transpose()
}

fn max_keys<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let keys = usize::deserialize(input)?;
    obeyed(rules::max_keys(keys), keys)
}

/// The patterns, also those of the default.
mod pause_on {
    use super::{Deserialize, Deserializer, PatternSet, RATE_LIMIT, RateOptions, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "serde hands the field over as it is")]
    pub(super) fn serialize<S: Serializer>(
        patterns: &Option<PatternSet>,
        output: S,
    ) -> Result<S::Ok, S::Error> {
        match patterns {
            Some(patterns) => patterns.serialize(output),
            None => PatternSet::from(RATE_LIMIT).serialize(output),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<PatternSet>, D::Error> {
        Ok(RateOptions::new().pause_on(PatternSet::deserialize(input)?).pause_on)
    }
}
