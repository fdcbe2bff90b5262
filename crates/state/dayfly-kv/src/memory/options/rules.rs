//! What the options of a store in memory demand of their values: setters and configuration ask here.

use dayfly_signal::setting::Checked;

pub(super) const fn watch_history(changes: usize) -> Checked<usize> {
    if changes == 0 { Err("watch_history must be at least 1") } else { Ok(changes) }
}
