//! What the options of a limit demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

/// The highest limit: beyond it arithmetic would not be exact, and nobody runs as many at once.
pub(super) const MOST: usize = 1_000_000_000;

pub(super) const fn bounds(min: usize, max: usize) -> Checked<(usize, usize)> {
    if min == 0 {
        Err("the lower bound must be at least 1")
    } else if max < min {
        Err("the upper bound must not be below the lower one")
    } else if max > MOST {
        Err("the upper bound must be at most 1000000000")
    } else {
        Ok((min, max))
    }
}

pub(super) const fn initial(limit: usize) -> Checked<usize> {
    if limit == 0 { Err("initial must be at least 1") } else { Ok(limit) }
}

/// Not a number is no tolerance either.
pub(super) const fn tolerance(factor: f64) -> Checked<f64> {
    if factor > 1.0 && factor <= 100.0 {
        Ok(factor)
    } else {
        Err("tolerance must be above 1 and at most 100")
    }
}

pub(super) const fn quantile(share: f64) -> Checked<f64> {
    if share > 0.0 && share <= 1.0 { Ok(share) } else { Err("quantile must be above 0 and at most 1") }
}

pub(super) const fn min_samples(samples: u32) -> Checked<u32> {
    if samples == 0 { Err("min_samples must be at least 1") } else { Ok(samples) }
}

pub(super) const fn probe_every(time: Duration) -> Checked<Duration> {
    if time.is_zero() { Err("probe_every must be longer than zero") } else { Ok(time) }
}

pub(super) const fn max_latency(time: Duration) -> Checked<Duration> {
    if time.is_zero() { Err("max_latency must be longer than zero") } else { Ok(time) }
}
