//! What an endpoint orders its events by.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::event::Event;

/// Longer keys are kept as their hash, so that what waits in memory is small whatever is sent.
const LONGEST: usize = 128;

/// What an endpoint orders its events by, as configuration writes it: `none`, `endpoint`, or a JSON pointer into the event,
/// such as `/key` or `/data/customer/id`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Ordering {
    /// In no order.
    None,
    /// All in the order of their arrival, one after the other.
    Endpoint,
    /// In the order of arrival of those where this place holds the same value. Where it holds nothing, in no order.
    Pointer(String),
}

/// A text that says no ordering.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a key is `none`, `endpoint`, or a JSON pointer such as `/key` or `/data/customer/id`")]
pub struct ParseOrderingError;

impl Ordering {
    /// The key of an event. Those of two events are equal if and only if one has to wait for the other.
    #[must_use]
    pub fn key_of(&self, event: &Event, seq: u64) -> String {
        match self {
            Self::None => format!("#{seq}"),
            Self::Endpoint => "*".to_owned(),
            Self::Pointer(pointer) => match find(event, pointer) {
                Some(value) => short(value),
                None => format!("#{seq}"),
            },
        }
    }
}

/// What stands at a place of an event, as JSON, so that `1` and `"1"` differ. `null` is nothing.
fn find(event: &Event, pointer: &str) -> Option<String> {
    let text = |text: &str| Some(Value::from(text).to_string());
    match pointer {
        "/key" => text(event.key.as_deref()?),
        "/type" => text(&event.kind),
        "/id" => text(&event.id),
        _ => {
            let found = at(&event.data, pointer.strip_prefix("/data")?)?;
            match serde_json::from_str(found) {
                Ok(Value::Null) => None,
                // However it was written, so that `1` and ` 1` are the same.
                Ok(value) => Some(value.to_string()),
                // A number beyond all bounds is what it is written as.
                Err(_) => Some(found.to_owned()),
            }
        }
    }
}

/// What a JSON pointer leads to. Only the way there is read, so nothing else in the data can be in the way of it.
fn at<'a>(data: &'a RawValue, pointer: &str) -> Option<&'a str> {
    let mut found = data.get();
    for step in pointer.split('/').skip(1) {
        let step = step.replace("~1", "/").replace("~0", "~");
        found = if found.starts_with('{') {
            let mut fields: HashMap<Cow<'a, str>, &'a RawValue> = serde_json::from_str(found).ok()?;
            fields.remove(&*step)?.get()
        } else {
            // As pointers write them: no sign, and no zero in front.
            let is_index = step == "0" || step.starts_with(|first: char| ('1'..='9').contains(&first));
            let index: usize = step.parse().ok().filter(|_| is_index)?;
            let items: Vec<&'a RawValue> = serde_json::from_str(found).ok()?;
            items.get(index)?.get()
        };
    }
    Some(found)
}

fn short(key: String) -> String {
    if key.len() <= LONGEST { format!("={key}") } else { format!("~{}", hex::encode(Sha256::digest(key))) }
}

impl FromStr for Ordering {
    type Err = ParseOrderingError;

    fn from_str(text: &str) -> Result<Self, ParseOrderingError> {
        match text {
            "none" => Ok(Self::None),
            "endpoint" => Ok(Self::Endpoint),
            "/key" | "/type" | "/id" | "/data" => Ok(Self::Pointer(text.to_owned())),
            _ if text.starts_with("/data/") => Ok(Self::Pointer(text.to_owned())),
            _ => Err(ParseOrderingError),
        }
    }
}

impl TryFrom<String> for Ordering {
    type Error = ParseOrderingError;

    fn try_from(text: String) -> Result<Self, ParseOrderingError> {
        text.parse()
    }
}

impl fmt::Display for Ordering {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Endpoint => "endpoint",
            Self::Pointer(pointer) => pointer,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(key: Option<&str>, data: &str) -> Event {
        Event {
            id: "a".to_owned(),
            kind: "x".to_owned(),
            key: key.map(ToOwned::to_owned),
            received: 0,
            data: RawValue::from_string(data.to_owned()).unwrap(),
        }
    }

    fn key(ordering: &str, event: &Event, seq: u64) -> String {
        ordering.parse::<Ordering>().unwrap().key_of(event, seq)
    }

    #[test]
    fn equal_keys_are_those_that_wait_for_each_other() {
        let (one, other) = (event(Some("k"), r#"{"a":{"b":1}}"#), event(Some("k"), r#"{"a":{"b":"1"}}"#));
        assert_ne!(key("none", &one, 1), key("none", &one, 2));
        assert_eq!(key("endpoint", &one, 1), key("endpoint", &other, 2));
        assert_eq!(key("/key", &one, 1), key("/key", &other, 2));
        assert_ne!(key("/data/a/b", &one, 1), key("/data/a/b", &other, 2));
        assert_eq!(key("/data/a/b", &one, 1), key("/data/a/b", &one, 2));
    }

    #[test]
    fn where_nothing_stands_there_is_no_order() {
        for data in ["{}", r#"{"a":null}"#, "[1]", "7"] {
            let event = event(None, data);
            for ordering in ["/data/a", "/key"] {
                assert_ne!(key(ordering, &event, 1), key(ordering, &event, 2), "{ordering} {data}");
            }
        }
    }

    #[test]
    fn a_pointer_leads_where_it_says_whatever_stands_beside_it() {
        let deep = format!(r#"{{"a":7,"deep":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
        for (data, pointer, wanted) in [
            (r#"{"a":7,"huge":1e999}"#, "/data/a", Some("=7")),
            (&*deep, "/data/a", Some("=7")),
            (r#"{"a":1e999}"#, "/data/a", Some("=1e999")),
            (r#"{"a":1,"a":2}"#, "/data/a", Some("=2")),
            (r#"{"a/b":{"~":[{"c": "x"}]}}"#, "/data/a~1b/~0/0/c", Some(r#"="x""#)),
            ("{\"\\u0061\":3}", "/data/a", Some("=3")),
            (r#"{"":{"":4}}"#, "/data//", Some("=4")),
            ("[1,2]", "/data/1", Some("=2")),
            ("[1,2]", "/data/01", None),
            ("[1,2]", "/data/+1", None),
            ("[1,2]", "/data/2", None),
            ("[1,2]", "/data/99999999999999999999999", None),
            ("\"text\"", "/data/0", None),
            ("\"text\"", "/data", Some(r#"="text""#)),
        ] {
            let key = key(pointer, &event(None, data), 5);
            assert_eq!(key, wanted.unwrap_or("#5"), "{pointer} in {data}");
        }
    }

    #[test]
    fn no_event_can_pass_for_another_kind_of_key() {
        let sly = [event(Some("#1"), "1"), event(Some("*"), "1"), event(Some("~"), "1")];
        let keys: Vec<String> = sly.iter().map(|event| key("/key", event, 5)).collect();
        assert!(keys.iter().all(|key| key.starts_with('=')));
        let long = key("/key", &event(Some(&"k".repeat(4_000)), "1"), 5);
        assert!(long.starts_with('~') && long.len() == 65);
        assert_ne!(long, key("/key", &event(Some(&"k".repeat(4_001)), "1"), 5));
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "key", "/nothing", "/", "/data2", "None"] {
            assert_eq!(text.parse::<Ordering>(), Err(ParseOrderingError), "{text}");
        }
        assert_eq!("/data/a".parse::<Ordering>().unwrap().to_string(), "/data/a");
    }
}
