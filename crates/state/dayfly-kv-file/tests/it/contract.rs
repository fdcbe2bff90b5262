//! The store of files keeps the whole contract, but for watching, which it says it cannot.

use std::sync::Arc;

use dayfly_kv::ManualClock;
use dayfly_kv_conformance::{Subject, conformance};
use dayfly_kv_file::{FileBackend, FileOptions};

async fn files() -> Subject {
    let (clock, folder) = (ManualClock::new(), tempfile::tempdir().unwrap());
    let backend = FileBackend::with(folder.path(), FileOptions::new(), Arc::new(clock.clone()));
    Subject::new(Arc::new(backend)).clock(clock).keep(folder)
}

conformance!(files, without [Watch, WatchResume]);
