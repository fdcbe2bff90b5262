//! Durations as people write them, and errors that name the rule and the value.

use std::fmt;
use std::time::Duration;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::{Checked, length};

/// A duration that is written as people do, with its units: `30s`, `1h 30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HumanDuration(pub Duration);

/// The value that its rule allows.
///
/// # Errors
/// When the value breaks its rule: an error that names the rule and what was `given`.
pub fn obeyed<T, E: Error>(checked: Checked<T>, given: impl fmt::Display) -> Result<T, E> {
    checked.map_err(|rule| E::custom(format_args!("{rule}, but is {given}")))
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        humantime::format_duration(self.0).fmt(f)
    }
}

impl Serialize for HumanDuration {
    fn serialize<S: Serializer>(&self, output: S) -> Result<S::Ok, S::Error> {
        output.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for HumanDuration {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_str(Human)
    }
}

struct Human;

impl Visitor<'_> for Human {
    type Value = HumanDuration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration with its unit, such as `30s` or `1h 30m`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<HumanDuration, E> {
        let wrong = |why| E::custom(format_args!("`{text}` is no duration such as `30s` or `1h 30m`: {why}"));
        length(text).map(HumanDuration).map_err(wrong)
    }
}

/// A duration, or the word for none.
struct OrNever(Option<HumanDuration>);

const NEVER: &str = "never";

impl<'de> Deserialize<'de> for OrNever {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_str(HumanOrNever)
    }
}

struct HumanOrNever;

impl Visitor<'_> for HumanOrNever {
    type Value = OrNever;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Human.expecting(f)?;
        write!(f, ", or `{NEVER}`")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<OrNever, E> {
        if text == NEVER {
            Ok(OrNever(None))
        } else {
            Human.visit_str(text).map(|given| OrNever(Some(given)))
        }
    }
}

/// For `#[serde(with)]` on a duration.
pub mod duration {
    use super::{Deserialize, Deserializer, Duration, HumanDuration, Serialize, Serializer};

    /// Writes it as people do.
    ///
    /// # Errors
    /// When the output does.
    pub fn serialize<S: Serializer>(duration: &Duration, output: S) -> Result<S::Ok, S::Error> {
        HumanDuration(*duration).serialize(output)
    }

    /// Reads it as people write it.
    ///
    /// # Errors
    /// When the input is no text, or no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Duration, D::Error> {
        Ok(HumanDuration::deserialize(input)?.0)
    }
}

/// For `#[serde(with)]` on a duration that may be absent.
pub mod optional_duration {
    use super::{Deserialize, Deserializer, Duration, HumanDuration, Serialize, Serializer};

    /// Writes it as people do.
    ///
    /// # Errors
    /// When the output does.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, output: S) -> Result<S::Ok, S::Error> {
        duration.map(HumanDuration).serialize(output)
    }

    /// Reads it as people write it.
    ///
    /// # Errors
    /// When there is something that is no text, or no duration.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<HumanDuration>::deserialize(input)?.map(|duration| duration.0))
    }
}

/// For `#[serde(with)]` on a duration that may be absent and by default is not: what is left out has the default, and not
/// every notation has a null, so there is a word for none, `never`.
pub mod duration_or_never {
    use super::{Deserialize, Deserializer, Duration, HumanDuration, NEVER, OrNever, Serialize, Serializer};

    /// Writes it as people do.
    ///
    /// # Errors
    /// When the output does.
    pub fn serialize<S: Serializer>(duration: &Option<Duration>, output: S) -> Result<S::Ok, S::Error> {
        match duration {
            Some(duration) => HumanDuration(*duration).serialize(output),
            None => output.serialize_str(NEVER),
        }
    }

    /// Reads it as people write it; a null is none, too.
    ///
    /// # Errors
    /// When there is something that is no text, or neither a duration nor that word.
    pub fn deserialize<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Duration>, D::Error> {
        let given = Option::<OrNever>::deserialize(input)?;
        Ok(given.and_then(|OrNever(duration)| Some(duration?.0)))
    }
}
