//! The full form of the histories, on the store in memory.

use std::sync::Arc;

use dayfly_kv::{MemoryStore, Namespace, Store};
use dayfly_kv_conformance::{HistoryOptions, examine_histories};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forty_histories_of_a_thousand_operations_with_lost_answers_are_linearizable() {
    let store: Arc<dyn Store> = Arc::new(MemoryStore::new(Namespace::new("acme", "shop", "order").unwrap()));
    let report =
        examine_histories(&store, &HistoryOptions::new()).await.unwrap_or_else(|broken| panic!("{broken}"));
    assert_eq!((report.checked, report.undecided), (40 * 8, 0), "{report:?}");
    assert!(report.operations > 38_000 && report.unknown > 400, "{report:?}");
}
