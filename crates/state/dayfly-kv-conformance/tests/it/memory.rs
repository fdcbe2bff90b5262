//! The store in memory keeps the whole contract.

use std::sync::Arc;

use dayfly_kv::{ManualClock, MemoryBackend, MemoryOptions};
use dayfly_kv_conformance::{Subject, conformance};

async fn memory() -> Subject {
    let clock = ManualClock::new();
    let backend = MemoryBackend::with(MemoryOptions::new(), Arc::new(clock.clone()));
    Subject::new(Arc::new(backend)).clock(clock)
}

conformance!(memory);
