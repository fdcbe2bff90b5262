//! The message with which a run failed.

use std::panic::{AssertUnwindSafe, catch_unwind};

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
