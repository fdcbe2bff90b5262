//! What a backoff demands of its values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

use super::MOST_LISTED;

pub(super) const fn factor(times: f64) -> Checked<f64> {
    if times >= 1.0 && times.is_finite() {
        Ok(times)
    } else {
        Err("factor must be a finite number of at least 1")
    }
}

pub(super) const fn listed(delays: &[Duration]) -> Checked<&[Duration]> {
    match delays.len() {
        0 => Err("listed must have at least one delay"),
        1..=MOST_LISTED => Ok(delays),
        _ => Err("listed must have at most 16 delays"),
    }
}
