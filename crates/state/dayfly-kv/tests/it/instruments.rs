//! Signals and counts of how calls end.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::{Bytes, Call, Fault, InstrumentedStore, PutOptions, Store, StoreStats, Unavailable};
use dayfly_signal::SignalSink;

use crate::support::{bytes, key, scripted};

const ANY: PutOptions = PutOptions::new();

#[tokio::test(start_paused = true)]
async fn each_ending_is_counted_and_the_bad_ones_are_raised() {
    let (scripted, _) = scripted();
    let signals = SignalSink::default();
    let store = InstrumentedStore::new(Arc::new(scripted.clone()), &signals);
    store.put(&key("a"), bytes("1"), ANY).await.unwrap();
    store.put(&key("a"), bytes("1"), ANY.absent()).await.unwrap_err();
    scripted.nth(Call::Put, 1, Fault::LoseAnswer);
    store.put(&key("a"), bytes("1"), ANY).await.unwrap_err();
    scripted.nth(Call::Get, 1, Fault::Fail(Unavailable::new("it is away")));
    store.get(&key("a")).await.unwrap_err();
    assert!(signals.is_raised("kv.unavailable"));
    store.put(&key("a"), Bytes::from(vec![0; 600_000]), ANY).await.unwrap_err();
    assert!(signals.is_raised("kv.unavailable"), "a refusal says nothing of the store");
    scripted.nth(Call::Get, 1, Fault::Hang);
    let given_up = tokio::time::timeout(Duration::from_secs(1), store.get(&key("a"))).await;
    assert!(given_up.is_err());
    store.get(&key("a")).await.unwrap();
    assert!(!signals.is_raised("kv.unavailable"));

    let stats = store.stats();
    let found = [
        stats.done,
        stats.conflicts,
        stats.unknown,
        stats.corrupt,
        stats.unavailable,
        stats.refused,
        stats.dropped,
    ];
    assert_eq!(found, [2, 1, 1, 0, 1, 1, 1]);
    assert_ne!(stats, StoreStats::default());
    let minute = Duration::from_secs(60);
    assert_eq!((signals.count("kv.conflict", minute), signals.count("kv.unknown", minute)), (1, 1));
    let raised = &signals.history("kv.conflict")[0];
    assert_eq!((raised.key(), raised.payload()), (Some("shop/order"), Some("put")));
}
