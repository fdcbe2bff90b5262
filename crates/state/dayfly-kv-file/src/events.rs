//! Events of the file system, as hints that something in a folder may have changed.

use std::error::Error;

#[cfg(feature = "watch")]
mod heard;
#[cfg(feature = "watch")]
mod hub;
#[cfg(not(feature = "watch"))]
mod unheard;

#[cfg(feature = "watch")]
pub(crate) use heard::Events;
#[cfg(not(feature = "watch"))]
pub(crate) use unheard::Events;

/// What the file system tells of a folder.
#[derive(Debug)]
#[cfg_attr(not(feature = "watch"), expect(dead_code, reason = "without events nothing is heard"))]
pub(crate) enum Heard<'a> {
    /// What has this name may have changed.
    Name(&'a str),
    /// There were more events than it could keep.
    Missed,
    /// There will be none any more, for this reason.
    Last(Box<dyn Error + Send + Sync>),
}
