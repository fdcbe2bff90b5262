//! Every public future of the crate, dropped at every moment of its life: nothing is half done, and nobody is kept out.

use std::sync::Arc;
use std::time::Duration;

use dayfly_circuit_breaker::{BreakerOptions, CircuitBreaker};
use dayfly_kv::{
    BreakerStore, Cache, CacheOptions, Call, FallbackStore, Fault, InstrumentedStore, KeyValueStore,
    MemoryBackend, MemoryStore, Migration, MigrationOptions, Place, Precondition, Prefix, Provider,
    PutOptions, RetryStore, Scan, ScriptedStore, Store, UpdateOptions, WatchFrom,
};
use dayfly_retry::RetryOptions;
use dayfly_signal::SignalSink;
use dayfly_testing::{DropPoint, drop_at_every_poll};

use crate::support::{bytes, key, scripted};

const ANY: PutOptions = PutOptions::new();
const SHORT: Duration = Duration::from_millis(10);

const CALLS: [Call; 9] = [
    Call::Get,
    Call::Contains,
    Call::GetMany,
    Call::Put,
    Call::Delete,
    Call::Scan,
    Call::Watch,
    Call::Sweep,
    Call::Clear,
];

/// A store that takes its time, before it does something or before it answers, and the one beneath.
fn slow(fault: &Fault) -> (ScriptedStore, Arc<MemoryStore>) {
    let (store, memory) = scripted();
    for call in CALLS {
        store.every(call, fault.clone());
    }
    (store, memory)
}

/// Every decorator over each other.
fn decorated(fault: &Fault) -> (Arc<dyn Store>, Arc<MemoryStore>) {
    let (store, memory) = slow(fault);
    let cached = Cache::new(&CacheOptions::new()).over(Arc::new(store));
    let fallback = FallbackStore::new(cached, crate::support::memory());
    let signals = SignalSink::default();
    let instrumented = Arc::new(InstrumentedStore::new(Arc::new(fallback), &signals));
    let breaker = CircuitBreaker::new("store", BreakerOptions::new(), &signals);
    let guarded = Arc::new(BreakerStore::new(instrumented, breaker));
    (Arc::new(RetryStore::new(guarded, RetryOptions::new())), memory)
}

#[test]
fn every_call_through_every_decorator_happens_as_a_whole_or_not_at_all() {
    for fault in [Fault::Delay(SHORT), Fault::DelayAnswer(SHORT)] {
        let report = drop_at_every_poll(
            || decorated(&fault),
            |(store, _)| async move {
                let etag = store.put(&key("a"), bytes("1"), ANY.absent()).await.unwrap();
                store.put(&key("a"), bytes("2"), ANY.matches(etag)).await.unwrap();
                assert!(store.get(&key("a")).await.unwrap().is_some());
                store.put(&key("a"), bytes("1"), ANY.present()).await.unwrap();
                assert!(store.contains(&key("a")).await.unwrap());
                assert_eq!(store.get_many(&[key("b"), key("a")]).await.unwrap().len(), 2);
                assert_eq!(store.scan(&Scan::all()).await.unwrap().entries.len(), 1);
                let mut watch = store.watch(&Prefix::all(), WatchFrom::Now).await.unwrap();
                assert!(store.delete(&key("a"), Precondition::Any).await.unwrap());
                assert_eq!(watch.next().await.unwrap().unwrap().key(), Some(&key("a")));
                assert_eq!(store.sweep().await.unwrap(), 0);
                assert_eq!(store.clear().await.unwrap(), 0);
            },
            |(store, memory), _| async move {
                let found = memory.get_now(&key("a"));
                assert!(found.as_ref().is_none_or(|entry| [bytes("1"), bytes("2")].contains(&entry.value)));
                // What the cache says is what there is, whatever was dropped.
                assert_eq!(store.get(&key("a")).await.unwrap(), found);
                store.put(&key("a"), bytes("3"), ANY).await.unwrap();
                assert_eq!(store.get(&key("a")).await.unwrap().unwrap().value, bytes("3"));
            },
        );
        assert!(report.polls > 9, "{report:?}");
    }
}

