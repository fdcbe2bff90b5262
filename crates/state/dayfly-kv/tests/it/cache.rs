//! What a cache remembers, and what it must not.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{
    Cache, CacheOptions, Call, Fault, KeyValueStore, MemoryStore, Namespace, PutOptions, ScriptedStore, Store,
};
use tokio::time::advance;

use crate::support::{bytes, key, scripted};

const ANY: PutOptions = PutOptions::new();
const SECOND: Duration = Duration::from_secs(1);

fn over(store: &ScriptedStore) -> (Cache, Arc<dyn Store>) {
    let cache = Cache::new(&CacheOptions::new().max_age(SECOND));
    let cached = cache.over(Arc::new(store.clone()));
    (cache, cached)
}

#[tokio::test(start_paused = true)]
async fn what_was_read_is_remembered_until_it_is_too_old() {
    let (store, memory) = scripted();
    let (cache, cached) = over(&store);
    memory.put_now(&key("a"), bytes("1"), &ANY).unwrap();
    for _ in 0..3 {
        assert_eq!(cached.get(&key("a")).await.unwrap().unwrap().value, bytes("1"));
    }
    assert_eq!((store.count(Call::Get), cache.len()), (1, 1));
    memory.put_now(&key("a"), bytes("2"), &ANY).unwrap();
    advance(SECOND).await;
    assert_eq!(cached.get(&key("a")).await.unwrap().unwrap().value, bytes("1"));
    advance(Duration::from_millis(1)).await;
    assert_eq!(cached.get(&key("a")).await.unwrap().unwrap().value, bytes("2"));
}

#[tokio::test]
async fn what_is_written_through_it_is_seen_at_once_whatever_comes_of_the_write() {
    let (store, memory) = scripted();
    let (_, cached) = over(&store);
    cached.put(&key("a"), bytes("1"), ANY).await.unwrap();
    cached.get(&key("a")).await.unwrap();
    cached.put(&key("a"), bytes("2"), ANY).await.unwrap();
    assert_eq!(cached.get(&key("a")).await.unwrap().unwrap().value, bytes("2"));
    store.nth(Call::Put, 1, Fault::LoseAnswer);
    assert!(cached.put(&key("a"), bytes("3"), ANY).await.is_err());
    assert_eq!(cached.get(&key("a")).await.unwrap().unwrap().value, bytes("3"));
    assert!(cached.delete(&key("a"), dayfly_kv::Precondition::Any).await.unwrap());
    assert_eq!(cached.get(&key("a")).await.unwrap(), None);
    cached.put(&key("a"), bytes("4"), ANY).await.unwrap();
    cached.get(&key("a")).await.unwrap();
    cached.clear().await.unwrap();
    assert_eq!((cached.get(&key("a")).await.unwrap(), memory.get_now(&key("a"))), (None, None));
}

#[tokio::test]
async fn an_update_behind_a_stale_memory_ends() {
    let (store, memory) = scripted();
    let (_, cached) = over(&store);
    let counts = KeyValueStore::<String, u64>::json(cached);
    counts.update("n", |_| 1).await.unwrap();
    counts.get("n").await.unwrap();
    memory.put_now(&key("n"), bytes(r#"{"version":1,"value":5}"#), &ANY).unwrap();
    assert_eq!(counts.update("n", |count| count.unwrap_or(0) + 1).await.unwrap().value, 6);
}

#[tokio::test]
async fn no_tenant_is_shown_what_another_has() {
    let cache = Cache::new(&CacheOptions::new());
    let open = |tenant: &str| {
        cache.over(Arc::new(MemoryStore::new(Namespace::new(tenant, "shop", "order").unwrap())))
    };
    let (acme, other) = (open("acme"), open("other"));
    acme.put(&key("a"), bytes("acme's"), ANY).await.unwrap();
    acme.get(&key("a")).await.unwrap();
    assert_eq!(other.get(&key("a")).await.unwrap(), None);
    other.put(&key("a"), bytes("other's"), ANY).await.unwrap();
    assert_eq!(other.get(&key("a")).await.unwrap().unwrap().value, bytes("other's"));
    other.clear().await.unwrap();
    assert_eq!(acme.get(&key("a")).await.unwrap().unwrap().value, bytes("acme's"));
    assert_eq!(cache.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_slow_reading_does_not_bring_back_what_a_write_has_replaced() {
    let (store, memory) = scripted();
    let (_, cached) = over(&store);
    memory.put_now(&key("a"), bytes("old"), &ANY).unwrap();
    // The answer of a reading is on its way while somebody writes through the same cache.
    store.nth(Call::Get, 1, Fault::DelayAnswer(SECOND / 2));
    let (wanted, name) = (bytes("new"), key("a"));
    let (old, new) = tokio::join!(cached.get(&name), cached.put(&name, wanted, ANY));
    assert_eq!((old.unwrap().unwrap().value, new.is_ok()), (bytes("old"), true));
    assert_eq!(cached.get(&key("a")).await.unwrap().unwrap().value, bytes("new"));
}

#[tokio::test]
async fn many_are_read_from_memory_where_it_has_them_and_entries_with_a_deadline_never() {
    let (store, memory) = scripted();
    let (cache, cached) = over(&store);
    memory.put_now(&key("a"), bytes("a"), &ANY).unwrap();
    memory.put_now(&key("b"), bytes("b"), &ANY).unwrap();
    memory.put_now(&key("t"), bytes("t"), &ANY.time_to_live(SECOND)).unwrap();
    cached.get(&key("b")).await.unwrap();
    let asked = [key("t"), key("b"), key("none"), key("a")];
    for _ in 0..2 {
        let found = cached.get_many(&asked).await.unwrap();
        let values: Vec<_> = found.into_iter().map(|entry| entry.map(|entry| entry.value)).collect();
        assert_eq!(values, [Some(bytes("t")), Some(bytes("b")), None, Some(bytes("a"))]);
    }
    assert_eq!(cache.len(), 2);
    cache.clear();
    assert!(cache.is_empty());
}
