//! The two runtimes that every figure is taken on.

use tokio::runtime::{Builder, Runtime};

use crate::body::verified;

/// Two worker threads.
pub fn mt2() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime")
}

/// The current thread.
pub fn ct() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Both, with their names.
pub fn both() -> [(&'static str, Runtime); 2] {
    [("mt2", mt2()), ("ct", ct())]
}

/// Runs `work` to its end and panics unless exactly so many operations were done in it.
pub fn run(runtime: &Runtime, operations: u64, work: impl Future<Output = ()>) {
    verified(operations, || runtime.block_on(work));
}
