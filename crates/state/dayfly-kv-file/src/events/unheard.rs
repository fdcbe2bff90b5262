//! Without the feature `watch` nobody listens to the file system.

use std::path::Path;

use dayfly_kv::Unavailable;

use super::Heard;

/// There are none.
#[derive(Debug)]
pub(crate) struct Events;

impl Events {
    pub(crate) fn probe(_: &Path) -> Result<(), String> {
        Err("what other processes write is told with the feature `watch` only".to_owned())
    }

    pub(crate) fn of(_: &Path, _: impl Fn(Heard<'_>) + Send + Sync + 'static) -> Result<Self, Unavailable> {
        Err(Unavailable::new("there are no events"))
    }
}
