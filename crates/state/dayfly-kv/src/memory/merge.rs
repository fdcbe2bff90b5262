//! One page out of many shards.

use std::collections::BTreeMap;
use std::hash::BuildHasher;
use std::time::SystemTime;

use super::Locked;
use crate::entry::Entry;
use crate::key::Key;
use crate::scan::{Page, Scan};

/// The first entries, in their order, of those that are asked for. Shards are looked at one after the other, so this is no
/// snapshot of all; each entry is as it was at some moment of the call.
pub(super) fn page(shards: &[Locked], scan: &Scan, now: SystemTime, hasher: &impl BuildHasher) -> Page {
    // A page without room would have no key to go on after. One more than it holds tells whether another page follows.
    let limit = scan.limit.max(1);
    let most = limit.saturating_add(1);
    let mut first: BTreeMap<Key, Entry> = BTreeMap::new();
    for shard in shards {
        let is_full = first.len() >= most;
        let before = last(&first, scan.reverse).filter(|_| is_full);
        let found = shard.lock().page(scan, before, most, now, hasher);
        first.extend(found);
        while first.len() > most {
            remove_last(&mut first, scan.reverse);
        }
    }
    let has_more = first.len() > limit;
    if has_more {
        remove_last(&mut first, scan.reverse);
    }
    let next = last(&first, scan.reverse).filter(|_| has_more).cloned();
    let mut entries: Vec<(Key, Entry)> = first.into_iter().collect();
    if scan.reverse {
        entries.reverse();
    }
    Page { entries, corrupt: Vec::new(), next }
}

fn last(entries: &BTreeMap<Key, Entry>, reverse: bool) -> Option<&Key> {
    if reverse { entries.keys().next() } else { entries.keys().next_back() }
}

fn remove_last(entries: &mut BTreeMap<Key, Entry>, reverse: bool) {
    let removed = if reverse { entries.pop_first() } else { entries.pop_last() };
    drop(removed);
}
