//! The options of a coordinator as configuration writes them.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::{HumanDuration, Table, deferral, duration, obeyed, optional_duration};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{AfterDeferral, CoordinatorOptions, rules};

/// Serde checks that these are the fields of [`CoordinatorOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "CoordinatorOptions", default = "CoordinatorOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "max_concurrency")]
    max_concurrency: usize,
    #[serde(deserialize_with = "queue_capacity")]
    queue_capacity: usize,
    #[serde(deserialize_with = "max_concurrency_per_key")]
    max_concurrency_per_key: usize,
    burst: usize,
    #[serde(deserialize_with = "max_queued_per_key")]
    max_queued_per_key: Option<usize>,
    #[serde(serialize_with = "optional_duration::serialize", deserialize_with = "age_after")]
    age_after: Option<Duration>,
    window_size: usize,
    #[serde(with = "optional_duration")]
    max_age: Option<Duration>,
    max_pinned: usize,
    echo_capacity: usize,
    #[serde(with = "duration")]
    echo_retention: Duration,
    #[serde(with = "duration")]
    cancel_grace: Duration,
    cancel_on: PatternSet,
    defer_on: PatternSet,
    resume_on: PatternSet,
    drain_on: PatternSet,
    #[serde(with = "clearings")]
    clear_on: Vec<(PatternSet, PatternSet)>,
    #[serde(with = "deferral")]
    max_deferral: Option<(Duration, AfterDeferral)>,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] CoordinatorOptions);

impl Serialize for CoordinatorOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for CoordinatorOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn max_concurrency<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let operations = usize::deserialize(input)?;
    obeyed(rules::max_concurrency(operations), operations)
}

fn queue_capacity<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let operations = usize::deserialize(input)?;
    obeyed(rules::queue_capacity(operations), operations)
}

fn max_concurrency_per_key<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
    let operations = usize::deserialize(input)?;
    obeyed(rules::max_concurrency_per_key(operations), operations)
}

fn max_queued_per_key<'de, D: Deserializer<'de>>(input: D) -> Result<Option<usize>, D::Error> {
    let operations = Option::<usize>::deserialize(input)?;
    operations.map(|operations| obeyed(rules::max_queued_per_key(operations), operations)).transpose()
}

fn age_after<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
    let wait = Option::<HumanDuration>::deserialize(input)?;
    wait.map(|wait| obeyed(rules::age_after(wait.0), wait)).transpose()
}

/// `[{ when = "deploy.done", clear = "deploy.*" }]`.
mod clearings {
    use super::{Deserialize, Deserializer, PatternSet, Serializer, Table};

    #[derive(serde::Serialize)]
    struct Lent<'a> {
        when: &'a PatternSet,
        clear: &'a PatternSet,
    }

    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Clearing {
        when: PatternSet,
        clear: PatternSet,
    }

    pub(super) fn serialize<S: Serializer>(
        clearings: &[(PatternSet, PatternSet)],
        output: S,
    ) -> Result<S::Ok, S::Error> {
        output.collect_seq(clearings.iter().map(|(when, clear)| Lent { when, clear }))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        input: D,
    ) -> Result<Vec<(PatternSet, PatternSet)>, D::Error> {
        let clearings = Vec::<Table<Clearing>>::deserialize(input)?;
        Ok(clearings.into_iter().map(|Table(Clearing { when, clear })| (when, clear)).collect())
    }
}
