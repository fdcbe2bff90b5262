//! The etag contract of a store in memory.

use dayfly_kv::{Bytes, Key, MemoryStore, Namespace, Precondition, PutError, PutOptions};

fn store() -> MemoryStore {
    MemoryStore::new(Namespace::new("acme", "shop", "order").unwrap())
}

fn key(text: &str) -> Key {
    Key::new(text).unwrap()
}

#[test]
fn put_absent_happens_once() {
    let store = store();
    let etag = store.put_now(&key("a"), Bytes::from_static(b"1"), &PutOptions::new().absent()).unwrap();
    assert!(!etag.to_string().trim().is_empty());
    let refused = store.put_now(&key("a"), Bytes::from_static(b"2"), &PutOptions::new().absent());
    let Err(PutError::Conflict(conflict)) = refused else { panic!("{refused:?}") };
    assert_eq!(conflict.current, Some(etag.clone()));
    let found = store.get_now(&key("a")).unwrap();
    assert_eq!((found.value, found.etag), (Bytes::from_static(b"1"), etag));
}

#[test]
fn deleting_what_is_not_there_says_so() {
    assert!(!store().delete_now(&key("a"), &Precondition::Any).unwrap());
}
