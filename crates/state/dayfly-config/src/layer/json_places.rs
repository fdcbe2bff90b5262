//! Where the values of a JSON text stand. The text has been parsed before, so this only walks over it.

use super::Places;
use crate::key;

pub(super) fn note(text: &str, places: &mut Places<'_>) {
    let mut walk = Walk { text, at: 0 };
    walk.skip_blanks();
    walk.value("", places);
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
}

impl Walk<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn skip_blanks(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Whether the next byte is this one; then it is taken.
    fn takes(&mut self, byte: u8) -> bool {
        let is = self.peek() == Some(byte);
        self.at += usize::from(is);
        is
    }

    fn value(&mut self, key: &str, places: &mut Places<'_>) {
        match self.peek() {
            Some(b'{') => self.object(key, places),
            Some(b'[') => self.list(key, places),
            Some(b'"') => drop(self.string()),
            _ => {
                while self.peek().is_some_and(|byte| !matches!(byte, b',' | b']' | b'}')) {
                    self.at += 1;
                }
            }
        }
    }

    fn object(&mut self, parent: &str, places: &mut Places<'_>) {
        self.at += 1;
        loop {
            self.skip_blanks();
            if self.peek() != Some(b'"') {
                self.takes(b'}');
                return;
            }
            let name_at = self.at;
            let key = key::child(parent, &self.string());
            self.skip_blanks();
            self.takes(b':');
            self.skip_blanks();
            places.note(&key, Some(name_at), self.at);
            self.value(&key, places);
            self.skip_blanks();
            self.takes(b',');
        }
    }

    fn list(&mut self, parent: &str, places: &mut Places<'_>) {
        self.at += 1;
        for index in 0_usize.. {
            self.skip_blanks();
            if self.peek().is_none() || self.takes(b']') {
                return;
            }
            let key = key::child(parent, &index.to_string());
            places.note(&key, None, self.at);
            self.value(&key, places);
            self.skip_blanks();
            self.takes(b',');
        }
    }

    fn string(&mut self) -> String {
        let start = self.at;
        self.at += 1;
        while let Some(byte) = self.peek() {
            // An escaped character is one byte at least, and no quote ends here.
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                break;
            }
        }
        self.text.get(start..self.at).and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::Arc;

    use proptest::prelude::*;

    use crate::layer::{for_each_value, json};
    use figment::value::Value;

    fn anything() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i64>().prop_map(Into::into),
            any::<f64>().prop_map(Into::into),
            any::<String>().prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
                proptest::collection::btree_map(any::<String>(), inner, 0..5)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        /// Whatever the text: every value has a place, and there stands how that value begins.
        #[test]
        fn every_value_of_any_text_has_its_place(value in anything(), pretty in any::<bool>()) {
            let root = serde_json::json!({ "root": value });
            let text = if pretty { serde_json::to_string_pretty(&root) } else { serde_json::to_string(&root) };
            let text = text.unwrap();
            let path: Arc<Path> = Arc::from(Path::new("a.json"));
            let layer = json::read(&text, &path).unwrap();
            let mut keys = 0;
            let all = Value::Dict(figment::value::Tag::Default, layer.values.clone());
            for_each_value(&all, "", &mut |key, value| {
                if key.is_empty() { return; }
                keys += 1;
                let crate::Origin::File { position: Some(at), .. } = layer.places[key].origin else { panic!() };
                let line = text.split('\n').nth(at.line - 1).unwrap();
                let first = line.chars().nth(at.column - 1).unwrap();
                let fits = match value {
                    Value::Dict(..) => first == '{',
                    Value::Array(..) => first == '[',
                    Value::String(..) => first == '"',
                    Value::Bool(_, is) => first == if *is { 't' } else { 'f' },
                    Value::Empty(..) => first == 'n',
                    _ => first == '-' || first.is_ascii_digit(),
                };
                assert!(fits, "{key} at {at} in {text}");
            });
            prop_assert_eq!(keys, layer.places.len());
        }
    }
}
