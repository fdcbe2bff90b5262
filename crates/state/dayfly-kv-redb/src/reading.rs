//! Reading entries from a snapshot.

use std::time::SystemTime;

use dayfly_kv::{Corrupt, Entry, Key, Page, Scan};
use redb::StorageError;

use crate::record::Record;
use crate::rows;
use crate::shared::Entries;
use crate::space::Space;

/// How many bytes of values a page has before it ends; one entry more goes over it.
const PAGE_BYTES: usize = 4 * 1_024 * 1_024;

/// How many rows a page looks at before it ends, so that a long run of what has expired holds nobody up.
const PAGE_ROWS: usize = 16 * 1_024;

/// What these keys have, expired or not, in their order.
pub(crate) fn entries(
    entries: &Entries,
    space: &Space,
    location: &str,
    keys: &[Key],
) -> Result<Result<Vec<Option<Entry>>, Corrupt>, StorageError> {
    let (mut found, mut row) = (Vec::with_capacity(keys.len()), Vec::new());
    for key in keys {
        rows::write_entry(&mut row, space.id, key.as_str());
        let Some(bytes) = entries.get(&*row)? else {
            found.push(None);
            continue;
        };
        match Record::decode(bytes.value()) {
            Ok(record) => found.push(Some(record.to_entry())),
            Err(reason) => return Ok(Err(space.corrupt(location, Some(key.clone()), reason))),
        }
    }
    Ok(Ok(found))
}

/// A page of what can be read at this time.
pub(crate) fn page(
    entries: &Entries,
    space: &Space,
    location: &str,
    scan: &Scan,
    now: SystemTime,
) -> Result<Page, StorageError> {
    let mut reading =
        Reading { space, location, scan, now, page: Page::default(), bytes: 0, looked_at: 0, last: None };
    let Some((low, high)) = scan.range() else { return Ok(reading.page) };
    let (low, high) = (rows::low(space.id, &low), rows::high(space.id, &high));
    let mut found =
        entries.range::<&[u8]>((low.as_ref().map(|row| &**row), high.as_ref().map(|row| &**row)))?;
    while let Some(entry) = if scan.reverse { found.next_back() } else { found.next() } {
        let (row, value) = entry?;
        if !reading.take(row.value(), value.value()) {
            break;
        }
    }
    Ok(reading.page)
}

/// A page that is being filled.
struct Reading<'a> {
    space: &'a Space,
    location: &'a str,
    scan: &'a Scan,
    now: SystemTime,
    page: Page,
    bytes: usize,
    looked_at: usize,
    /// The last key that was looked at.
    last: Option<Key>,
}

impl Reading<'_> {
    /// Takes a row to the page; false when that has ended before it.
    fn take(&mut self, row: &[u8], value: &[u8]) -> bool {
        let is_full = self.page.entries.len() >= self.scan.limit || self.bytes >= PAGE_BYTES;
        // As long as no key was met there is none to go on after.
        if (is_full || self.looked_at >= PAGE_ROWS) && self.last.is_some() {
            self.page.next = self.last.take();
            return false;
        }
        self.looked_at += 1;
        let Some(key) = rows::key_of_entry(row) else {
            if self.page.corrupt.len() < PAGE_ROWS {
                self.page.corrupt.push(self.space.corrupt(self.location, None, "its key is none"));
            }
            return true;
        };
        match Record::decode(value) {
            Ok(record) if record.deadline.is_some_and(|deadline| deadline.is_past(self.now)) => {}
            Ok(record) => {
                self.bytes += record.value.len();
                self.page.entries.push((key.clone(), record.to_entry()));
            }
            Err(reason) => {
                self.page.corrupt.push(self.space.corrupt(self.location, Some(key.clone()), reason));
            }
        }
        self.last = Some(key);
        true
    }
}
