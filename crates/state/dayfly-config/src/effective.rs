//! What all sources say together: layers merged in their order, each value with the layer that says it.

use std::collections::{BTreeMap, BTreeSet};

use figment::value::{Dict, Map, Num, Tag, Value};
use figment::{Figment, Metadata, Profile, Provider};

use crate::key;
use crate::layer::{Kind, Layer, Place, for_each_value};
use crate::origin::Origin;

#[derive(Debug)]
pub(crate) struct Effective {
    pub(crate) root: Value,
    layers: Vec<Layer>,
    /// Which layer says each key; the last of several for a table.
    says: BTreeMap<String, usize>,
}

impl Effective {
    /// Merges the layers, later ones over earlier ones: tables key by key, everything else whole.
    pub(crate) fn merge(layers: Vec<Layer>) -> Self {
        let mut figment = Figment::new();
        for (index, layer) in layers.iter().enumerate() {
            figment = figment.merge(Numbered { index, values: &layer.values });
        }
        // Our providers never fail, so there is always a root.
        let root = figment.find_value("").unwrap_or_else(|_| Value::Dict(Tag::Default, Dict::new()));
        let mut says = BTreeMap::new();
        for_each_value(&root, "", &mut |key, value| {
            let layer = figment.get_metadata(value.tag()).and_then(|metadata| metadata.name.parse().ok());
            if let Some(layer) = layer {
                says.insert(key.to_owned(), layer);
            }
        });
        Self { root, layers, says }
    }

    /// The same values as `self`, in which the sections stand again that `last` had and no source names any more.
    pub(crate) fn keeping(self, sections: &BTreeSet<String>, last: &Self) -> Self {
        let mut kept = Layer::empty(Kind::Kept);
        for section in sections {
            if !self.is_said(section) && (last.is_said(section) || last.is_kept(section)) {
                last.keep(section, &mut kept);
            }
        }
        if kept.places.is_empty() {
            return self;
        }
        let mut layers = self.layers;
        layers.push(kept);
        Self::merge(layers)
    }

    fn keep(&self, section: &str, kept: &mut Layer) {
        let Some(value) = self.value(section) else { return };
        if !insert(&mut kept.values, section, value) {
            return;
        }
        for_each_value(value, section, &mut |key, _| {
            if let Some(place) = self.place(key) {
                kept.places.insert(key.to_owned(), place.clone());
            }
        });
    }

    /// Whether a file or a variable says something there, a file that was removed included.
    fn is_said(&self, section: &str) -> bool {
        let said = |layer: &Layer| matches!(layer.kind, Kind::File { .. } | Kind::Environment);
        self.layers.iter().any(|layer| said(layer) && layer.places.contains_key(section))
    }

    fn is_kept(&self, section: &str) -> bool {
        self.layers.iter().any(|layer| layer.kind == Kind::Kept && layer.places.contains_key(section))
    }

    /// Whether a file that is there or a variable says something there.
    pub(crate) fn exists(&self, section: &str) -> bool {
        let is_there = |layer: &Layer| matches!(layer.kind, Kind::File { present: true } | Kind::Environment);
        self.layers.iter().any(|layer| is_there(layer) && layer.places.contains_key(section))
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        if key.is_empty() {
            return Some(&self.root);
        }
        let (table, name) = (self.value(key::parent(key)?)?, key::name(key));
        match table {
            Value::Dict(_, table) => match table.get(name) {
                Some(value) => Some(value),
                None => table.iter().find(|(other, _)| key::child("", other) == name).map(|(_, value)| value),
            },
            Value::Array(_, list) => list.get(name.parse::<usize>().ok()?),
            _ => None,
        }
    }

    /// Where this key stands, in the source that has the last word.
    pub(crate) fn place(&self, key: &str) -> Option<&Place> {
        self.layers[*self.says.get(key)?].places.get(key)
    }

    /// Where this key stands, or else the table that it is in. The root is everywhere, and so nowhere.
    pub(crate) fn nearest(&self, key: &str) -> Option<Origin> {
        let mut key = key;
        loop {
            if let Some(place) = self.place(key) {
                return Some(place.origin.clone());
            }
            key = key::parent(key)?;
        }
    }

    pub(crate) fn is_from_environment(&self, key: &str) -> bool {
        self.says.get(key).is_some_and(|layer| self.layers[*layer].kind == Kind::Environment)
    }

    /// Whether both say the same, wherever they say it.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        is_same(&self.root, &other.root)
    }
}

