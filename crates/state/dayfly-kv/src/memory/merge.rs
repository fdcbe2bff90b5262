//! One page out of many shards.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::time::SystemTime;

use super::Locked;
use crate::entry::Entry;
use crate::key::Key;
use crate::scan::{Page, Scan};

/// The first entries, by name, of those that are asked for. Shards are looked at one after the other, so this is no
/// snapshot of all; each entry is as it was at some moment of the call.
pub(super) fn page(shards: &[Locked], scan: &Scan, now: SystemTime, hasher: &impl BuildHasher) -> Page {
    // One more than the page holds tells whether another page follows.
    let most = scan.limit.saturating_add(1);
    let mut first: BTreeMap<Key, Entry> = BTreeMap::new();
    for shard in shards {
        let is_full = first.len() >= most;
        let before = first.last_key_value().filter(|_| is_full).map(|(last, _)| last);
        let found = shard.lock().page(scan, before, most, now, hasher);
        first.extend(found);
        while first.len() > most {
            first.pop_last();
        }
    }
    let has_more = first.len() > scan.limit;
    if has_more {
        first.pop_last();
    }
    let next = first.last_key_value().filter(|_| has_more).map(|(last, _)| last.clone());
    Page { entries: first.into_iter().collect(), corrupt: Vec::new(), next }
}
