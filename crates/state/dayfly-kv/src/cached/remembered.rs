//! What a cache remembers, as one lock guards it. It has no lock and no clock itself.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::Instant;

use super::CacheOptions;
use crate::entry::Entry;
use crate::key::Key;
use crate::namespace::Namespace;

/// Entries by namespace and key. When there is no room, the one that was not used for longest leaves.
#[derive(Debug)]
pub(super) struct Remembered {
    by_namespace: HashMap<Namespace, HashMap<Key, Memory>>,
    /// The same by their last use, the longest unused first.
    by_use: BTreeMap<u64, (Namespace, Key)>,
    uses: u64,
    bytes: usize,
    /// Counts what was forgotten because of writes.
    writes: u64,
    max_entries: usize,
    max_bytes: usize,
    max_age: Duration,
}

#[derive(Debug)]
struct Memory {
    entry: Entry,
    read_at: Instant,
    used: u64,
}

/// A reading that began: what it finds is remembered only if nothing was written since.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Filling {
    writes: u64,
    began_at: Instant,
}

impl Remembered {
    pub(super) fn new(options: &CacheOptions) -> Self {
        Self {
            by_namespace: HashMap::new(),
            by_use: BTreeMap::new(),
            uses: 0,
            bytes: 0,
            writes: 0,
            max_entries: options.max_entries,
            max_bytes: options.max_bytes,
            max_age: options.max_age,
        }
    }

    pub(super) fn len(&self) -> usize {
        self.by_use.len()
    }

    /// What is remembered, or a reading that begins; and what was too old, for the caller to drop.
    pub(super) fn get(
        &mut self,
        namespace: &Namespace,
        key: &Key,
        now: Instant,
    ) -> (Result<Entry, Filling>, Option<Entry>) {
        let filling = Err(Filling { writes: self.writes, began_at: now });
        let memory = self.by_namespace.get_mut(namespace).and_then(|entries| entries.get_mut(key));
        let Some(memory) = memory else { return (filling, None) };
        if now.saturating_duration_since(memory.read_at) > self.max_age {
            return (filling, self.remove(namespace, key));
        }
        self.uses += 1;
        let before = std::mem::replace(&mut memory.used, self.uses);
        let entry = memory.entry.clone();
        if let Some(name) = self.by_use.remove(&before) {
            self.by_use.insert(self.uses, name);
        }
        (Ok(entry), None)
    }

    /// Remembers what a reading has found; gives what had to leave for it.
    pub(super) fn insert(
        &mut self,
        namespace: &Namespace,
        key: &Key,
        entry: &Entry,
        filling: Filling,
        now: Instant,
    ) -> Vec<Entry> {
        let is_old = now.saturating_duration_since(filling.began_at) > self.max_age;
        if filling.writes != self.writes || entry.value.len() > self.max_bytes || is_old {
            return Vec::new();
        }
        let mut displaced: Vec<Entry> = self.remove(namespace, key).into_iter().collect();
        self.uses += 1;
        self.bytes += entry.value.len();
        let memory = Memory { entry: entry.clone(), read_at: filling.began_at, used: self.uses };
        self.by_use.insert(self.uses, (namespace.clone(), key.clone()));
        self.by_namespace.entry(namespace.clone()).or_default().insert(key.clone(), memory);
        while (self.by_use.len() > self.max_entries || self.bytes > self.max_bytes)
            && let Some((namespace, key)) = self.by_use.first_key_value().map(|(_, name)| name.clone())
        {
            displaced.extend(self.remove(&namespace, &key));
        }
        displaced
    }

    /// Forgets an entry because of a write. Readings under way are not remembered.
    pub(super) fn forget(&mut self, namespace: &Namespace, key: &Key) -> Option<Entry> {
        self.writes += 1;
        self.remove(namespace, key)
    }

