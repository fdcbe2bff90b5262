//! What the options of a cache demand of their values: setters and configuration ask here.

use dayfly_signal::setting::Checked;

pub(super) const fn max_entries(entries: usize) -> Checked<usize> {
    if entries == 0 { Err("max_entries must be at least 1") } else { Ok(entries) }
}
