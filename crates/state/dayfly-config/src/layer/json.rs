//! A JSON file, with the place of every value. A key that stands twice is refused: which one is meant is a guess.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use figment::value::{Dict, Empty, Num, Tag, Value};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::{Kind, Layer, Places, json_places};
use crate::origin::Position;
use crate::problem::Problem;

/// Reads a file's text. The parser bounds how deep objects and lists may stand in each other.
pub(crate) fn read(text: &str, path: &Arc<Path>) -> Result<Layer, Problem> {
    let read: Result<Read, _> = serde_json::from_str(text);
    let value = read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let position = (line > 0).then_some(Position { line, column });
        // The position stands in the text too, behind the last ` at line`.
        let message = error.to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(message, _)| message);
        Problem::in_file(path, position, format!("is no JSON: {message}"))
    })?;
    let Value::Dict(_, values) = value.0 else {
        let start = Some(Position { line: 1, column: 1 });
        return Err(Problem::in_file(path, start, "expected an object"));
    };
    let mut places = Places::of(path, text);
    json_places::note(text, &mut places);
    Ok(Layer { kind: Kind::File { present: true }, values, places: places.noted })
}

/// A value that has no place.
pub(super) fn from_value(value: serde_json::Value) -> Result<Value, serde_json::Error> {
    Ok(serde_json::from_value::<Read>(value)?.0)
}

struct Read(Value);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(Whatever).map(Self)
    }
}

struct Whatever;

impl<'de> Visitor<'de> for Whatever {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_bool<E: Error>(self, is: bool) -> Result<Value, E> {
        Ok(Value::Bool(Tag::Default, is))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Value, E> {
        Ok(Value::Num(Tag::Default, Num::I64(number)))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Value, E> {
        // As TOML has it, so that the same number is equal whichever format says it.
        Ok(Value::Num(Tag::Default, i64::try_from(number).map_or(Num::U64(number), Num::I64)))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Value, E> {
        Ok(Value::Num(Tag::Default, Num::F64(number)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Value, E> {
        Ok(Value::String(Tag::Default, text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Empty(Tag::Default, Empty::None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Read(value)) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::Array(Tag::Default, values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<Value, A::Error> {
        let mut values = Dict::new();
        while let Some(name) = table.next_key::<String>()? {
            if values.contains_key(&name) {
                return Err(A::Error::custom(format_args!("the key {name:?} stands twice")));
            }
            let Read(value) = table.next_value()?;
            values.insert(name, value);
        }
        Ok(Value::Dict(Tag::Default, values))
    }
}

#[cfg(test)]
mod tests {
    use crate::layer::read_for_test;

    #[test]
    fn what_is_no_json_is_shown_where_it_begins() {
        let wrong = |text: &str| read_for_test("a.json", text).unwrap_err().to_string();
        assert!(wrong("{\"a\": 1,\n \"b\": }").starts_with("a.json:2:7: is no JSON: expected value"));
        assert!(
            wrong("{\"a\": 1,\n\"a\": 2}").starts_with("a.json:2:3: is no JSON: the key \"a\" stands twice")
        );
        assert_eq!(wrong("[1]"), "a.json:1:1: expected an object");
        assert!(wrong("").contains("EOF") && wrong("{} x").contains("trailing characters"));
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(50_000), "]".repeat(50_000));
        assert!(wrong(&deep).contains("recursion limit"));
    }
}
