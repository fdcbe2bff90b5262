//! What the options of a database file demand of their values: setters and configuration ask here.

use std::time::Duration;

use dayfly_signal::setting::Checked;

/// redb itself ends at 3 GiB.
const MOST_VALUE_BYTES: usize = 1 << 30;

/// One transaction takes at most as many writes as wait, and a transaction has to stay a handful of memory.
const MOST_WAITING: usize = 1 << 20;

pub(super) const fn max_value_bytes(bytes: usize) -> Checked<usize> {
    if bytes > MOST_VALUE_BYTES { Err("max_value_bytes must be at most 1 GiB") } else { Ok(bytes) }
}

pub(super) const fn queue_capacity(writes: usize) -> Checked<usize> {
    match writes {
        0 => Err("queue_capacity must be at least 1"),
        1..=MOST_WAITING => Ok(writes),
        _ => Err("queue_capacity must be at most 1048576"),
    }
}

pub(super) const fn sync_within(time: Duration) -> Checked<Duration> {
    if time.is_zero() { Err("sync_within must be longer than zero") } else { Ok(time) }
}

pub(super) const fn watch_history(changes: usize) -> Checked<usize> {
    if changes == 0 { Err("watch_history must be at least 1") } else { Ok(changes) }
}
