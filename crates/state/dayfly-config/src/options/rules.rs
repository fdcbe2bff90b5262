//! What the options demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

pub(super) const fn poll_every(pause: Duration) -> Checked<Duration> {
    if pause.is_zero() { Err("poll_every must be longer than zero") } else { Ok(pause) }
}

pub(super) const fn max_file_size(bytes: u64) -> Checked<u64> {
    if bytes == 0 { Err("max_file_size must be at least 1") } else { Ok(bytes) }
}
