//! What the options of a breaker demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

use super::Window;

/// The most failures in a row that can be counted to.
pub(crate) const MOST_FAILURES: u32 = 1_000_000_000;

/// The most calls that a window holds.
const MOST_CALLS: u32 = 65_536;

pub(super) const fn failure_threshold(failures: u32) -> Checked<u32> {
    match failures {
        0 => Err("failure_threshold must be at least 1"),
        1..=MOST_FAILURES => Ok(failures),
        _ => Err("failure_threshold must be at most 1000000000"),
    }
}

pub(super) const fn failure_rate(share: f64) -> Checked<f64> {
    if is_share(share) { Ok(share) } else { Err("failure_rate must be above 0 and at most 1") }
}

pub(super) const fn slow_rate(share: f64) -> Checked<f64> {
    if is_share(share) { Ok(share) } else { Err("slow_rate must be above 0 and at most 1") }
}

/// Not a number is no share either.
const fn is_share(share: f64) -> bool {
    share > 0.0 && share <= 1.0
}

pub(super) const fn minimum_calls(calls: u32) -> Checked<u32> {
    if calls == 0 { Err("minimum_calls must be at least 1") } else { Ok(calls) }
}

pub(super) const fn window(window: Window) -> Checked<Window> {
    match window {
        Window::Calls(calls) => match window_calls(calls) {
            Ok(_) => Ok(window),
            Err(rule) => Err(rule),
        },
        Window::Time(time) => match window_time(time) {
            Ok(_) => Ok(window),
            Err(rule) => Err(rule),
        },
    }
}

pub(super) const fn window_calls(calls: u32) -> Checked<u32> {
    match calls {
        0 => Err("a window must hold at least 1 call"),
        1..=MOST_CALLS => Ok(calls),
        _ => Err("a window must hold at most 65536 calls"),
    }
}

pub(super) const fn window_time(time: Duration) -> Checked<Duration> {
    if time.is_zero() { Err("a window must be longer than zero") } else { Ok(time) }
}

pub(super) const fn open_for(time: Duration) -> Checked<Duration> {
    if time.is_zero() { Err("open_for must be longer than zero") } else { Ok(time) }
}

pub(super) const fn probes(calls: u32) -> Checked<u32> {
    if calls == 0 { Err("probes must be at least 1") } else { Ok(calls) }
}

pub(super) const fn successes(calls: u32) -> Checked<u32> {
    if calls == 0 { Err("successes must be at least 1") } else { Ok(calls) }
}
