//! The options of a limit as configuration writes them.

use std::fmt;
use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::{HumanDuration, Table, duration, obeyed, optional_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AdaptiveLimitOptions, Bounds, DOUBLE_ON, HALVE_ON, rules, unless_default};

/// Serde checks that these are the fields of [`AdaptiveLimitOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "AdaptiveLimitOptions", default = "AdaptiveLimitOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "bounds")]
    bounds: Bounds,
    #[serde(deserialize_with = "initial")]
    initial: usize,
    #[serde(serialize_with = "write_double_on", deserialize_with = "double_on")]
    double_on: Option<PatternSet>,
    #[serde(serialize_with = "write_halve_on", deserialize_with = "halve_on")]
    halve_on: Option<PatternSet>,
    #[serde(deserialize_with = "tolerance")]
    tolerance: f64,
    #[serde(deserialize_with = "quantile")]
    quantile: f64,
    #[serde(with = "duration")]
    window: Duration,
    #[serde(deserialize_with = "min_samples")]
    min_samples: u32,
    #[serde(serialize_with = "duration::serialize", deserialize_with = "probe_every")]
    probe_every: Duration,
    #[serde(serialize_with = "optional_duration::serialize", deserialize_with = "max_latency")]
    max_latency: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] AdaptiveLimitOptions);

impl Serialize for AdaptiveLimitOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for AdaptiveLimitOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} to {}", self.min, self.max)
    }
}

fn bounds<'de, D: Deserializer<'de>>(input: D) -> Result<Bounds, D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Read {
        min: usize,
        max: usize,
    }

    let Table(Read { min, max }) = Table::deserialize(input)?;
    let bounds = Bounds { min, max };
    obeyed(rules::bounds(min, max), bounds).map(|_| bounds)
}

fn initial<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let limit = usize::deserialize(input)?;
    obeyed(rules::initial(limit), limit)
}

fn double_on<'de, D: Deserializer<'de>>(input: D) -> Result<Option<PatternSet>, D::Error> {
    Ok(unless_default(PatternSet::deserialize(input)?, DOUBLE_ON))
}

fn halve_on<'de, D: Deserializer<'de>>(input: D) -> Result<Option<PatternSet>, D::Error> {
    Ok(unless_default(PatternSet::deserialize(input)?, HALVE_ON))
}

#[expect(clippy::ref_option, reason = "serde lends the field as it is")]
fn write_double_on<S: Serializer>(patterns: &Option<PatternSet>, output: S) -> Result<S::Ok, S::Error> {
    patterns.clone().unwrap_or_else(|| PatternSet::from(DOUBLE_ON)).serialize(output)
}

#[expect(clippy::ref_option, reason = "serde lends the field as it is")]
fn write_halve_on<S: Serializer>(patterns: &Option<PatternSet>, output: S) -> Result<S::Ok, S::Error> {
    patterns.clone().unwrap_or_else(|| PatternSet::from(HALVE_ON)).serialize(output)
}

fn tolerance<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
    let factor = f64::deserialize(input)?;
    obeyed(rules::tolerance(factor), factor)
}

fn quantile<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(input)?;
    obeyed(rules::quantile(share), share)
}

fn min_samples<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let samples = u32::deserialize(input)?;
    obeyed(rules::min_samples(samples), samples)
}

fn probe_every<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let time = duration::deserialize(input)?;
    obeyed(rules::probe_every(time), HumanDuration(time))
}

fn max_latency<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let time = optional_duration::deserialize(input)?;
    time.map(|time| obeyed(rules::max_latency(time), HumanDuration(time))).transpose()
}
