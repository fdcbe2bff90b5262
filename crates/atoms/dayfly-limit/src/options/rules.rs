//! What the options of limiters demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

pub(super) const fn limit(permits: usize, allow_zero: bool) -> Checked<usize> {
    if permits == 0 && !allow_zero {
        return Err("limit must be at least 1 unless allow_zero is set");
    }
    Ok(permits)
}

pub(super) const fn total(permits: usize) -> Checked<usize> {
    if permits == 0 { Err("limit must be at least 1") } else { Ok(permits) }
}

pub(super) const fn limit_per_key(permits: usize) -> Checked<usize> {
    if permits == 0 { Err("limit_per_key must be at least 1") } else { Ok(permits) }
}

pub(super) const fn max_keys(keys: usize) -> Checked<usize> {
    if keys == 0 { Err("max_keys must be at least 1") } else { Ok(keys) }
}

pub(super) const fn age_after(wait: Duration) -> Checked<Duration> {
    if wait.is_zero() { Err("age_after must be longer than zero") } else { Ok(wait) }
}

pub(super) const fn claim_within(time: Duration) -> Checked<Duration> {
    if time.is_zero() { Err("claim_within must be longer than zero") } else { Ok(time) }
}
