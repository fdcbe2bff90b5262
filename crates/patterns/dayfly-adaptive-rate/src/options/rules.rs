//! What the options of a rate demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

/// A hundred years: what is multiplied with it fits.
const LONGEST: Duration = Duration::from_secs(100 * 365 * 24 * 3_600);

pub(super) const fn starts(starts: u32) -> Checked<u32> {
    if starts == 0 { Err("starts must be at least 1") } else { Ok(starts) }
}

pub(super) const fn period(period: Duration) -> Checked<Duration> {
    if period.is_zero() {
        return Err("period must be longer than zero");
    }
    if period.as_secs() >= LONGEST.as_secs() {
        return Err("period must be shorter than 100 years");
    }
    Ok(period)
}

pub(super) const fn burst(starts: u32) -> Checked<u32> {
    if starts == 0 { Err("burst must be at least 1") } else { Ok(starts) }
}

pub(super) const fn max_keys(keys: usize) -> Checked<usize> {
    if keys == 0 { Err("max_keys must be at least 1") } else { Ok(keys) }
}