    /// Forgets a namespace because it was cleared.
    pub(super) fn forget_all(&mut self, namespace: &Namespace) -> Vec<Entry> {
        self.writes += 1;
        let keys: Vec<Key> =
            self.by_namespace.get(namespace).into_iter().flat_map(HashMap::keys).cloned().collect();
        keys.iter().filter_map(|key| self.remove(namespace, key)).collect()
    }

    pub(super) fn clear(&mut self) -> Vec<Entry> {
        self.writes += 1;
        self.by_use.clear();
        self.bytes = 0;
        let all = std::mem::take(&mut self.by_namespace);
        all.into_values().flat_map(HashMap::into_values).map(|memory| memory.entry).collect()
    }

    fn remove(&mut self, namespace: &Namespace, key: &Key) -> Option<Entry> {
        let entries = self.by_namespace.get_mut(namespace)?;
        let memory = entries.remove(key)?;
        if entries.is_empty() {
            self.by_namespace.remove(namespace);
        }
        self.by_use.remove(&memory.used);
        self.bytes -= memory.entry.value.len();
        Some(memory.entry)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::etag::Etag;

    fn entry(bytes: usize) -> Entry {
        Entry::new(Bytes::from(vec![0; bytes]), Etag::new("e"))
    }

    fn key(name: &str) -> Key {
        Key::new(name).unwrap()
    }

    fn begun(remembered: &mut Remembered, namespace: &Namespace, name: &str, now: Instant) -> Filling {
        remembered.get(namespace, &key(name), now).0.unwrap_err()
    }

    #[test]
    fn who_was_not_used_for_longest_leaves_for_want_of_room_or_bytes() {
        let (here, now) = (Namespace::new("d", "c", "e").unwrap(), Instant::now());
        let mut cache = Remembered::new(&CacheOptions::new().max_entries(2).max_bytes(10));
        for (name, bytes) in [("a", 1), ("b", 1)] {
            let filling = begun(&mut cache, &here, name, now);
            cache.insert(&here, &key(name), &entry(bytes), filling, now);
        }
        assert!(cache.get(&here, &key("a"), now).0.is_ok());
        let filling = begun(&mut cache, &here, "c", now);
        assert_eq!(cache.insert(&here, &key("c"), &entry(9), filling, now), [entry(1)]);
        assert!(cache.get(&here, &key("b"), now).0.is_err());
        let filling = begun(&mut cache, &here, "d", now);
        assert_eq!(cache.insert(&here, &key("d"), &entry(2), filling, now), [entry(1), entry(9)]);
        assert_eq!((cache.len(), cache.bytes), (1, 2));
        let filling = begun(&mut cache, &here, "e", now);
        assert_eq!(cache.insert(&here, &key("e"), &entry(11), filling, now), []);
        assert_eq!(cache.len(), 1);
    }

    #[test]
    fn a_reading_that_a_write_came_across_is_not_remembered() {
        let (here, now) = (Namespace::new("d", "c", "e").unwrap(), Instant::now());
        let mut cache = Remembered::new(&CacheOptions::new());
        let filling = begun(&mut cache, &here, "a", now);
        cache.forget(&here, &key("a"));
        cache.insert(&here, &key("a"), &entry(1), filling, now);
        assert_eq!(cache.len(), 0);
    }

    #[test]
    fn age_counts_from_the_beginning_of_the_reading() {
        let (here, now) = (Namespace::new("d", "c", "e").unwrap(), Instant::now());
        let second = Duration::from_secs(1);
        let mut cache = Remembered::new(&CacheOptions::new().max_age(second));
        let filling = begun(&mut cache, &here, "a", now);
        cache.insert(&here, &key("a"), &entry(1), filling, now + second);
        assert!(cache.get(&here, &key("a"), now + second).0.is_ok());
        assert!(cache.get(&here, &key("a"), now + second + Duration::from_nanos(1)).0.is_err());
        assert_eq!((cache.len(), cache.bytes, cache.by_namespace.len()), (0, 0, 0));
    }
}
