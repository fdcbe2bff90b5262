//! Values that configuration writes as text or as bounded numbers.

use std::fmt;
use std::str::FromStr;

/// A length of time as people write it, such as `1m 30s`.
pub use dayfly_signal::setting::HumanDuration as Human;
use serde::{Deserialize, Deserializer, Serialize, de};
use thiserror::Error;

/// A whole number from `LOW` to `HIGH`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole<const LOW: u64, const HIGH: u64>(pub u64);

/// The name of an endpoint: 1 to 64 lower-case letters, digits, `-` and `_`. It stands in signals, metrics, paths of the API
/// and keys of the store.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct EndpointName(String);

/// A text that is no name of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the name of an endpoint is 1 to 64 lower-case letters, digits, `-` and `_`")]
pub struct ParseNameError;

impl<'de, const LOW: u64, const HIGH: u64> Deserialize<'de> for Whole<LOW, HIGH> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        let number = i64::deserialize(input)?;
        let whole = u64::try_from(number).ok().filter(|number| (LOW..=HIGH).contains(number));
        whole.map(Self).ok_or_else(|| {
            let bounds =
                if HIGH == u64::MAX { format!("at least {LOW}") } else { format!("from {LOW} to {HIGH}") };
            de::Error::custom(format_args!("a whole number {bounds} is wanted, not {number}"))
        })
    }
}

impl<const LOW: u64, const HIGH: u64> Whole<LOW, HIGH> {
    /// The number as a length or a count in memory.
    #[must_use]
    pub fn to_usize(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }

    /// The number as a count of something that happens.
    #[must_use]
    pub fn to_u32(self) -> u32 {
        u32::try_from(self.0).unwrap_or(u32::MAX)
    }
}

impl EndpointName {
    /// Its text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::borrow::Borrow<str> for EndpointName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl FromStr for EndpointName {
    type Err = ParseNameError;

    fn from_str(text: &str) -> Result<Self, ParseNameError> {
        let is_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        if matches!(text.len(), 1..=64) && text.bytes().all(is_name) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseNameError)
        }
    }
}

impl TryFrom<String> for EndpointName {
    type Error = ParseNameError;

    fn try_from(text: String) -> Result<Self, ParseNameError> {
        text.parse()
    }
}

impl fmt::Display for EndpointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
