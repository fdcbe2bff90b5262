//! The store of files keeps the whole contract, but for watching, which it says it cannot.

use std::sync::Arc;

use dayfly_kv::{ManualClock, Store};
use dayfly_kv_conformance::{HistoryOptions, Subject, conformance, examine_histories};
use dayfly_kv_file::{FileBackend, FileOptions};

use crate::support::{opened, times};

async fn files() -> Subject {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let backend = FileBackend::with(folder.path(), FileOptions::new(), Arc::new(clock.clone()));
    Subject::new(Arc::new(backend)).clock(clock).keep(folder)
}

conformance!(files, without [Watch, WatchResume]);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_of_a_thousand_operations_with_lost_answers_are_linearizable() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = opened(folder.path()).await;
    let options = HistoryOptions::new().histories(times(2, 40));
    let report = examine_histories(&store, &options).await.unwrap_or_else(|broken| panic!("{broken}"));
    println!("histories: {report:?}");
    assert_eq!(report.undecided, 0);
}
