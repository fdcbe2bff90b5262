//! What the options of a lane demand of their values: setters and configuration ask here.

use dayfly_signal::setting::Checked;
use tokio::sync::Semaphore;

pub(super) const fn max_queued(operations: usize) -> Checked<usize> {
    match operations {
        0 => Err("max_queued must be at least 1"),
        1..=Semaphore::MAX_PERMITS => Ok(operations),
        _ => Err("max_queued must fit a semaphore"),
    }
}

pub(super) const fn max_concurrency(operations: usize) -> Checked<usize> {
    if operations == 0 { Err("max_concurrency must be at least 1") } else { Ok(operations) }
}
