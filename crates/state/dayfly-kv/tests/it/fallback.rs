//! Reading elsewhere while a store is away.

use std::sync::Arc;

use dayfly_kv::{Call, Corrupt, FallbackStore, Fault, PutError, PutOptions, Scan, Store, Unavailable};

use crate::support::{bytes, key, memory, scripted};

#[tokio::test]
async fn reads_go_to_the_second_store_while_the_first_is_away_and_writes_never() {
    let (first, _) = scripted();
    let second = memory();
    let store = FallbackStore::new(Arc::new(first.clone()), second.clone());
    second.put_now(&key("a"), bytes("copy"), &PutOptions::new()).unwrap();
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
    for call in [Call::Get, Call::Contains, Call::GetMany, Call::Scan, Call::Put] {
        first.every(call, Fault::Fail(Unavailable::new("it is away")));
    }
    assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("copy"));
    assert!(store.contains(&key("a")).await.unwrap());
    assert!(store.get_many(&[key("a")]).await.unwrap()[0].is_some());
    assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 1);
    let refused = store.put(&key("b"), bytes("1"), PutOptions::new()).await;
    assert!(matches!(refused, Err(PutError::Unavailable(_))));
    assert_eq!((second.get_now(&key("b")), store.fallbacks()), (None, 4));
    first.heal();
    assert_eq!(store.get(&key("a")).await.unwrap(), None);
    assert_eq!(store.fallbacks(), 4);
}

#[test]
fn an_error_says_its_kind_and_its_cause() {
    let full = std::io::Error::from(std::io::ErrorKind::StorageFull);
    let away = Unavailable::because("cannot write the file", full);
    assert_eq!(
        (away.to_string().as_str(), away.io_kind()),
        ("cannot write the file", Some(std::io::ErrorKind::StorageFull))
    );
    assert!(std::error::Error::source(&away).is_some());
    assert_eq!(Unavailable::new("it is away").io_kind(), None);
    let corrupt = Corrupt { location: "/srv/a.json".into(), reason: "its sum is wrong".into(), key: None };
    assert_eq!(corrupt.to_string(), "/srv/a.json is corrupt: its sum is wrong");
}