#[test]
fn an_update_happens_once_or_not_at_all_also_when_answers_are_lost() {
    let report = drop_at_every_poll(
        || {
            let (store, memory) = slow(&Fault::DelayAnswer(SHORT));
            memory.put_now(&key("n"), bytes(r#"{"version":1,"value":0}"#), &ANY).unwrap();
            store.nth(Call::Put, 1, Fault::LoseRequest);
            store.nth(Call::Put, 2, Fault::LandAfter(0));
            store.nth(Call::Put, 3, Fault::LoseAnswer);
            (store, memory)
        },
        |(store, _)| async move {
            let options = UpdateOptions::new().without_jitter();
            let counts = KeyValueStore::<String, u64>::json(Arc::new(store)).updates(options);
            counts.update("n", |count| count.unwrap_or(0) + 1).await.unwrap();
            assert!(counts.try_update("n", |count| (count != Some(7)).then_some(2)).await.unwrap().is_some());
            assert_eq!(counts.get_required("n").await.unwrap().value, 2);
            assert!(counts.contains("n").await.unwrap());
            assert_eq!(counts.get_many(["n"]).await.unwrap().len(), 1);
            counts.put("m", &5, ANY).await.unwrap();
            assert_eq!(counts.scan(&Scan::all()).await.unwrap().values.len(), 2);
            drop(counts.watch("", WatchFrom::Now).await.unwrap());
            assert!(counts.delete("m", Precondition::Any).await.unwrap());
        },
        |(store, _), point| async move {
            store.heal();
            let counts = KeyValueStore::<String, u64>::json(Arc::new(store));
            // The read lets what was under way land.
            let count = counts.get_required("n").await.unwrap().value;
            assert!(count <= 2);
            assert!(point != DropPoint::Completed || count == 2);
            let next = counts.update("n", |count| count.unwrap_or(0) + 1).await.unwrap().value;
            assert_eq!(next, count + 1);
        },
    );
    assert!(report.polls > 9, "{report:?}");
}

#[test]
fn a_migration_that_is_dropped_anywhere_goes_on_and_moves_everything_once() {
    let report = drop_at_every_poll(
        || {
            let (from, source) = slow(&Fault::DelayAnswer(SHORT));
            let (to, target) = slow(&Fault::DelayAnswer(SHORT));
            for number in 0..4 {
                source.put_now(&key(&number.to_string()), bytes("1"), &ANY).unwrap();
            }
            let options = MigrationOptions::new().page(2);
            let migration = Migration::copy(Arc::new(from), Arc::new(to), &options);
            (Arc::new(tokio::sync::Mutex::new(migration)), target)
        },
        |(migration, _)| async move {
            let mut migration = migration.lock().await;
            assert!(migration.step().await.unwrap());
            assert_eq!(migration.run().await.unwrap().written, 4);
        },
        |(migration, target), _| async move {
            let mut migration = migration.lock().await;
            let report = migration.run().await.unwrap();
            assert_eq!((report.read, report.written + report.same), (4, 4));
            assert_eq!(target.scan_now(&Scan::all()).entries.len(), 4);
        },
    );
    assert!(report.polls > 4, "{report:?}");
}

#[test]
fn a_change_is_not_lost_with_the_wait_for_it() {
    drop_at_every_poll(
        || {
            let memory = crate::support::memory();
            let watch = memory.watch_now(&Prefix::all(), &WatchFrom::Now);
            (memory, Arc::new(tokio::sync::Mutex::new(watch)))
        },
        |(memory, watch)| async move {
            let mut watch = watch.lock().await;
            // The wait is dropped and begun again, as users do in a select.
            let waited = tokio::time::timeout(Duration::from_secs(1), watch.next()).await;
            assert!(waited.is_err());
            memory.put_now(&key("a"), bytes("1"), &ANY).unwrap();
            tokio::task::yield_now().await;
            let change = watch.next().await;
            assert_eq!(change.unwrap().unwrap().key(), Some(&key("a")));
        },
        |(memory, watch), _| async move {
            let mut watch = watch.lock().await;
            memory.put_now(&key("b"), bytes("1"), &ANY).unwrap();
            let change = watch.next().await.unwrap().unwrap();
            assert!(change.key().is_some());
        },
    );
}

#[test]
fn opening_leaves_nothing_behind_but_an_empty_namespace() {
    drop_at_every_poll(
        || Provider::new(Arc::new(MemoryBackend::new()), Place::new().container("c").entity("e")),
        |provider| async move {
            tokio::task::yield_now().await;
            let place = Place::new().database("d");
            provider.open(&place).await.unwrap();
            tokio::task::yield_now().await;
            assert_eq!(
                provider.open_state::<String, Flag>(&place).await.unwrap().store().namespace().entity(),
                "flag"
            );
        },
        |provider, _| async move {
            assert_eq!(provider.open(&Place::new().database("d")).await.unwrap().clear().await.unwrap(), 0);
        },
    );
}

#[derive(serde::Serialize, serde::Deserialize)]
struct Flag;

impl dayfly_kv::State for Flag {
    const ENTITY: &'static str = "flag";
}
