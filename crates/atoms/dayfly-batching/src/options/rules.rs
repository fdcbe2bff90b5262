//! What the options demand of their values: setters and configuration ask here.

use dayfly_signal::setting::Checked;

pub(super) const fn max_items(items: usize) -> Checked<usize> {
    if items == 0 { Err("max_items must be at least 1") } else { Ok(items) }
}

pub(super) const fn max_weight(weight: u64) -> Checked<u64> {
    if weight == 0 { Err("max_weight must be at least 1") } else { Ok(weight) }
}

pub(super) const fn queue_capacity(items: usize) -> Checked<usize> {
    if items == 0 { Err("queue_capacity must be at least 1") } else { Ok(items) }
}

pub(super) const fn max_in_flight(batches: usize) -> Checked<usize> {
    if batches == 0 { Err("max_in_flight must be at least 1") } else { Ok(batches) }
}

pub(super) const fn max_keys(keys: usize) -> Checked<usize> {
    if keys == 0 { Err("max_keys must be at least 1") } else { Ok(keys) }
}