/// Puts a copy of the value where the key says; no when the key leads through a list.
fn insert(root: &mut Dict, section: &str, value: &Value) -> bool {
    let mut names = vec![section];
    while let Some(parent) = names.last().and_then(|key| key::parent(key)).filter(|parent| !parent.is_empty())
    {
        names.push(parent);
    }
    let mut table = root;
    while let Some(key) = names.pop() {
        let name = key::name(key);
        // A quoted name is a JSON text.
        let name = serde_json::from_str(name).unwrap_or_else(|_| name.to_owned());
        if names.is_empty() {
            table.insert(name, untagged(value));
            return true;
        }
        let inner = table.entry(name).or_insert_with(|| Value::Dict(Tag::Default, Dict::new()));
        let Value::Dict(_, inner) = inner else { return false };
        table = inner;
    }
    false
}

/// A copy that belongs to no layer yet: figment tags only what has no tag.
fn untagged(value: &Value) -> Value {
    let tag = Tag::Default;
    match value {
        Value::Dict(_, table) => {
            Value::Dict(tag, table.iter().map(|(name, value)| (name.clone(), untagged(value))).collect())
        }
        Value::Array(_, list) => Value::Array(tag, list.iter().map(untagged).collect()),
        Value::String(_, text) => Value::String(tag, text.clone()),
        Value::Char(_, letter) => Value::Char(tag, *letter),
        Value::Bool(_, is) => Value::Bool(tag, *is),
        Value::Num(_, number) => Value::Num(tag, *number),
        Value::Empty(_, empty) => Value::Empty(tag, *empty),
    }
}

/// Figment takes NaN for unequal to itself, which would make every reading a change.
fn is_same(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Dict(_, one), Value::Dict(_, other)) => {
            one.len() == other.len()
                && one.iter().zip(other).all(|(one, other)| one.0 == other.0 && is_same(one.1, other.1))
        }
        (Value::Array(_, one), Value::Array(_, other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_same(one, other))
        }
        (Value::Num(_, Num::F64(one)), Value::Num(_, Num::F64(other))) => one.to_bits() == other.to_bits(),
        _ => one == other,
    }
}

/// A layer as figment takes it, known by its number.
struct Numbered<'a> {
    index: usize,
    values: &'a Dict,
}

impl Provider for Numbered<'_> {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.index.to_string())
    }

    fn data(&self) -> Result<Map<Profile, Dict>, figment::Error> {
        Ok(Map::from([(Profile::Default, self.values.clone())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::read_for_test;

    fn merged(layers: &[(&str, &str)]) -> Effective {
        Effective::merge(layers.iter().map(|(name, text)| read_for_test(name, text).unwrap()).collect())
    }

    #[test]
    fn later_layers_win_key_by_key_and_each_value_knows_its_own() {
        let all =
            merged(&[("a.toml", "x = 1\n[t]\ny = 1\nl = [1, 2]"), ("b.toml", "t = { y = 2, l = [3] }")]);
        let at = |key: &str| all.nearest(key).map(|origin| origin.to_string());
        assert_eq!(at("x").as_deref(), Some("a.toml:1:5"));
        assert_eq!(at("t.y").as_deref(), Some("b.toml:1:11"));
        assert_eq!(at("t.l.0").as_deref(), Some("b.toml:1:19"));
        assert_eq!(all.value("t.l.1"), None, "lists are taken whole");
        assert_eq!(at("t.unknown").as_deref(), Some("b.toml:1:5"), "the table that it would stand in");
        assert_eq!(at("unknown"), None);
    }

    #[test]
    fn the_same_values_in_another_form_are_the_same() {
        let one = merged(&[("a.toml", "# a comment\nx = nan\n[t]\ny = 1")]);
        assert!(one.is_same(&merged(&[("b.toml", "t.y = 1\nx = nan")])));
        assert!(!one.is_same(&merged(&[("b.toml", "t.y = 2\nx = nan")])));
        assert!(!one.is_same(&merged(&[("b.toml", "t.y = 1\nx = nan\nz = 1")])));
    }

    #[test]
    fn a_removed_section_stays_as_it_was_and_does_not_exist() {
        let sections = BTreeSet::from(["t".to_owned(), "deep.\"a.b\"".to_owned(), "never".to_owned()]);
        let first = merged(&[("a.toml", "x = 1\nt = { y = 1 }\n[deep]\n\"a.b\" = { z = 1 }")]);
        let second = merged(&[("a.toml", "x = 2\n")]).keeping(&sections, &first);
        let third = merged(&[("a.toml", "x = 3\n")]).keeping(&sections, &second);
        for all in [&second, &third] {
            assert_eq!(all.value("t.y"), Some(&Value::from(1_i64)));
            assert_eq!(all.value("deep.\"a.b\".z"), Some(&Value::from(1_i64)));
            assert_eq!(all.nearest("t.y").unwrap().to_string(), "a.toml:2:11", "where it stood last");
            assert!(!all.exists("t") && all.value("never").is_none());
        }
        let back = merged(&[("a.toml", "t = {}\n")]).keeping(&sections, &third);
        assert!(back.exists("t") && back.value("t.y").is_none(), "what is there again counts as it stands");
    }
}
