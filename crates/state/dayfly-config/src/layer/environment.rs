//! The variables of the environment: `RELAY_ORDERS__MAX_CONCURRENCY` says `orders.max_concurrency` under the prefix `RELAY`.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ffi::OsString;
use std::sync::Arc;

use figment::value::{Dict, Tag, Value};

use super::{Kind, Layer, Place, toml};
use crate::key;
use crate::origin::Origin;
use crate::problem::Problem;

/// Variables by name, as they were when they were read.
pub(crate) type Variables = BTreeMap<OsString, OsString>;

/// Those that begin with the prefix and an underscore, whatever its case.
pub(crate) fn with_prefix(prefix: &str, all: impl Iterator<Item = (OsString, OsString)>) -> Variables {
    all.filter(|(name, _)| rest(prefix, &name.to_string_lossy()).is_some()).collect()
}

fn rest<'a>(prefix: &str, name: &'a str) -> Option<&'a str> {
    let (head, rest) = (name.get(..prefix.len())?, name.get(prefix.len()..)?);
    if head.eq_ignore_ascii_case(prefix) { rest.strip_prefix('_') } else { None }
}

/// Values stay texts: what type they have to be, who asks for them says.
pub(crate) fn read(prefix: &str, variables: &Variables) -> Result<Layer, Vec<Problem>> {
    let mut layer = Layer::empty(Kind::Environment);
    let mut problems = Vec::new();
    for (name, value) in variables {
        let shown: Arc<str> = Arc::from(name.to_string_lossy());
        let origin = Origin::Environment { variable: Arc::clone(&shown) };
        let wrong = |message: &str| Problem::new(message).with_origin(Some(origin.clone()));
        let Some(value) = value.to_str() else {
            problems.push(wrong("is no UTF-8"));
            continue;
        };
        let names = rest(prefix, &shown).unwrap_or_default().to_lowercase();
        let names: Vec<&str> = names.split("__").collect();
        if names.iter().any(|name| name.is_empty()) {
            problems.push(wrong("names no key: `__` stands between the names of a key"));
        } else if let Err(message) = put(&mut layer, &names, value, &origin) {
            problems.push(wrong(message));
        }
    }
    if problems.is_empty() { Ok(layer) } else { Err(problems) }
}

fn put(layer: &mut Layer, names: &[&str], value: &str, origin: &Origin) -> Result<(), &'static str> {
    let Some((last, tables)) = names.split_last() else { return Ok(()) };
    let (mut table, mut key) = (&mut layer.values, String::new());
    for name in tables {
        key = key::child(&key, name);
        layer.places.entry(key.clone()).or_insert_with(|| Place::of(origin.clone()));
        let inner = table.entry((*name).to_owned()).or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
        let Value::Dict(_, inner) = inner else { return Err("another variable gives this table a value") };
        table = inner;
    }
    match table.entry((*last).to_owned()) {
        Entry::Occupied(_) => Err("another variable says the same key"),
        Entry::Vacant(place) => {
            place.insert(Value::String(Tag::Default, value.to_owned()));
            layer.places.insert(key::child(&key, last), Place::of(origin.clone()));
            Ok(())
        }
    }
}

/// What a variable means where no type is asked for: a list or a table in TOML's notation, a truth, a number, a text.
pub(crate) fn guess(text: &str) -> Value {
    let trimmed = text.trim();
    let is_number =
        trimmed.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.'));
    let looks_like_one =
        is_number || trimmed.starts_with(['[', '{', '"']) || matches!(trimmed, "true" | "false");
    let value = if looks_like_one { toml::value(trimmed) } else { None };
    value.unwrap_or_else(|| Value::String(Tag::Default, text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(variables: &[(&str, &str)]) -> Result<Layer, String> {
        let all = variables.iter().map(|(name, value)| (name.into(), value.into()));
        read("APP", &with_prefix("APP", all))
            .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))
    }

    #[test]
    fn variables_nest_at_two_underscores_and_others_are_left_alone() {
        let layer =
            read_all(&[("APP_ORDERS__MAX_IN_FLIGHT", "8"), ("app_name", "x"), ("APPLE", "1"), ("HOME", "/")]);
        let layer = layer.unwrap();
        assert_eq!(layer.places.keys().collect::<Vec<_>>(), ["name", "orders", "orders.max_in_flight"]);
        assert_eq!(
            layer.places["orders.max_in_flight"].origin.to_string(),
            "environment variable APP_ORDERS__MAX_IN_FLIGHT"
        );
    }

    #[test]
    fn variables_that_contradict_each_other_are_refused_by_name() {
        let wrong = |variables: &[(&str, &str)]| read_all(variables).unwrap_err();
        assert!(
            wrong(&[("APP_A", "1"), ("APP_a", "2")]).contains("APP_a: another variable says the same key")
        );
        assert!(wrong(&[("APP_A", "1"), ("APP_A__B", "2")]).contains("APP_A__B: another variable gives"));
        assert!(wrong(&[("APP_", "1")]).contains("APP_: names no key"));
        assert!(wrong(&[("APP_A____B", "1")]).contains("names no key"));
    }

    #[cfg(unix)]
    #[test]
    fn what_is_no_text_is_refused_and_only_under_the_prefix() {
        use std::os::unix::ffi::OsStringExt;
        let broken = OsString::from_vec(vec![0xff]);
        let other = with_prefix("APP", std::iter::once(("OTHER".into(), broken.clone())));
        assert!(read("APP", &other).unwrap().values.is_empty());
        let ours = with_prefix("APP", std::iter::once(("APP_X".into(), broken)));
        let problems = read("APP", &ours).unwrap_err();
        assert_eq!(problems[0].to_string(), "environment variable APP_X: is no UTF-8");
    }

    #[test]
    fn without_a_type_a_text_means_what_it_looks_like() {
        assert_eq!(guess("8"), Value::from(8_i64));
        assert_eq!(guess("true"), Value::from(true));
        assert_eq!(guess("[1, 2]"), Value::from(vec![1_i64, 2]));
        for text in ["nan", "infinity", "1.2.3.4", "[1", "-", ""] {
            assert_eq!(guess(text), Value::from(text), "{text}");
        }
    }
}
