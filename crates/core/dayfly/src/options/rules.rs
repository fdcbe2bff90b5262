//! What the options of a coordinator demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;
use tokio::sync::Semaphore;

pub(super) const fn max_concurrency(operations: usize) -> Checked<usize> {
    if operations == 0 { Err("max_concurrency must be at least 1") } else { Ok(operations) }
}

pub(super) const fn queue_capacity(operations: usize) -> Checked<usize> {
    match operations {
        0 => Err("queue_capacity must be at least 1"),
        1..=Semaphore::MAX_PERMITS => Ok(operations),
        _ => Err("queue_capacity must fit a semaphore"),
    }
}

pub(super) const fn max_concurrency_per_key(operations: usize) -> Checked<usize> {
    if operations == 0 { Err("max_concurrency_per_key must be at least 1") } else { Ok(operations) }
}

pub(super) const fn max_queued_per_key(operations: usize) -> Checked<usize> {
    match operations {
        0 => Err("max_queued_per_key must be at least 1"),
        1..=Semaphore::MAX_PERMITS => Ok(operations),
        _ => Err("max_queued_per_key must fit a semaphore"),
    }
}

pub(super) const fn age_after(wait: Duration) -> Checked<Duration> {
    if wait.is_zero() { Err("age_after must be longer than zero") } else { Ok(wait) }
}
