//! Listing entries, page by page.

use crate::entry::Entry;
use crate::error::Corrupt;
use crate::key::{Key, Prefix};

/// Which entries to list: those whose key begins with a prefix and is greater than another key, at most so many.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scan {
    /// What the keys begin with.
    pub prefix: Prefix,
    /// Only keys that are greater, byte by byte.
    pub after: Option<Key>,
    /// The most entries of a page; at least 1.
    pub limit: usize,
}

/// Some of the entries that were asked for, in the order of their keys.
///
/// A page may be shorter than asked for, or empty, with more to come: only `next` tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The entries, in the order of their keys, byte by byte. Expired ones are not among them.
    pub entries: Vec<(Key, Entry)>,
    /// Entries that could not be read. The others are listed.
    pub corrupt: Vec<Corrupt>,
    /// After which key to go on; `None` when this was the last page.
    pub next: Option<Key>,
}

impl Scan {
    /// How many entries a page has at most, unless said otherwise.
    pub const DEFAULT_LIMIT: usize = 256;

    /// All entries whose key begins with this, from the first on, 256 a page.
    #[must_use]
    pub const fn new(prefix: Prefix) -> Self {
        Self { prefix, after: None, limit: Self::DEFAULT_LIMIT }
    }

    /// Every entry.
    #[must_use]
    pub fn all() -> Self {
        Self::new(Prefix::all())
    }

    /// Goes on after this key, which need not exist.
    #[must_use]
    pub fn after(mut self, key: impl Into<Option<Key>>) -> Self {
        self.after = key.into();
        self
    }

    /// Sets the most entries of a page.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn limit(mut self, entries: usize) -> Self {
        assert!(entries > 0, "a page has room for at least 1 entry");
        self.limit = entries;
        self
    }

    /// Whether it asks for this key.
    pub fn covers(&self, key: &Key) -> bool {
        self.prefix.matches(key) && self.after.as_ref().is_none_or(|after| key > after)
    }
}
