//! What the options demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

pub(super) const fn interval(interval: Duration) -> Checked<Duration> {
    if interval.is_zero() { Err("interval must be longer than zero") } else { Ok(interval) }
}

pub(super) const fn timeout(timeout: Duration) -> Checked<Duration> {
    if timeout.is_zero() { Err("timeout must be longer than zero") } else { Ok(timeout) }
}

pub(super) const fn sample(share: f64) -> Checked<f64> {
    if share >= 0.0 && share <= 1.0 { Ok(share) } else { Err("sample must lie between 0 and 1") }
}
