//! How long something may be deferred, and what then: `{ wait = "30s", then = "skip" }`.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{Table, duration};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Bound<T> {
    #[serde(with = "duration")]
    wait: Duration,
    then: T,
}

/// Writes a bound that may be absent.
///
/// # Errors
/// Those of the output.
pub fn serialize<T: Copy + Serialize, S: Serializer>(
    bound: &Option<(Duration, T)>,
    output: S,
) -> Result<S::Ok, S::Error> {
    bound.map(|(wait, then)| Bound { wait, then }).serialize(output)
}

/// Reads a bound that may be absent.
///
/// # Errors
/// When it is no such table.
pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    input: D,
) -> Result<Option<(Duration, T)>, D::Error> {
    let bound = Option::<Table<Bound<T>>>::deserialize(input)?;
    Ok(bound.map(|Table(Bound { wait, then })| (wait, then)))
}
