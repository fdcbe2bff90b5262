//! Tasks, which are shuttle's.

pub use shuttle_tokio::task::{JoinHandle, spawn, yield_now};

/// The budget that a task has before it should let others run.
pub mod coop {
    /// Schedules are shuttle's choice, so no budget ends here.
    pub const fn has_budget_remaining() -> bool {
        true
    }
}
