//! Listing, sweeping and clearing: what goes through all files of a folder.

use std::collections::BTreeSet;

use dayfly_kv::{Corrupt, Key, Page, Scan, Unavailable};

use super::write::Discarded;
use super::{Folder, Found, failed};
use crate::name::{self, Meaning};

/// What the name of an entry's file ends with.
pub(super) const SUFFIX: &str = ".json";

/// The first keys that a page may have, and one more.
struct First<'a> {
    scan: &'a Scan,
    limit: usize,
    keys: BTreeSet<Key>,
}

impl First<'_> {
    fn offer(&mut self, key: Key) {
        if self.scan.covers(&key) {
            self.keys.insert(key);
            if self.keys.len() > self.limit.saturating_add(1) {
                self.remove_last();
            }
        }
    }

    fn remove_last(&mut self) {
        let removed = if self.scan.reverse { self.keys.pop_first() } else { self.keys.pop_last() };
        drop(removed);
    }

    /// Them in their order, and whether there are more.
    fn into_page(mut self) -> (Vec<Key>, bool) {
        let is_more = self.keys.len() > self.limit;
        if is_more {
            self.remove_last();
        }
        let mut keys: Vec<Key> = self.keys.into_iter().collect();
        if self.scan.reverse {
            keys.reverse();
        }
        (keys, is_more)
    }
}

impl Folder {
    /// A page of entries in the order that is asked for. Every page reads the names of all files, and its own files.
    pub(crate) fn scan(&self, scan: &Scan) -> Result<Page, Unavailable> {
        self.settle()?;
        let limit = scan.limit.max(1);
        let mut first = First { scan, limit, keys: BTreeSet::new() };
        let mut page = Page::default();
        // Files whose key nobody knows stand before all others: on the first page, as far as it has room.
        let mut nameless = Vec::new();
        let mut inside = Vec::new();
        self.each_name(&mut |name| match name::meaning(name) {
            Meaning::Key(key) => first.offer(key),
            Meaning::Inside => inside.push(name.to_owned()),
            Meaning::Foreign => {
                if scan.after.is_none() && nameless.len() < limit {
                    nameless.push(self.foreign(name));
                }
            }
        })?;
        for name in inside {
            match self.open(&self.file(&name), None)? {
                Some(Ok((key, _))) if name::of(key.as_str()) == name => first.offer(key),
                Some(Ok(_)) => nameless.push(self.foreign(&name)),
                Some(Err(corrupt)) => nameless.push(corrupt),
                None => {}
            }
        }
        if scan.after.is_none() {
            nameless.truncate(limit);
            page.corrupt = nameless;
        }
        let (keys, is_more) = first.into_page();
        page.next = keys.last().filter(|_| is_more).cloned();
        for key in keys {
            match self.read(&key)? {
                Found::Entry(entry) if !self.is_expired(&entry) => page.entries.push((key, entry)),
                Found::Corrupt(corrupt) => page.corrupt.push(corrupt),
                _ => {}
            }
        }
        Ok(page)
    }

    /// Removes what has expired, and says how many entries that were. Puts away what dead writers have left, too.
    pub(crate) fn sweep(&self) -> Result<u64, Unavailable> {
        self.tidy();
        let mut swept = 0;
        for name in self.entries()? {
            let found = self.open(&self.file(&name), None)?;
            // Most stay, and need no lock. What goes is looked at again under it.
            if matches!(found, Some(Ok((_, entry))) if self.is_expired(&entry)) {
                let discarded = self.discard(&name, |entry| self.is_expired(entry), false)?;
                swept += u64::from(matches!(discarded, Discarded::Entry { .. }));
            }
        }
        self.sync()?;
        Ok(swept)
    }

    /// Removes every entry, also what is corrupt, and says how many could be read until then.
    pub(crate) fn clear(&self) -> Result<u64, Unavailable> {
        let mut cleared = 0;
        for name in self.entries()? {
            let discarded = self.discard(&name, |_| true, true)?;
            cleared += u64::from(matches!(discarded, Discarded::Entry { is_live: true }));
        }
        self.sync()?;
        Ok(cleared)
    }

    /// The names of the files that are ours.
    fn entries(&self) -> Result<Vec<String>, Unavailable> {
        let mut names = Vec::new();
        self.each_name(&mut |name| {
            if name::meaning(name) != Meaning::Foreign {
                names.push(name.to_owned());
            }
        })?;
        Ok(names)
    }

    /// Tells of each file that ends as the files of entries do; others are none of ours.
    fn each_name(&self, each: &mut dyn FnMut(&str)) -> Result<(), Unavailable> {
        let listed = self.disk.list(&self.path, &mut |name| {
            // A name that is not UTF-8 gets letters here that no name has.
            if let Some(name) = name.to_string_lossy().strip_suffix(SUFFIX) {
                each(name);
            }
        });
        listed.map_err(|error| failed("list", self.path(), error))
    }

    fn foreign(&self, name: &str) -> Corrupt {
        let location = self.file(name).display().to_string();
        Corrupt { location, reason: "its name is that of no key".to_owned(), key: None }
    }
}
