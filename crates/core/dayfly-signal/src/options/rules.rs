//! What the options of a sink demand of their values: setters and configuration ask here.

use std::time::Duration;

use crate::setting::Checked;

pub(super) const fn max_age(age: Duration) -> Checked<Duration> {
    if age.is_zero() { Err("max_age must be longer than zero") } else { Ok(age) }
}

pub(super) const fn max_raised(names: usize) -> Checked<usize> {
    if names == 0 { Err("max_raised must be at least 1") } else { Ok(names) }
}

pub(super) const fn subscription_capacity(events: usize) -> Checked<usize> {
    if events == 0 { Err("subscription_capacity must be at least 1") } else { Ok(events) }
}

pub(super) const fn max_depth(signals: u32) -> Checked<u32> {
    if signals == 0 { Err("max_depth must be at least 1") } else { Ok(signals) }
}
