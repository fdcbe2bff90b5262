//! The options of a budget as configuration writes them.

use dayfly_signal::setting::{Table, obeyed};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{RetryBudgetOptions, rules};

/// Serde checks that these are the fields of [`RetryBudgetOptions`], so none can be forgotten.
#[derive(Deserialize, Serialize)]
#[serde(remote = "RetryBudgetOptions", default = "RetryBudgetOptions::new", deny_unknown_fields)]
struct Form {
    #[serde(deserialize_with = "share")]
    share: f64,
    #[serde(deserialize_with = "min_per_second")]
    min_per_second: u32,
    #[serde(deserialize_with = "burst")]
    burst: u32,
}

#[derive(Deserialize)]
#[serde(transparent)]
struct Formed(#[serde(with = "Form")] RetryBudgetOptions);

impl Serialize for RetryBudgetOptions {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        Form::serialize(self, output)
    }
}

impl<'de> Deserialize<'de> for RetryBudgetOptions {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        Table::deserialize(input).map(|Table(Formed(options))| options)
    }
}

fn share<'de, D: Deserializer<'de>>(input: D) -> Result<f64, D::Error> {
    let share = f64::deserialize(input)?;
    obeyed(rules::share(share), share)
}

fn min_per_second<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let retries = u32::deserialize(input)?;
    obeyed(rules::min_per_second(retries), retries)
}

fn burst<'de, D: Deserializer<'de>>(input: D) -> Result<u32, D::Error> {
    let retries = u32::deserialize(input)?;
    obeyed(rules::burst(retries), retries)
}
