//! What the relay takes in, keeps, and delivers.
//!
//! The data of an event is kept as it was written: numbers of any size, the order of fields and all else arrive as they
//! were sent. What is checked is only what the relay itself relies on.

use std::fmt;
use std::str::FromStr;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;
use thiserror::Error;

/// The longest id, in bytes: it travels in a header.
pub const MAX_ID_BYTES: usize = 128;
/// The longest type, in bytes.
pub const MAX_TYPE_BYTES: usize = 128;
/// The longest ordering key, in bytes: more than the longest path of a file.
pub const MAX_KEY_BYTES: usize = 4_096;

/// An event as somebody hands it in.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, remote = "Self")]
pub struct Submission {
    /// Its name, for whoever wants to send it again without sending it twice. Without one, the relay draws one.
    #[serde(default)]
    pub id: Option<EventId>,
    /// What kind of event it is.
    #[serde(rename = "type")]
    pub kind: EventType,
    /// What it is ordered by.
    #[serde(default)]
    pub key: Option<EventKey>,
    /// Whatever the receiver is told.
    pub data: Box<RawValue>,
}

/// Read from an object only: a derived form would take an array of the fields in their order as well.
impl<'de> Deserialize<'de> for Submission {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Submission;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an event")
            }

            fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<Submission, A::Error> {
                Submission::deserialize(MapAccessDeserializer::new(fields))
            }
        }

        input.deserialize_map(Object)
    }
}

/// An event that was taken in.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    /// Its name, the same on every attempt.
    pub id: String,
    /// What kind of event it is.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is ordered by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// When it was taken in, in milliseconds of Unix time.
    pub received: u64,
    /// Whatever the receiver is told.
    pub data: Box<RawValue>,
}

/// The name of an event: 1 to 128 visible ASCII characters, and no full stop.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct EventId(String);

/// The type of an event: 1 to 128 bytes of text without spaces and control characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct EventType(String);

/// The ordering key of an event: 1 to 4,096 bytes of text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub struct EventKey(String);

/// Why a text is no id, type or key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct BadText(&'static str);

impl EventId {
    /// An id that nobody else has: 128 random bits.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("evt_{}", hex::encode(fastrand::u128(..).to_be_bytes())))
    }

    /// The id itself.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl FromStr for EventId {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        if text.is_empty() || text.len() > MAX_ID_BYTES {
            return Err(BadText("an id has 1 to 128 characters"));
        }
        if text.contains('.') {
            // The signature is made over `id.timestamp.body`: a full stop in the id would move its borders.
            return Err(BadText("an id has no full stop"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BadText("an id is made of visible ASCII characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for EventType {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        if text.is_empty() || text.len() > MAX_TYPE_BYTES {
            return Err(BadText("a type has 1 to 128 bytes"));
        }
        if text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(BadText("a type has no spaces and no control characters"));
        }
        Ok(Self(text.to_owned()))
    }
}

impl FromStr for EventKey {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        if text.is_empty() || text.len() > MAX_KEY_BYTES {
            return Err(BadText("a key has 1 to 4,096 bytes; leave it out where there is none"));
        }
        Ok(Self(text.to_owned()))
    }
}

/// Reading one of them from configuration or from a request is parsing its text.
macro_rules! texts {
    ($($text:ty)*) => {$(
        impl TryFrom<String> for $text {
            type Error = BadText;

            fn try_from(text: String) -> Result<Self, BadText> {
                text.parse()
            }
        }

        impl fmt::Display for $text {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    )*};
}

texts!(EventId EventType EventKey);

impl Submission {
    /// The event that it becomes, and whether its id was given by who sent it.
    #[must_use]
    pub fn into_event(self, received: u64) -> (Event, bool) {
        let named = self.id.is_some();
        let event = Event {
            id: self.id.unwrap_or_else(EventId::random).0,
            kind: self.kind.0,
            key: self.key.map(|key| key.0),
            received,
            data: self.data,
        };
        (event, named)
    }
}

/// The body of a delivery: what Standard Webhooks asks for, and the ordering key.
#[derive(Serialize)]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    timestamp: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a str>,
    data: &'a RawValue,
}

impl Event {
    /// What is sent to a receiver: the same bytes on every attempt.
    ///
    /// # Errors
    /// Never in practice: every part of it can be written as JSON.
    pub fn payload(&self) -> serde_json::Result<Vec<u8>> {
        let received = std::time::UNIX_EPOCH + std::time::Duration::from_millis(self.received);
        serde_json::to_vec(&Payload {
            kind: &self.kind,
            timestamp: humantime::format_rfc3339_millis(received).to_string(),
            key: self.key.as_deref(),
            data: &self.data,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_travel_in_headers_and_in_signed_text() {
        for good in ["a", "evt_0", "order:17/paid", &"x".repeat(128)] {
            assert!(good.parse::<EventId>().is_ok(), "{good}");
        }
        for bad in ["", "a.b", "a b", "a\nb", "ä", "\u{7f}", &"x".repeat(129)] {
            assert!(bad.parse::<EventId>().is_err(), "{bad:?}");
        }
        assert!(EventId::random().into_string().parse::<EventId>().is_ok());
    }

    #[test]
    fn types_and_keys_have_bounds() {
        assert!("order.paid".parse::<EventType>().is_ok() && "größe".parse::<EventType>().is_ok());
        assert!(["", "a b", "a\u{0}", "a\u{a0}b"].iter().all(|bad| bad.parse::<EventType>().is_err()));
        assert!("a key with spaces".parse::<EventKey>().is_ok());
        assert!("".parse::<EventKey>().is_err() && "k".repeat(4_097).parse::<EventKey>().is_err());
    }

    #[test]
    fn data_arrives_as_it_was_written() {
        let data = r#"{"b":  1, "a": 12345678901234567890123.50, "a": "twice"}"#;
        let submission = format!(r#"{{"type":"x","data":{data}}}"#);
        let (event, named) = serde_json::from_str::<Submission>(&submission).unwrap().into_event(0);
        assert!(!named);
        let kept: Event = serde_json::from_slice(&serde_json::to_vec(&event).unwrap()).unwrap();
        assert_eq!(kept.data.get(), data);
        let payload = String::from_utf8(kept.payload().unwrap()).unwrap();
        assert_eq!(
            payload,
            format!(r#"{{"type":"x","timestamp":"1970-01-01T00:00:00.000Z","data":{data}}}"#)
        );
    }
}
