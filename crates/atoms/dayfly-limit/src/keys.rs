//! The keys that are held or waited for, and nobody else's.

use std::collections::BTreeMap;

use hashbrown::HashTable;
use slab::Slab;

use crate::few::Few;
use crate::place::Place;
use crate::room::Room;

/// What the table calls a key while somebody holds it or waits for it.
pub(crate) type KeyId = usize;

/// The keys that a request names, each once, by what the table calls them.
#[derive(Debug, Default)]
pub(crate) enum KeyIds {
    #[default]
    None,
    One(KeyId),
    Many(Box<[KeyId]>),
}

/// The keys that a request names, each once, with its hash.
#[derive(Debug)]
pub(crate) enum Named<K> {
    None,
    One(u64, K),
    Many(Vec<(u64, K)>),
}

/// Where the keys that a request names stand in the table.
#[derive(Debug)]
pub(crate) enum Located {
    None,
    One(Option<KeyId>),
    Many(Vec<Option<KeyId>>),
}

/// One key.
#[derive(Debug)]
pub(crate) struct Slot<K> {
    key: K,
    hash: u64,
    /// Holders and waiters: the last one to go takes the key along.
    users: usize,
    /// Those of them that wait.
    pub(crate) waiting: usize,
    pub(crate) room: Room,
    /// Who waits for it and has not been called.
    pub(crate) line: BTreeMap<Place, usize>,
    /// How often in a row somebody was called and did not come.
    pub(crate) lapses: u32,
}

/// All of them. A key's `Hash` is asked outside, its `Eq` here, and before anything is changed, so that neither can do
/// harm by a panic.
#[derive(Debug)]
pub(crate) struct KeyTable<K> {
    ids: HashTable<KeyId>,
    slots: Slab<Slot<K>>,
}

impl KeyIds {
    pub(crate) fn as_slice(&self) -> &[KeyId] {
        match self {
            Self::None => &[],
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

impl<K: Eq> Named<K> {
    /// Several keys, in whatever order, the same one perhaps twice.
    pub(crate) fn several(mut keys: Vec<(u64, K)>) -> Self {
        // Equal keys have equal hashes, so only runs of one hash are compared, and hardly any run has two.
        keys.sort_by_key(|(hash, _)| *hash);
        let mut each: Vec<(u64, K)> = Vec::with_capacity(keys.len());
        for (hash, key) in keys {
            let mut run = each.iter().rev().take_while(|(earlier, _)| *earlier == hash);
            if run.all(|(_, earlier)| *earlier != key) {
                each.push((hash, key));
            }
        }
        if each.is_empty() { Self::None } else { Self::Many(each) }
    }
}

impl<K> Named<K> {
    /// Hands the keys out, so that they are dropped elsewhere.
    pub(crate) fn discard(self, unused: &mut Few<K>) {
        match self {
            Self::None => {}
            Self::One(_, key) => unused.push(key),
            Self::Many(keys) => keys.into_iter().for_each(|(_, key)| unused.push(key)),
        }
    }
}

impl<K> KeyTable<K> {
    pub(crate) fn new() -> Self {
        Self { ids: HashTable::new(), slots: Slab::new() }
    }

    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }

    pub(crate) fn slot(&self, id: KeyId) -> &Slot<K> {
        &self.slots[id]
    }

    pub(crate) fn slot_mut(&mut self, id: KeyId) -> &mut Slot<K> {
        &mut self.slots[id]
    }

    /// Somebody less holds the keys or waits for them. Keys that nobody is left for are handed out, so that they are
    /// dropped elsewhere.
    pub(crate) fn let_go(&mut self, ids: &KeyIds, evicted: &mut Few<K>) {
        for &id in ids.as_slice() {
            let slot = &mut self.slots[id];
            slot.users -= 1;
            if slot.users == 0 {
                let hash = slot.hash;
                if let Ok(entry) = self.ids.find_entry(hash, |&other| other == id) {
                    entry.remove();
                }
                evicted.push(self.slots.remove(id).key);
            }
        }
    }
}

impl<K: Eq> KeyTable<K> {
    pub(crate) fn find(&self, hash: u64, key: &K) -> Option<KeyId> {
        self.ids.find(hash, |&id| self.slots[id].key == *key).copied()
    }

    /// Looks for the keys, and changes nothing.
    pub(crate) fn locate(&self, named: &Named<K>) -> Located {
        match named {
            Named::None => Located::None,
            Named::One(hash, key) => Located::One(self.find(*hash, key)),
            Named::Many(keys) => {
                Located::Many(keys.iter().map(|(hash, key)| self.find(*hash, key)).collect())
            }
        }
    }
}

impl Located {
    /// Where each key stands; nothing for those that nobody holds or waits for.
    pub(crate) fn as_slice(&self) -> &[Option<KeyId>] {
        match self {
            Self::None => &[],
            Self::One(id) => std::slice::from_ref(id),
            Self::Many(ids) => ids,
        }
    }
}

impl<K> KeyTable<K> {
    /// Somebody more holds these keys or waits for them. A key that is there already is handed out, so that it is
    /// dropped elsewhere.
    #[inline]
    pub(crate) fn hold(&mut self, named: Named<K>, located: &Located, spare: &mut Few<K>) -> KeyIds {
        match (named, located.as_slice()) {
            (Named::One(hash, key), &[found]) => KeyIds::One(self.hold_one(hash, key, found, spare)),
            (Named::Many(keys), found) => {
                let each = keys.into_iter().zip(found);
                let ids = each.map(|((hash, key), found)| self.hold_one(hash, key, *found, spare));
                KeyIds::Many(ids.collect())
            }
            _ => KeyIds::None,
        }
    }

    fn hold_one(&mut self, hash: u64, key: K, found: Option<KeyId>, spare: &mut Few<K>) -> KeyId {
        if let Some(id) = found {
            self.slots[id].users += 1;
            spare.push(key);
            return id;
        }
        let slot =
            Slot { key, hash, users: 1, waiting: 0, room: Room::default(), line: BTreeMap::new(), lapses: 0 };
        let id = self.slots.insert(slot);
        self.ids.insert_unique(hash, id, |&other| self.slots[other].hash);
        id
    }
}
