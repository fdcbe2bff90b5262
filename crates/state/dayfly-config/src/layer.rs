//! One source's values, each with its place.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use figment::value::{Dict, Value};

use crate::key;
use crate::origin::{Lines, Origin, Position};
use crate::problem::Problem;

pub(crate) mod defaults;
pub(crate) mod environment;
pub(crate) mod json;
mod json_places;
pub(crate) mod toml;

/// What one source says.
#[derive(Clone, Debug)]
pub(crate) struct Layer {
    pub(crate) kind: Kind,
    pub(crate) values: Dict,
    /// Every key, those of tables and of elements of lists included.
    pub(crate) places: BTreeMap<String, Place>,
}

/// Where a key stands.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    /// Where its value is.
    pub(crate) origin: Origin,
    /// Where its name is, when it has one: an unknown key is shown there.
    pub(crate) name: Option<Position>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Defaults,
    File {
        /// It is there; otherwise this is what it said last.
        present: bool,
    },
    Environment,
    /// Sections that were removed, as they were last.
    Kept,
}

impl Layer {
    pub(crate) fn empty(kind: Kind) -> Self {
        Self { kind, values: Dict::new(), places: BTreeMap::new() }
    }
}

impl Place {
    pub(crate) fn of(origin: Origin) -> Self {
        Self { origin, name: None }
    }

    /// Where the name stands, or else the value.
    pub(crate) fn of_name(&self) -> Origin {
        match (&self.origin, self.name) {
            (Origin::File { path, .. }, Some(name)) => {
                Origin::File { path: Arc::clone(path), position: Some(name) }
            }
            (origin, _) => origin.clone(),
        }
    }
}

/// Notes where the values of a file stand.
struct Places<'a> {
    path: &'a Arc<Path>,
    lines: Lines<'a>,
    noted: BTreeMap<String, Place>,
}

impl<'a> Places<'a> {
    fn of(path: &'a Arc<Path>, text: &'a str) -> Self {
        Self { path, lines: Lines::of(text), noted: BTreeMap::new() }
    }

    fn note(&mut self, key: &str, name: Option<usize>, value: usize) {
        let position = Some(self.lines.position(value));
        let origin = Origin::File { path: Arc::clone(self.path), position };
        let name = name.map(|offset| self.lines.position(offset));
        self.noted.insert(key.to_owned(), Place { origin, name });
    }
}

/// The text of a file: UTF-8, with or without a byte order mark.
pub(crate) fn text<'a>(bytes: &'a [u8], path: &Arc<Path>) -> Result<&'a str, Problem> {
    const MARK: &[u8] = b"\xef\xbb\xbf";
    let bytes = bytes.strip_prefix(MARK).unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|error| {
        let sound = std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
        let position = Lines::of(sound).position(sound.len());
        Problem::in_file(path, Some(position), "is no UTF-8 from here on")
    })
}

/// Calls `each` for a value and everything in it, with its key.
pub(crate) fn for_each_value<'a>(value: &'a Value, key: &str, each: &mut impl FnMut(&str, &'a Value)) {
    each(key, value);
    match value {
        Value::Dict(_, table) => {
            for (name, value) in table {
                for_each_value(value, &key::child(key, name), each);
            }
        }
        Value::Array(_, list) => {
            for (index, value) in list.iter().enumerate() {
                for_each_value(value, &key::child(key, &index.to_string()), each);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
pub(crate) fn read_for_test(name: &str, text: &str) -> Result<Layer, Problem> {
    let path: Arc<Path> = Arc::from(Path::new(name));
    if path.extension().is_some_and(|ending| ending == "json") {
        json::read(text, &path)
    } else {
        toml::read(text, &path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_byte_order_mark_is_skipped_and_what_is_no_text_is_shown_where_it_begins() {
        let path: Arc<Path> = Arc::from(Path::new("a.toml"));
        assert_eq!(text(b"\xef\xbb\xbfa = 1", &path), Ok("a = 1"));
        assert_eq!(text(b"", &path), Ok(""));
        let problem = text(b"a = 1\nb = \"\xff\"", &path).unwrap_err();
        assert_eq!(problem.to_string(), "a.toml:2:6: is no UTF-8 from here on");
    }

    #[test]
    fn both_formats_note_the_same_places() {
        let toml = "a = 1\n[orders]\nlimits = [1, 22]\n\"x.y\" = true\n";
        let json = "{\"a\": 1,\n\"orders\": {\n\"limits\": [1, 22],\n\"x.y\": true}}";
        let keys = |layer: &Layer| layer.places.keys().cloned().collect::<Vec<_>>();
        let toml = read_for_test("a.toml", toml).unwrap();
        let json = read_for_test("a.json", json).unwrap();
        assert_eq!(
            keys(&toml),
            ["a", "orders", "orders.\"x.y\"", "orders.limits", "orders.limits.0", "orders.limits.1"]
        );
        assert_eq!(keys(&toml), keys(&json));
        assert_eq!(toml.values, json.values);
        let at = |layer: &Layer, key: &str| layer.places[key].origin.to_string();
        assert_eq!(at(&toml, "orders.limits.1"), "a.toml:3:14");
        assert_eq!(at(&json, "orders.limits.1"), "a.json:3:15");
        assert_eq!(json.places["orders.limits"].of_name().to_string(), "a.json:3:1");
    }
}
