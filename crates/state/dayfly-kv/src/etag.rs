//! What tells one write of an entry from every other.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::random::random;

/// What tells one write of an entry from every other, also from those before it was deleted and written again.
///
/// It is opaque, compares for equality only, and is not made from the content: a value that returns has a new etag.
/// Its text ([`Display`](fmt::Display)) is never blank, and [`Etag::new`] reads it back.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Etag(Form);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Form {
    /// Made by an [`EtagSource`]; its text is `origin-number`, sixteen hexadecimal digits each.
    Numbered { origin: u64, number: u64 },
    /// Any other text, such as what a server calls a version.
    Text(Arc<str>),
}

impl Etag {
    /// The etag of this text, as a backend has kept it.
    pub fn new(text: impl AsRef<str>) -> Self {
        let text = text.as_ref();
        // Texts and numbers that look alike have to be equal, so what looks like numbers is kept as numbers.
        Self(numbered(text).unwrap_or_else(|| Form::Text(text.into())))
    }

    /// The etag of a write that has a number of its own within an origin that has one too, such as a random number drawn
    /// by each process that opens the store.
    pub const fn numbered(origin: u64, number: u64) -> Self {
        Self(Form::Numbered { origin, number })
    }
}

fn numbered(text: &str) -> Option<Form> {
    let (origin, number) = text.split_once('-')?;
    Some(Form::Numbered { origin: digits(origin)?, number: digits(number)? })
}

fn digits(text: &str) -> Option<u64> {
    let is_digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    is_digits.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}

impl fmt::Display for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Form::Numbered { origin, number } => write!(f, "{origin:016x}-{number:016x}"),
            Form::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Debug for Etag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Etag({self})")
    }
}

/// Makes etags that are unique among all processes: a random origin drawn once, and a number that only grows.
#[derive(Debug)]
pub struct EtagSource {
    origin: u64,
    next: AtomicU64,
}

impl EtagSource {
    /// A source with an origin of its own.
    pub fn new() -> Self {
        Self { origin: random(), next: AtomicU64::new(0) }
    }

    /// An etag that nobody has.
    pub fn next(&self) -> Etag {
        Etag::numbered(self.origin, self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Default for EtagSource {
    fn default() -> Self {
        Self::new()
    }
}
