//! What the options demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

pub(super) const fn queue_capacity(events: usize) -> Checked<usize> {
    if events == 0 { Err("queue_capacity must be at least 1") } else { Ok(events) }
}

pub(super) const fn interval(interval: Duration) -> Checked<Duration> {
    if interval.is_zero() { Err("interval must be longer than zero") } else { Ok(interval) }
}

pub(super) const fn one_in(events: u32) -> Checked<u32> {
    if events == 0 { Err("one_in must be at least 1") } else { Ok(events) }
}
