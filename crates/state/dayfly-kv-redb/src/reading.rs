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
    let start = match &scan.after {
        Some(after) if after.as_str() > scan.prefix.as_str() => after.as_str(),
        _ => scan.prefix.as_str(),
    };
    let prefix = rows::entry(space.id, scan.prefix.as_str());
    let after = scan.after.as_ref().map(|after| rows::entry(space.id, after.as_str()));
    let (mut page, mut bytes, mut looked_at, mut last) = (Page::default(), 0, 0_usize, None);
    for entry in entries.range(&*rows::entry(space.id, start)..)? {
        let (row, value) = entry?;
        let row = row.value();
        if !row.starts_with(&prefix) {
            return Ok(page);
        }
        if after.as_deref().is_some_and(|after| row <= after) {
            continue;
        }
        if page.entries.len() >= scan.limit || bytes >= PAGE_BYTES || looked_at >= PAGE_ROWS {
            page.next = last;
            return Ok(page);
        }
        looked_at += 1;
        let Some(key) = rows::key_of_entry(row) else {
            page.corrupt.push(space.corrupt(location, None, "its key is none"));
            continue;
        };
        match Record::decode(value.value()) {
            Ok(record) if record.deadline.is_some_and(|deadline| deadline.is_past(now)) => {}
            Ok(record) => {
                bytes += record.value.len();
                page.entries.push((key.clone(), record.to_entry()));
            }
            Err(reason) => page.corrupt.push(space.corrupt(location, Some(key.clone()), reason)),
        }
        last = Some(key);
    }
    Ok(page)
}
