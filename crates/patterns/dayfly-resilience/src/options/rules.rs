//! What the options of a pipeline demand of their values: setters and configuration ask here.

pub(crate) use dayfly_retry::rules::{attempt_timeout, attempts, total_timeout};
use dayfly_signal::setting::Checked;

pub(super) const fn max_concurrency(attempts: usize) -> Checked<usize> {
    if attempts == 0 { Err("max_concurrency must be at least 1") } else { Ok(attempts) }
}
