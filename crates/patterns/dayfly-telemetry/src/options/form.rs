//! The options as configuration writes them.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::{HumanDuration, Table, duration, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{TelemetryOptions, rules};

/// Serde checks that these are the fields of [`TelemetryOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "TelemetryOptions", default = "TelemetryOptions::new", deny_unknown_fields)]
struct Form {
    signals: Option<PatternSet>,
    #[serde(deserialize_with = "queue_capacity")]
    queue_capacity: usize,
    #[serde(serialize_with = "duration::serialize", deserialize_with = "interval")]
    interval: Duration,
    durations: bool,
    max_series: usize,
    count_by_name: PatternSet,
    #[serde(with = "samples")]
    sample: Vec<(PatternSet, u32)>,
    redact_payload_of: PatternSet,
    redact_payload_like: PatternSet,
    redact_key_of: PatternSet,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] TelemetryOptions);

impl Serialize for TelemetryOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for TelemetryOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn queue_capacity<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let events = usize::deserialize(input)?;
    obeyed(rules::queue_capacity(events), events)
}

fn interval<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let interval = HumanDuration::deserialize(input)?;
    obeyed(rules::interval(interval.0), interval)
}

/// `[{ signals = "cache.*", one_in = 100 }]`.
mod samples {
    use super::{Deserialize, Deserializer, PatternSet, Serializer, Table, obeyed, rules};

    #[derive(serde::Serialize)]
    struct Lent<'a> {
        signals: &'a PatternSet,
        one_in: u32,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        signals: PatternSet,
        #[serde(deserialize_with = "one_in")]
        one_in: u32,
    }

    pub(super) fn serialize<S: Serializer>(
        samples: &[(PatternSet, u32)],
        output: S,
    ) -> Result<S::Ok, S::Error> {
        output.collect_seq(samples.iter().map(|(signals, one_in)| Lent { signals, one_in: *one_in }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Vec<(PatternSet, u32)>, D::Error> {
        let samples = Vec::<Table<Sample>>::deserialize(input)?;
        Ok(samples.into_iter().map(|Table(Sample { signals, one_in })| (signals, one_in)).collect())
    }

    fn one_in<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
        let events = u32::deserialize(input)?;
        obeyed(rules::one_in(events), events)
    }
}
