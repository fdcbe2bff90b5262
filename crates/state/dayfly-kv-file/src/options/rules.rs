//! What the options of a file store demand of their values: setters and configuration ask here.

use dayfly_signal::setting::Checked;

pub(super) const fn watch_history(changes: usize) -> Checked<usize> {
    if changes == 0 { Err("watch_history must be at least 1") } else { Ok(changes) }
}

pub(super) const fn max_threads(threads: usize) -> Checked<usize> {
    match threads {
        0 => Err("max_threads must be at least 1"),
        1..=1_024 => Ok(threads),
        _ => Err("max_threads must be at most 1024"),
    }
}
