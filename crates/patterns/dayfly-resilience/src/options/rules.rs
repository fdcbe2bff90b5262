//! What the options of a pipeline demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

pub(crate) const fn total_timeout(timeout: Duration) -> Checked<Duration> {
    if timeout.is_zero() { Err("total_timeout must be longer than zero") } else { Ok(timeout) }
}

pub(crate) const fn attempt_timeout(timeout: Duration) -> Checked<Duration> {
    if timeout.is_zero() { Err("attempt_timeout must be longer than zero") } else { Ok(timeout) }
}

pub(super) const fn attempts(attempts: u32) -> Checked<u32> {
    if attempts == 0 { Err("attempts must be at least 1") } else { Ok(attempts) }
}

pub(super) const fn max_concurrency(attempts: usize) -> Checked<usize> {
    if attempts == 0 { Err("max_concurrency must be at least 1") } else { Ok(attempts) }
}
