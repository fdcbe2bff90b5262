//! What a file store takes.

use dayfly_kv::DEFAULT_MAX_VALUE_BYTES;
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// What the stores of a folder take.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`max_value_bytes`](Self::max_value_bytes) | 512 KiB | the most bytes of a value |
/// | [`max_threads`](Self::max_threads) | 8 | threads that read at once, and as many that write |
/// | [`watch_history`](Self::watch_history) | 1,024 | changes that are kept for those who watch a store |
#[derive(Clone, Debug, PartialEq)]
pub struct FileOptions {
    pub(crate) max_value_bytes: usize,
    pub(crate) max_threads: usize,
    pub(crate) watch_history: usize,
}

impl FileOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_value_bytes: DEFAULT_MAX_VALUE_BYTES, max_threads: 8, watch_history: 1_024 }
    }

    /// Sets the most bytes of a value. Zero takes empty values only. Larger values that are there already can be read as
    /// long as their file has at most 16 MiB, or twice this.
    #[must_use]
    pub const fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = bytes;
        self
    }

    /// Sets how many of the runtime's threads for blocking work read at once, and how many write; the others wait for
    /// their turn without a thread.
    ///
    /// # Panics
    /// When it is zero, or more than 1,024.
    #[must_use]
    #[track_caller]
    pub const fn max_threads(mut self, threads: usize) -> Self {
        self.max_threads = kept(rules::max_threads(threads));
        self
    }

    /// Sets how many changes of a store are kept while somebody watches it. Who falls further behind is told of a gap.
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

impl Default for FileOptions {
    fn default() -> Self {
        Self::new()
    }
}
