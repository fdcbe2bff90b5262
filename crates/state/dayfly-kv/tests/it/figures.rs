//! Calls as metrics.

use dayfly_kv::{InstrumentedStore, PutOptions, Store};
use dayfly_signal::SignalSink;
use dayfly_testing::Figures;

use crate::support::{bytes, key, memory};

#[test]
fn calls_are_counted_and_timed_by_operation_and_outcome_and_by_nothing_else() {
    let figures = Figures::new();
    figures.of(|| {
        dayfly_testing::paused(async {
            let store = InstrumentedStore::new(memory(), &SignalSink::default());
            store.put(&key("secret"), bytes("1"), PutOptions::new()).await.unwrap();
            store.get(&key("secret")).await.unwrap();
            store.get(&key("other")).await.unwrap();
            store.put(&key("secret"), bytes("1"), PutOptions::new().absent()).await.unwrap_err();
        });
    });
    let wanted = ["dayfly.kv.operation.duration", "dayfly.kv.operations"].into_iter().flat_map(|name| {
        [("get", "done", 2.0), ("put", "conflict", 1.0), ("put", "done", 1.0)].map(
            |(operation, outcome, count)| {
                (format!("{name}{{operation={operation},outcome={outcome}}}"), count)
            },
        )
    });
    assert_eq!(figures.all(), wanted.collect::<Vec<_>>());
}
