//! Stores that tests work on.

use std::sync::Arc;

use dayfly_kv::{Bytes, Key, ManualClock, MemoryOptions, MemoryStore, Namespace, ScriptedStore, Store};

pub(crate) fn namespace() -> Namespace {
    Namespace::new("acme", "shop", "order").unwrap()
}

pub(crate) fn memory() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(namespace()))
}

pub(crate) fn on_a_manual_clock() -> (Arc<MemoryStore>, ManualClock) {
    let clock = ManualClock::new();
    let store = MemoryStore::with(namespace(), &MemoryOptions::new(), Arc::new(clock.clone()));
    (Arc::new(store), clock)
}

/// A store that fails as it is told, over one in memory that can be looked into.
pub(crate) fn scripted() -> (ScriptedStore, Arc<MemoryStore>) {
    let memory = memory();
    (ScriptedStore::new(Arc::clone(&memory) as Arc<dyn Store>), memory)
}

pub(crate) fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

pub(crate) fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}
