//! Values that say which version of their type they are.

use serde::{Deserialize, Serialize};

/// A value with the version of its type: the form in which [`Json`](crate::Json) writes every value,
/// `{"version":1,"value":…}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Versioned<V> {
    /// The version of its type, counted from 1.
    pub version: u32,
    /// The value.
    pub value: V,
}

impl<V> Versioned<V> {
    /// A value of this version.
    pub const fn new(version: u32, value: V) -> Self {
        Self { version, value }
    }
}
