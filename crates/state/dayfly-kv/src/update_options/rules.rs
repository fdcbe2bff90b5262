//! What the options of an update demand of their values: setters and configuration ask here.

use dayfly_signal::setting::Checked;

pub(super) const fn attempts(attempts: u32) -> Checked<u32> {
    if attempts == 0 { Err("attempts must be at least 1") } else { Ok(attempts) }
}
