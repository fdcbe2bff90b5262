//! Where things stand in the tables: the keys of their rows.
//!
//! All namespaces share a table, so that a transaction of writers to many of them touches few pages. The number of the
//! namespace comes first, so the entries of one stand together, in the order of their keys.

use std::ops::Bound;

use dayfly_kv::{Deadline, Key, Namespace};

/// Where an entry stands, or the first that begins with this text.
pub(crate) fn entry(space: u32, text: &str) -> Vec<u8> {
    let mut row = Vec::with_capacity(4 + text.len());
    write_entry(&mut row, space, text);
    row
}

/// As [`entry`], into a buffer that is used again and again.
pub(crate) fn write_entry(row: &mut Vec<u8>, space: u32, text: &str) {
    row.clear();
    row.extend_from_slice(&space.to_be_bytes());
    row.extend_from_slice(text.as_bytes());
}

/// Where the entries begin whose keys are not below this.
pub(crate) fn low(space: u32, key: &Bound<String>) -> Bound<Vec<u8>> {
    match key {
        Bound::Unbounded => Bound::Included(entry(space, "")),
        bound => bound.as_ref().map(|key| entry(space, key)),
    }
}

/// Where the entries end whose keys are not above this.
pub(crate) fn high(space: u32, key: &Bound<String>) -> Bound<Vec<u8>> {
    match key {
        // The next namespace begins there, if there can be one.
        Bound::Unbounded => {
            space.checked_add(1).map_or(Bound::Unbounded, |next| Bound::Excluded(entry(next, "")))
        }
        bound => bound.as_ref().map(|key| entry(space, key)),
    }
}

/// The key of the entry that stands there, unless that is no place of an entry.
pub(crate) fn key_of_entry(row: &[u8]) -> Option<Key> {
    Key::new(str::from_utf8(row.get(4..)?).ok()?).ok()
}

/// Where the deadline of an entry stands.
pub(crate) fn deadline(space: u32, deadline: Deadline, key: &str) -> Vec<u8> {
    let mut row = first_deadline(space, deadline.unix_nanos());
    row.extend_from_slice(key.as_bytes());
    row
}

/// What comes before every deadline of this time or a later one.
pub(crate) fn first_deadline(space: u32, nanos: u64) -> Vec<u8> {
    [&space.to_be_bytes()[..], &nanos.to_be_bytes()].concat()
}

/// The deadline that stands there, and whose it is.
pub(crate) fn of_deadline(row: &[u8]) -> Option<(Deadline, &str)> {
    let (nanos, key) = row.get(4..)?.split_first_chunk()?;
    Some((Deadline::from_unix_nanos(u64::from_be_bytes(*nanos))?, str::from_utf8(key).ok()?))
}

/// Where the number of a namespace stands. Each part has its length before it, so no two namespaces share a row.
pub(crate) fn namespace(namespace: &Namespace) -> Vec<u8> {
    let parts = [namespace.database(), namespace.container(), namespace.entity()];
    let mut row = Vec::new();
    for part in parts {
        // A part has at most 128 bytes.
        row.push(u8::try_from(part.len()).unwrap_or(u8::MAX));
        row.extend_from_slice(part.as_bytes());
    }
    row
}
