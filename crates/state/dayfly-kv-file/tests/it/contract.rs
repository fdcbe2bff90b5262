//! The store of files keeps the whole contract; with the feature `watch` also when others write what is watched.

use std::sync::Arc;

use dayfly_kv::{ManualClock, Store};
use dayfly_kv_conformance::{HistoryOptions, Subject, conformance, examine_histories};
use dayfly_kv_file::{FileBackend, FileOptions};
use dayfly_testing::times;

use crate::support::opened;

async fn files() -> Subject {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let backend = FileBackend::with(folder.path(), FileOptions::new(), Arc::new(clock.clone()));
    Subject::new(Arc::new(backend)).clock(clock).keep(folder)
}

conformance!(files);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn histories_of_a_thousand_operations_with_lost_answers_are_linearizable() {
    let folder = tempfile::tempdir().unwrap();
    let store: Arc<dyn Store> = opened(folder.path()).await;
    let options = HistoryOptions::new().histories(times(2, 40));
    let report = examine_histories(&store, &options).await.unwrap_or_else(|broken| panic!("{broken}"));
    println!("histories: {report:?}");
    assert_eq!(report.undecided, 0);
}

#[cfg(feature = "watch")]
mod across {
    use dayfly_kv::{
        Backend, Bytes, Capabilities, ClearError, DeleteError, Entry, Etag, GetError, Key, Namespace,
        OpenError, Page, Precondition, Prefix, PutError, PutOptions, Scan, ScanError, SweepError, Watch,
        WatchError, WatchFrom, async_trait,
    };

    use super::*;

    /// Writes to one store of a folder and watches another one, which hears of it by events only.
    #[derive(Debug)]
    struct Two(Arc<dyn Store>, Arc<dyn Store>);

    #[derive(Debug)]
    struct TwoBackends(FileBackend, FileBackend);

    #[async_trait]
    impl Backend for TwoBackends {
        async fn open(&self, namespace: &Namespace) -> Result<Arc<dyn Store>, OpenError> {
            Ok(Arc::new(Two(self.0.open(namespace).await?, self.1.open(namespace).await?)))
        }
    }

    #[async_trait]
    impl Store for Two {
        fn namespace(&self) -> &Namespace {
            self.0.namespace()
        }

        fn capabilities(&self) -> &Capabilities {
            self.0.capabilities()
        }

        async fn get(&self, key: &Key) -> Result<Option<Entry>, GetError> {
            self.1.get(key).await
        }

        async fn put(&self, key: &Key, value: Bytes, options: PutOptions) -> Result<Etag, PutError> {
            self.0.put(key, value, options).await
        }

        async fn delete(&self, key: &Key, precondition: Precondition) -> Result<bool, DeleteError> {
            self.0.delete(key, precondition).await
        }

        async fn scan(&self, scan: &Scan) -> Result<Page, ScanError> {
            self.1.scan(scan).await
        }

        async fn watch(&self, prefix: &Prefix, from: WatchFrom) -> Result<Watch, WatchError> {
            self.1.watch(prefix, from).await
        }

        async fn sweep(&self) -> Result<u64, SweepError> {
            self.0.sweep().await
        }

        async fn clear(&self) -> Result<u64, ClearError> {
            self.1.clear().await
        }
    }

    async fn two() -> Subject {
        let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
        let backend = || FileBackend::with(folder.path(), FileOptions::new(), Arc::new(clock.clone()));
        let both = TwoBackends(backend(), backend());
        Subject::new(Arc::new(both)).clock(clock).keep(folder)
    }

    conformance!(two);
}
