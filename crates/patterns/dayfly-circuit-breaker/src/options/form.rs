//! The options of a breaker as configuration writes them.

use std::time::Duration;

use dayfly_signal::setting::{Checked, HumanDuration, Table, duration, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{BreakerOptions, Window, rules};

/// Serde checks that these are the fields of [`BreakerOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "BreakerOptions", default = "BreakerOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "failure_threshold")]
    failure_threshold: Option<u32>,
    #[serde(deserialize_with = "failure_rate")]
    failure_rate: Option<f64>,
    #[serde(deserialize_with = "slow_rate")]
    slow_rate: Option<f64>,
    #[serde(with = "duration")]
    slow_after: Duration,
    #[serde(deserialize_with = "minimum_calls")]
    minimum_calls: u32,
    window: Window,
    #[serde(serialize_with = "duration::serialize", deserialize_with = "open_for")]
    open_for: Duration,
    #[serde(deserialize_with = "probes")]
    probes: u32,
    #[serde(deserialize_with = "successes")]
    successes: u32,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] BreakerOptions);

impl Serialize for BreakerOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for BreakerOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn number<'de, D: Deserializer<'de>>(input: D, rule: fn(u32) -> Checked<u32>) -> Result<u32, D::Error> {
    let number = u32::deserialize(input)?;
    obeyed(rule(number), number)
}

fn failure_threshold<'de, D: Deserializer<'de>>(input: D) -> Result<Option<u32>, D::Error> {
    let failures = Option::<u32>::deserialize(input)?;
    failures.map(|failures| obeyed(rules::failure_threshold(failures), failures)).transpose()
}

fn failure_rate<'de, D: Deserializer<'de>>(input: D) -> Result<Option<f64>, D::Error> {
    let share = Option::<f64>::deserialize(input)?;
    share.map(|share| obeyed(rules::failure_rate(share), share)).transpose()
}

fn slow_rate<'de, D: Deserializer<'de>>(input: D) -> Result<Option<f64>, D::Error> {
    let share = Option::<f64>::deserialize(input)?;
    share.map(|share| obeyed(rules::slow_rate(share), share)).transpose()
}

fn minimum_calls<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    number(input, rules::minimum_calls)
}

fn open_for<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
    let time = duration::deserialize(input)?;
    obeyed(rules::open_for(time), HumanDuration(time)).map(|_| time)
}

fn probes<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    number(input, rules::probes)
}

fn successes<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    number(input, rules::successes)
}

pub(super) fn calls<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    number(input, rules::window_calls)
}

pub(super) mod time {
    use super::{Deserializer, Duration, HumanDuration, duration, obeyed, rules};

    pub(in crate::options) use super::duration::serialize;

    pub(in crate::options) fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        let time = duration::deserialize(input)?;
        obeyed(rules::window_time(time), HumanDuration(time)).map(|_| time)
    }
}
