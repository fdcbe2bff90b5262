//! The store in a redb file keeps the whole contract.

use std::sync::Arc;
use std::time::Duration;

use dayfly_kv::ManualClock;
use dayfly_kv_conformance::{Subject, conformance};
use dayfly_kv_redb::{RedbBackend, RedbOptions};

async fn opened(options: RedbOptions) -> Subject {
    let folder = tempfile::tempdir().unwrap();
    let clock = ManualClock::new();
    let path = folder.path().join("relay.db");
    let backend = RedbBackend::open_file_with(path, &options, Arc::new(clock.clone())).await.unwrap();
    Subject::new(Arc::new(backend)).clock(clock).keep(folder)
}

mod synced {
    use super::*;

    async fn redb() -> Subject {
        opened(RedbOptions::new()).await
    }

    conformance!(redb);
}

mod synced_later {
    use super::*;

    async fn redb() -> Subject {
        opened(RedbOptions::new().sync_within(Duration::from_millis(5))).await
    }

    conformance!(redb);
}
