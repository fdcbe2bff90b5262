//! The two runtimes that every figure is taken on.

use tokio::runtime::{Builder, Runtime};

/// Two worker threads.
pub fn mt2() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime")
}

/// The current thread.
pub fn ct() -> Runtime {
    Builder::new_current_thread().enable_time().build().expect("a runtime")
}
