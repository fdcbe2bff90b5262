//! What the options of a retry demand of their values: setters and configuration ask here, and pipelines, which have the
//! same options. It is no part of what this crate promises.

use std::time::Duration;

use dayfly_signal::setting::Checked;

/// Attempts of a call.
///
/// # Errors
/// With the rule that it breaks.
pub const fn attempts(attempts: u32) -> Checked<u32> {
    if attempts == 0 { Err("attempts must be at least 1") } else { Ok(attempts) }
}

/// How long an attempt may take.
///
/// # Errors
/// With the rule that it breaks.
pub const fn attempt_timeout(timeout: Duration) -> Checked<Duration> {
    if timeout.is_zero() { Err("attempt_timeout must be longer than zero") } else { Ok(timeout) }
}

/// How long a call may take in all.
///
/// # Errors
/// With the rule that it breaks.
pub const fn total_timeout(timeout: Duration) -> Checked<Duration> {
    if timeout.is_zero() { Err("total_timeout must be longer than zero") } else { Ok(timeout) }
}
