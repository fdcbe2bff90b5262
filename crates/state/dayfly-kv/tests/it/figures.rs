//! Calls as metrics.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use dayfly_kv::{InstrumentedStore, PutOptions, Store};
use dayfly_signal::SignalSink;
use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::support::{bytes, key, memory};

/// What was counted, by name and labels; and how often something was recorded.
#[derive(Default)]
struct Counts(Mutex<HashMap<String, Arc<AtomicU64>>>);

struct Recorded(Arc<AtomicU64>);

impl HistogramFn for Recorded {
    fn record(&self, _: f64) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Counts {
    fn of(&self, key: &Key) -> Arc<AtomicU64> {
        let labels = key.labels().map(|label| format!(" {}={}", label.key(), label.value()));
        let name = format!("{}{}", key.name(), labels.collect::<String>());
        Arc::clone(self.0.lock().unwrap().entry(name).or_default())
    }
}

impl Recorder for Counts {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(self.of(key))
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::noop()
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(Arc::new(Recorded(self.of(key))))
    }
}

#[test]
fn calls_are_counted_and_timed_by_operation_and_outcome_and_by_nothing_else() {
    let counts = Counts::default();
    metrics::with_local_recorder(&counts, || {
        dayfly_testing::paused(async {
            let store = InstrumentedStore::new(memory(), &SignalSink::default());
            store.put(&key("secret"), bytes("1"), PutOptions::new()).await.unwrap();
            store.get(&key("secret")).await.unwrap();
            store.get(&key("other")).await.unwrap();
            store.put(&key("secret"), bytes("1"), PutOptions::new().absent()).await.unwrap_err();
        });
    });
    let mut found: Vec<(String, u64)> = counts
        .0
        .into_inner()
        .unwrap()
        .into_iter()
        .map(|(name, count)| (name, count.load(Ordering::SeqCst)))
        .collect();
    found.sort();
    let wanted = ["dayfly.kv.operation.duration", "dayfly.kv.operations"].into_iter().flat_map(|name| {
        [("get", "done", 2), ("put", "conflict", 1), ("put", "done", 1)].map(|(operation, outcome, count)| {
            (format!("{name} operation={operation} outcome={outcome}"), count)
        })
    });
    assert_eq!(found, wanted.collect::<Vec<_>>());
}
