//! What the engine takes of Tokio, as shuttle sees it.
//!
//! `sync` is shuttle-tokio's. The runtime has two workers, which shuttle-tokio does not say of its own, and time is
//! a counter that a scenario moves: a clock that goes by itself would make schedules that cannot be repeated.

pub use shuttle_tokio::sync;

pub mod runtime;
pub mod task;
pub mod time;

/// Sets the clock back to its beginning and forgets all tasks. Every schedule begins with this, or it could not be
/// repeated.
pub fn reset() {
    runtime::reset();
    time::reset();
}
