//! What the options demand of their values: setters and configuration ask here.

use std::borrow::Cow;

use dayfly_signal::setting::Checked;

pub(super) const fn workers(workers: usize) -> Checked<usize> {
    if workers == 0 { Err("workers must be at least 1") } else { Ok(workers) }
}

pub(super) fn thread_name(name: Cow<'static, str>) -> Checked<Cow<'static, str>> {
    if name.contains('\0') { Err("thread_name must not contain a NUL") } else { Ok(name) }
}
