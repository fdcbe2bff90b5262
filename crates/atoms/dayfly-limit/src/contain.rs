//! Running what is foreign: its panic ends here.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Calls `foreign`. What it panics with is dropped, and what that drop panics with is let be: it could go on for ever.
pub(crate) fn contain(foreign: impl FnOnce()) {
    if let Err(panic) = catch_unwind(AssertUnwindSafe(foreign))
        && let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic)))
    {
        std::mem::forget(again);
    }
}
