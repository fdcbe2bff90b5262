//! What a store in memory takes.

use dayfly_signal::setting::kept;

use crate::capabilities::DEFAULT_MAX_VALUE_BYTES;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// What a store in memory takes.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`max_value_bytes`](Self::max_value_bytes) | 512 KiB | the most bytes of a value |
/// | [`watch_history`](Self::watch_history) | 1,024 | changes that are kept for those who watch |
#[derive(Clone, Debug, PartialEq)]
pub struct MemoryOptions {
    pub(super) max_value_bytes: usize,
    pub(super) watch_history: usize,
}

impl MemoryOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_value_bytes: DEFAULT_MAX_VALUE_BYTES, watch_history: 1_024 }
    }

    /// Sets the most bytes of a value. Zero takes empty values only.
    #[must_use]
    pub const fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// Sets how many changes are kept, from the first watch on. Who falls further behind is told of a gap.
    ///
    /// # Panics
    /// When it is zero: nobody would be told of anything.
    #[must_use]
    #[track_caller]
    pub const fn watch_history(mut self, changes: usize) -> Self {
        self.watch_history = kept(rules::watch_history(changes));
        self
    }
}

impl Default for MemoryOptions {
    fn default() -> Self {
        Self::new()
    }
}
