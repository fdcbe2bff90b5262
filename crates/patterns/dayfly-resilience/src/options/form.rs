//! The options of a pipeline as configuration writes them.

use std::time::Duration;

use dayfly_circuit_breaker::BreakerOptions;
use dayfly_retry::{Backoff, RetryBudgetOptions};
use dayfly_signal::setting::{Checked, HumanDuration, Table, obeyed, optional_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{PipelineOptions, rules};

/// Serde checks that these are the fields of [`PipelineOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "PipelineOptions", default = "PipelineOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(serialize_with = "optional_duration::serialize", deserialize_with = "total_timeout")]
    total_timeout: Option<Duration>,
    fallback: bool,
    #[serde(deserialize_with = "attempts")]
    attempts: u32,
    backoff: Backoff,
    seed: Option<u64>,
    budget: Option<RetryBudgetOptions>,
    breaker: Option<BreakerOptions>,
    #[serde(deserialize_with = "max_concurrency")]
    max_concurrency: Option<usize>,
    #[serde(with = "optional_duration")]
    max_wait: Option<Duration>,
    #[serde(serialize_with = "optional_duration::serialize", deserialize_with = "attempt_timeout")]
    attempt_timeout: Option<Duration>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] PipelineOptions);

impl Serialize for PipelineOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for PipelineOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn attempts<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let attempts = u32::deserialize(input)?;
    obeyed(rules::attempts(attempts), attempts)
}

fn max_concurrency<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let attempts = Option::<usize>::deserialize(input)?;
    attempts.map(|attempts| obeyed(rules::max_concurrency(attempts), attempts)).transpose()
}

fn total_timeout<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    timeout(input, rules::total_timeout)
}

fn attempt_timeout<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    timeout(input, rules::attempt_timeout)
}

fn timeout<'de, D: Deserializer<'de>>(
    input: D,
    rule: fn(Duration) -> Checked<Duration>,
) -> Result<Option<Duration>, D::Error> {
    let given = Option::<HumanDuration>::deserialize(input)?;
    given.map(|given| obeyed(rule(given.0), given)).transpose()
}
