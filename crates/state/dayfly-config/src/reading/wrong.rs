//! What serde finds wrong, kept apart until it is known where it stands and who may see it.

use std::fmt;

use dayfly_signal::PatternSet;
use serde::de::{Error, Expected, Unexpected};

use super::{Marks, is_secret, without_secrets};
use crate::effective::Effective;
use crate::key;
use crate::problem::Problem;
use crate::secret::HIDDEN;

/// A value that is longer is not shown whole.
const SHOWN: usize = 64;

#[derive(Debug)]
pub(super) struct Wrong {
    key: Option<String>,
    what: What,
}

#[derive(Debug)]
enum What {
    Value { expected: String, found: String },
    Length { expected: String, found: usize },
    Unknown { name: String, known: &'static [&'static str], is_key: bool },
    Missing { name: &'static str },
    Other(String),
}

impl Wrong {
    /// The innermost value that passes the error on is the one that it is about.
    pub(super) fn at(mut self, key: &str) -> Self {
        self.key.get_or_insert_with(|| key.to_owned());
        self
    }

    pub(super) fn into_problem(self, effective: &Effective, named: &PatternSet, marks: &Marks) -> Problem {
        let parent = self.key.unwrap_or_default();
        let key = match &self.what {
            What::Unknown { name, is_key: true, .. } => key::child(&parent, name),
            What::Missing { name } => key::child(&parent, name),
            _ => parent,
        };
        let is_hidden = is_secret(&key, named, marks);
        let message = match self.what {
            What::Value { expected, .. } if is_hidden => format!("expected {expected}, found {HIDDEN}"),
            What::Value { expected, found } => format!("expected {expected}, found {found}"),
            What::Length { expected, found } => format!("expected {expected}, found {found} elements"),
            What::Unknown { is_key: false, known, .. } if is_hidden => {
                format!("expected {}, found {HIDDEN}", list(known))
            }
            What::Unknown { name, known, is_key } => unknown(&name, known, is_key),
            What::Missing { .. } => "is missing".to_owned(),
            What::Other(_) if is_hidden => "is not what it has to be".to_owned(),
            What::Other(message) => message,
        };
        let place = effective.place(&key);
        let is_about_name = message.starts_with("unknown key");
        let exact = place.map(|place| if is_about_name { place.of_name() } else { place.origin.clone() });
        let origin = exact.or_else(|| effective.nearest(&key));
        Problem::new(without_secrets(message, effective, named, marks)).with_origin(origin).at(key)
    }
}

fn unknown(name: &str, known: &[&str], is_key: bool) -> String {
    let what = if is_key { "unknown key".to_owned() } else { format!("unknown word `{}`", shortened(name)) };
    let close = known.iter().map(|other| (distance(name, other), other));
    match close.min().filter(|(edits, other)| *edits <= other.chars().count() / 3 + 1) {
        Some((_, other)) => format!("{what}, did you mean `{other}`? (known: {})", list(known)),
        None => format!("{what} (known: {})", list(known)),
    }
}

fn list(known: &[&str]) -> String {
    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
}

/// How many characters have to be put in, taken out or exchanged to make one of the other.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    // A name that nobody would have meant need not be measured to its end.
    for (at, letter) in one.chars().take(SHOWN).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], at + 1);
        for (column, known) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(letter != *known);
            diagonal = row[column + 1];
            row[column + 1] = exchanged.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()] + one.chars().count().saturating_sub(SHOWN)
}

pub(super) fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

impl Error for Wrong {
    fn custom<M: fmt::Display>(message: M) -> Self {
        What::Other(message.to_string()).into()
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_value(found, expected)
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Str(text) => format!("string {:?}", shortened(text)),
            found => found.to_string(),
        };
        What::Value { expected: expected.to_string(), found }.into()
    }

    fn invalid_length(found: usize, expected: &dyn Expected) -> Self {
        What::Length { expected: expected.to_string(), found }.into()
    }

    fn unknown_variant(name: &str, known: &'static [&'static str]) -> Self {
        What::Unknown { name: name.to_owned(), known, is_key: false }.into()
    }

    fn unknown_field(name: &str, known: &'static [&'static str]) -> Self {
        What::Unknown { name: name.to_owned(), known, is_key: true }.into()
    }

    fn missing_field(name: &'static str) -> Self {
        What::Missing { name }.into()
    }
}

impl From<What> for Wrong {
    fn from(what: What) -> Self {
        Self { key: None, what }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Value { expected, found } => write!(f, "expected {expected}, found {found}"),
            What::Length { expected, found } => write!(f, "expected {expected}, found {found} elements"),
            What::Unknown { name, known, is_key } => f.write_str(&unknown(name, known, *is_key)),
            What::Missing { name } => write!(f, "`{name}` is missing"),
            What::Other(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Wrong {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_known_name_is_suggested_and_none_that_is_far() {
        const KNOWN: &[&str] = &["max_concurrency", "queue_capacity"];
        assert!(unknown("max_concurency", KNOWN, true).contains("did you mean `max_concurrency`?"));
        assert_eq!(unknown("colour", KNOWN, true), "unknown key (known: max_concurrency, queue_capacity)");
        assert_eq!(unknown("x", &[], true), "unknown key (known: none)");
        assert_eq!((distance("", "abc"), distance("abc", "abc"), distance("kitten", "sitting")), (3, 0, 3));
    }
}
