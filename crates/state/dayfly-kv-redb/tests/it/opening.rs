//! Opening the file, and opening it again.

use std::sync::Arc;

use dayfly_kv::{
    Backend, Bytes, Key, Namespace, OpenError, Precondition, Prefix, PutError, PutOptions, Store, WatchFrom,
};
use dayfly_kv_redb::{RedbBackend, RedbOptions, RedbStore};

use crate::support::{bytes, key, orders};

#[tokio::test]
async fn what_was_written_is_there_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let etag = {
        let backend = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
        let store = backend.store(&orders()).await.unwrap();
        store.put(&key("a"), bytes("1"), PutOptions::new()).await.unwrap()
    };
    let backend = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
    let store = backend.open(&orders()).await.unwrap();
    let found = store.get(&key("a")).await.unwrap().unwrap();
    assert_eq!((found.value, found.etag.clone()), (bytes("1"), etag));
    let again =
        store.put(&key("a"), bytes("1"), PutOptions::new().matches(found.etag.clone())).await.unwrap();
    assert_ne!(again, found.etag);
}

#[tokio::test]
async fn a_file_that_is_open_is_in_use() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let backend = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
    let second = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap_err();
    assert!(matches!(&second, OpenError::InUse { location } if location.ends_with("relay.db")), "{second:?}");
    // A store alone keeps it open.
    let store = backend.store(&orders()).await.unwrap();
    drop(backend);
    assert!(RedbBackend::open_file(&path, &RedbOptions::new()).await.is_err());
    drop(store);
    RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
}

#[tokio::test]
async fn what_is_no_database_is_corrupt_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("letter.txt");
    for content in ["x".repeat(10), "Dear Sir or Madam, ".repeat(1_000)] {
        std::fs::write(&path, &content).unwrap();
        let error = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap_err();
        assert!(
            matches!(&error, OpenError::Corrupt(corrupt) if corrupt.location.ends_with("letter.txt")),
            "{error:?}"
        );
        assert_eq!(std::fs::read_to_string(&path).unwrap(), content);
    }
}

#[tokio::test]
async fn a_path_that_cannot_be_says_why() {
    let folder = tempfile::tempdir().unwrap();
    for (path, kind) in [
        (folder.path().join("no such folder/relay.db"), std::io::ErrorKind::NotFound),
        (folder.path().to_owned(), std::io::ErrorKind::IsADirectory),
        (std::path::PathBuf::new(), std::io::ErrorKind::NotFound),
    ] {
        match RedbBackend::open_file(&path, &RedbOptions::new()).await {
            Err(OpenError::Unavailable(why)) => assert_eq!(why.io_kind(), Some(kind), "{path:?}"),
            other => panic!("{path:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn what_is_closed_says_so_and_the_file_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let backend = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
    store.put(&key("a"), bytes("1"), PutOptions::new()).await.unwrap();
    backend.close().await.unwrap();
    let put = store.put(&key("a"), bytes("2"), PutOptions::new()).await.unwrap_err();
    assert!(
        matches!(&put, PutError::Unavailable(why) if why.to_string() == "the database was closed"),
        "{put:?}"
    );
    assert_eq!(store.get(&key("a")).await.unwrap_err().to_string(), "the database was closed");
    assert_eq!(
        store.delete(&key("a"), Precondition::Any).await.unwrap_err().to_string(),
        "the database was closed"
    );
    assert!(store.sweep().await.is_err() && store.clear().await.is_err() && backend.sync().await.is_err());
    assert!(backend.close().await.is_err());
    assert!(watch.next().await.unwrap().unwrap().key().is_some());
    assert!(watch.next().await.is_none());
    let again = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
    assert!(again.store(&orders()).await.unwrap().contains(&key("a")).await.unwrap());
}

#[tokio::test]
async fn writers_under_way_are_finished_when_it_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("relay.db");
    let backend = RedbBackend::open_file(&path, &RedbOptions::new().queue_capacity(4)).await.unwrap();
    let store = Arc::new(backend.store(&orders()).await.unwrap());
    let mut writers = tokio::task::JoinSet::new();
    for number in 0..64 {
        let store = Arc::clone(&store);
        writers.spawn(async move {
            let key = Key::new(format!("{number}")).unwrap();
            store.put(&key, Bytes::new(), PutOptions::new()).await.is_ok().then_some(key)
        });
    }
    tokio::task::yield_now().await;
    backend.close().await.unwrap();
    let written = writers.join_all().await;
    drop((store, backend));
    let backend = RedbBackend::open_file(&path, &RedbOptions::new()).await.unwrap();
    let store = backend.store(&orders()).await.unwrap();
    for key in written.into_iter().flatten() {
        assert!(store.contains(&key).await.unwrap(), "{key} was acknowledged");
    }
}

#[test]
fn everything_can_be_shared_among_threads() {
    const fn shared<T: Send + Sync + Clone + std::fmt::Debug>() {}
    shared::<RedbBackend>();
    shared::<RedbStore>();
    shared::<RedbOptions>();
}

#[tokio::test]
async fn namespaces_that_look_alike_are_different() {
    let folder = tempfile::tempdir().unwrap();
    let backend = RedbBackend::open_file(folder.path().join("a.db"), &RedbOptions::new()).await.unwrap();
    let names = [("a", "b", "c"), ("a/b", "c", "c"), ("ab", "c", "c"), ("a", "bc", "c"), ("a", "b", "cc")];
    for (number, (database, container, entity)) in names.into_iter().enumerate() {
        let store = backend.store(&Namespace::new(database, container, entity).unwrap()).await.unwrap();
        assert!(!store.contains(&key("k")).await.unwrap());
        store.put(&key("k"), bytes(&number.to_string()), PutOptions::new().absent()).await.unwrap();
    }
}
