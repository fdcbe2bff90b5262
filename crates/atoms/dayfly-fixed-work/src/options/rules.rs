//! What the options demand of their values: setters and configuration ask here.

use std::borrow::Cow;

use dayfly_signal::setting::Checked;

/// More than any machine runs threads, and more slots than async bodies need that are a fixed number.
pub(super) const MOST_WORKERS: usize = 65_536;

/// More than any body recurses.
pub(super) const MOST_STACK: usize = 1 << 30;

pub(super) const fn workers(workers: usize) -> Checked<usize> {
    match workers {
        0 => Err("workers must be at least 1"),
        1..=MOST_WORKERS => Ok(workers),
        _ => Err("workers must be at most 65536"),
    }
}

pub(super) const fn stack_size(bytes: usize) -> Checked<usize> {
    if bytes <= MOST_STACK { Ok(bytes) } else { Err("stack_size must be at most 1 GiB") }
}

pub(super) fn thread_name(name: Cow<'static, str>) -> Checked<Cow<'static, str>> {
    if name.contains('\0') { Err("thread_name must not contain a NUL") } else { Ok(name) }
}
