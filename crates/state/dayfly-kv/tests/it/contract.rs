//! Cases 47 to 50 and 52 to 55 of the design on the store in memory. The conformance suite has them for every backend.

use std::collections::HashSet;
use std::time::Duration;

use dayfly_kv::{
    Bytes, DeleteError, Etag, MemoryBackend, Namespace, Precondition, PutError, PutOptions, Scan,
};

use crate::support::{bytes, key, memory, on_a_manual_clock};

const ANY: PutOptions = PutOptions::new();
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn put_absent_happens_once() {
    let store = memory();
    let etag = store.put_now(&key("a"), bytes("1"), &ANY.absent()).unwrap();
    assert!(!etag.to_string().trim().is_empty());
    let refused = store.put_now(&key("a"), bytes("2"), &ANY.absent());
    let Err(PutError::Conflict(conflict)) = refused else { panic!("{refused:?}") };
    assert_eq!(conflict.current, Some(etag.clone()));
    let found = store.get_now(&key("a")).unwrap();
    assert_eq!((found.value, found.etag), (bytes("1"), etag));
}

#[test]
fn put_matches_gives_a_new_etag_and_refuses_an_old_one() {
    let store = memory();
    let first = store.put_now(&key("a"), bytes("1"), &ANY).unwrap();
    let second = store.put_now(&key("a"), bytes("2"), &ANY.matches(first.clone())).unwrap();
    assert_ne!(first, second);
    let refused = store.put_now(&key("a"), bytes("3"), &ANY.matches(first));
    assert!(matches!(refused, Err(PutError::Conflict(conflict)) if conflict.current == Some(second.clone())));
    assert_eq!(store.get_now(&key("a")).unwrap().etag, second);
}

#[test]
fn put_present_and_delete_say_what_is_not_there() {
    let store = memory();
    let refused = store.put_now(&key("a"), bytes("1"), &ANY.present());
    assert!(matches!(refused, Err(PutError::Conflict(conflict)) if conflict.current.is_none()));
    assert!(!store.delete_now(&key("a"), &Precondition::Any).unwrap());
    let etag = store.put_now(&key("a"), bytes("1"), &ANY).unwrap();
    let refused = store.delete_now(&key("a"), &Precondition::Matches(Etag::new("bad")));
    assert!(matches!(refused, Err(DeleteError::Conflict(conflict)) if conflict.current == Some(etag)));
    assert!(store.get_now(&key("a")).is_some());
    assert!(store.delete_now(&key("a"), &Precondition::Present).unwrap());
}

#[test]
fn etags_are_unique_across_deletion_and_stores() {
    let mut etags = HashSet::new();
    for store in [memory(), memory()] {
        for _ in 0..100 {
            for name in ["a", "b", "c", "d"] {
                assert!(etags.insert(store.put_now(&key(name), bytes("same"), &ANY).unwrap()));
            }
            store.delete_now(&key("a"), &Precondition::Any).unwrap();
            store.clear_now();
        }
    }
}

#[test]
fn an_entry_with_a_time_to_live_goes_and_a_sweep_takes_only_such() {
    let (store, clock) = on_a_manual_clock();
    store.put_now(&key("a"), bytes("1"), &ANY.time_to_live(MINUTE)).unwrap();
    store.put_now(&key("b"), bytes("1"), &ANY.time_to_live(MINUTE)).unwrap();
    store.put_now(&key("b"), bytes("2"), &ANY).unwrap();
    clock.advance(2 * MINUTE);
    assert_eq!(store.get_now(&key("a")), None);
    assert_eq!(store.sweep_now(), 1);
    assert_eq!(store.sweep_now(), 0);
    clock.advance(1_000 * MINUTE);
    assert_eq!(store.get_now(&key("b")).unwrap().value, bytes("2"));
}

#[test]
fn a_clock_that_goes_back_brings_back_what_was_not_swept() {
    let (store, clock) = on_a_manual_clock();
    store.put_now(&key("a"), bytes("1"), &ANY.time_to_live(MINUTE)).unwrap();
    let deadline = store.get_now(&key("a")).unwrap().deadline.unwrap();
    clock.set(deadline.time() + MINUTE);
    assert_eq!(store.get_now(&key("a")), None);
    clock.set(deadline.time());
    assert!(store.get_now(&key("a")).is_some());
}

#[test]
fn thousands_of_expired_entries_are_swept_and_their_room_is_free() {
    let (store, clock) = on_a_manual_clock();
    for number in 0..10_000 {
        let options = ANY.time_to_live(MINUTE * (1 + number % 2));
        store.put_now(&key(&number.to_string()), bytes("1"), &options).unwrap();
    }
    clock.advance(MINUTE + Duration::from_nanos(1));
    assert_eq!(store.sweep_now(), 5_000);
    assert_eq!(store.scan_now(&Scan::all().limit(20_000)).entries.len(), 5_000);
    assert_eq!(store.clear_now(), 5_000);
}

#[test]
fn a_value_over_the_limit_is_refused_and_changes_nothing() {
    let store = memory();
    let limit = 512 * 1024;
    store.put_now(&key("a"), Bytes::from(vec![0; limit]), &ANY).unwrap();
    let refused = store.put_now(&key("a"), Bytes::from(vec![0; limit + 1]), &ANY);
    assert!(
        matches!(refused, Err(PutError::TooLarge { bytes, limit: most }) if (bytes, most) == (limit + 1, limit))
    );
    assert_eq!(store.get_now(&key("a")).unwrap().value.len(), limit);
}

#[test]
fn namespaces_of_one_backend_are_independent_and_stay_while_it_does() {
    let backend = MemoryBackend::new();
    let names = [("a", "c", "e"), ("b", "c", "e"), ("a", "d", "e"), ("a", "c", "f")];
    let open = |(database, container, entity)| {
        backend.open_now(&Namespace::new(database, container, entity).unwrap()).unwrap()
    };
    for (number, name) in names.into_iter().enumerate() {
        open(name).put_now(&key("same"), bytes(&number.to_string()), &ANY.absent()).unwrap();
    }
    assert_eq!(open(names[0]).clear_now(), 1);
    for (number, name) in names.into_iter().enumerate().skip(1) {
        assert_eq!(open(name).get_now(&key("same")).unwrap().value, bytes(&number.to_string()));
    }
}
