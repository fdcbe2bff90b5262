//! What the options demand of their values: setters and configuration ask here.

use std::borrow::Cow;

use dayfly::CoordinatorOptions;
use dayfly_signal::setting::Checked;

pub(super) fn work(work: CoordinatorOptions) -> Checked<CoordinatorOptions> {
    if work.clone().max_concurrency_per_key(1) == work {
        Ok(work)
    } else {
        Err("max_concurrency_per_key must be 1: several of one key at once have no order")
    }
}

pub(super) fn parked_signal(name: Cow<'static, str>) -> Checked<Cow<'static, str>> {
    if name.trim().is_empty() { Err("parked_signal must not be blank") } else { Ok(name) }
}
