//! What several tests run, and the message with which a run failed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Permits in a pool, the last one handed out and given back after a second.
pub(crate) fn contended() -> Arc<Semaphore> {
    let pool = Arc::new(Semaphore::new(1));
    let holder = Arc::clone(&pool);
    drop(Handle::current().spawn(async move {
        let _permit = holder.acquire().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }));
    pool
}

/// The message of the panic that `run` has to end with.
#[track_caller]
pub(crate) fn caught<T>(run: impl FnOnce() -> T) -> String {
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(_) => panic!("the planted fault was not caught"),
        Err(panic) => {
            panic.downcast::<String>().map_or_else(|_| "a panic without a text".into(), |text| *text)
        }
    }
}
