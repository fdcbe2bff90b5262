//! A namespace that is open.

use dayfly_kv::{ChangeFeed, Corrupt, Key, Namespace};

/// A namespace that is open: its number in the file, and who watches it.
#[derive(Debug)]
pub(crate) struct Space {
    pub(crate) id: u32,
    pub(crate) namespace: Namespace,
    pub(crate) changes: ChangeFeed,
}

impl Space {
    pub(crate) fn corrupt(&self, location: &str, key: Option<Key>, reason: &str) -> Corrupt {
        let location = match &key {
            Some(key) => format!("{location}, {} of {}", key, self.namespace),
            None => format!("{location}, an entry of {}", self.namespace),
        };
        Corrupt { location, reason: reason.to_owned(), key }
    }
}
