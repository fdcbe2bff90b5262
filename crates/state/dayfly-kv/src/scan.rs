//! Listing entries, page by page.

use std::ops::Bound;

use crate::entry::Entry;
use crate::error::Corrupt;
use crate::key::{Key, Prefix};

/// Which entries to list, and in which order: those whose key begins with a prefix and comes after another key, at most so
/// many.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Scan {
    /// What the keys begin with.
    pub prefix: Prefix,
    /// Only keys that come after this one: greater ones, byte by byte, or in reverse lesser ones.
    pub after: Option<Key>,
    /// From the greatest key to the least.
    pub reverse: bool,
    /// The most entries of a page. Zero counts as 1: a page without room would have no key to go on after.
    pub limit: usize,
}

/// Some of the entries that were asked for, in the order that was asked for.
///
/// A page may be shorter than asked for, or empty, with more to come: only `next` tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Page {
    /// The entries in the order of their keys, byte by byte, or in reverse. Expired ones are not among them.
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
        Self { prefix, after: None, reverse: false, limit: Self::DEFAULT_LIMIT }
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

    /// From the greatest key to the least: the newest first, where keys are times or numbers that grow.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use dayfly_kv::{Bytes, Key, MemoryStore, Namespace, Prefix, PutOptions, Scan};
    ///
    /// let store = MemoryStore::new(Namespace::new("acme", "shop", "event")?);
    /// for name in ["log/1", "log/2", "log/3", "other"] {
    ///     store.put_now(&Key::new(name)?, Bytes::new(), &PutOptions::new())?;
    /// }
    /// let newest = store.scan_now(&Scan::new(Prefix::new("log/")?).reverse().limit(2));
    /// let keys: Vec<&str> = newest.entries.iter().map(|(key, _)| key.as_str()).collect();
    /// assert_eq!(keys, ["log/3", "log/2"]);
    /// assert_eq!(newest.next, Some(Key::new("log/2")?)); // after which the next page goes on
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub const fn reverse(mut self) -> Self {
        self.reverse = true;
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
        let is_after = |after: &Key| if self.reverse { key < after } else { key > after };
        self.prefix.matches(key) && self.after.as_ref().is_none_or(is_after)
    }

    /// The texts between which the keys are that it asks for, for whoever looks them up in an order; `None` when it asks
    /// for none.
    pub fn range(&self) -> Option<(Bound<String>, Bound<String>)> {
        let (prefix, end) = (self.prefix.as_str(), self.prefix.end());
        let is_within = |text: &str| end.as_deref().is_none_or(|end| text < end);
        let (mut low, mut high) =
            (Bound::Included(prefix), end.as_deref().map_or(Bound::Unbounded, Bound::Excluded));
        match self.after.as_ref().map(Key::as_str) {
            // Nothing that begins with the prefix is less than it, or greater than its end.
            Some(after) if self.reverse && after <= prefix => return None,
            Some(after) if self.reverse && is_within(after) => high = Bound::Excluded(after),
            Some(after) if !self.reverse && !is_within(after) => return None,
            Some(after) if !self.reverse && after >= prefix => low = Bound::Excluded(after),
            _ => {}
        }
        Some((low.map(str::to_owned), high.map(str::to_owned)))
    }
}

#[cfg(test)]
mod tests {
    use std::ops::RangeBounds;

    use proptest::prelude::*;

    use super::*;

    /// Short texts of characters at the ends of what there is, and beside the gap in it.
    fn texts() -> impl Strategy<Value = String> {
        const CHARACTERS: [char; 6] = ['a', 'b', '\u{d7ff}', '\u{e000}', '\u{10fffe}', '\u{10ffff}'];
        prop::collection::vec(prop::sample::select(&CHARACTERS[..]), 0..4)
            .prop_map(|text| text.into_iter().collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_range_has_the_keys_that_are_asked_for_and_no_others(
            prefix in texts(),
            after in prop::option::of(texts()),
            key in texts(),
            reverse: bool,
        ) {
            let (after, key) = (after.and_then(|after| Key::new(after).ok()), Key::new(key));
            let mut scan = Scan::new(Prefix::new(prefix).unwrap()).after(after);
            scan.reverse = reverse;
            let range = scan.range();
            if let Some((low, high)) = &range {
                // A sorted map panics over a range that ends before it begins.
                let low = low.as_ref().map(String::as_str);
                let _ = std::collections::BTreeSet::<String>::new().range::<str, _>((low, high.as_ref().map(String::as_str)));
            }
            if let Ok(key) = key {
                let is_within = range.is_some_and(|range| range.contains(&key.as_str().to_owned()));
                prop_assert_eq!(is_within, scan.covers(&key));
            }
        }
    }

    #[test]
    fn the_end_of_a_prefix_is_the_next_text_of_its_length_or_less() {
        let end = |text: &str| Prefix::new(text).unwrap().end();
        assert_eq!(end(""), None);
        assert_eq!(end("ab"), Some("ac".to_owned()));
        assert_eq!(end("a\u{d7ff}"), Some("a\u{e000}".to_owned()));
        assert_eq!(end("a\u{10ffff}\u{10ffff}"), Some("b".to_owned()));
        assert_eq!(end("\u{10ffff}"), None);
    }
}
