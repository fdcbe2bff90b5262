//! How much a cache remembers, and for how long.

use std::time::Duration;

use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How much a cache remembers, and for how long.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`max_entries`](Self::max_entries) | 10,000 | entries that are remembered |
/// | [`max_bytes`](Self::max_bytes) | 64 MiB | bytes of their values, all together |
/// | [`max_age`](Self::max_age) | 5 s | how old what is remembered may be: how late another's write is seen |
#[derive(Clone, Debug, PartialEq)]
#[expect(clippy::struct_field_names, reason = "each is the most of something")]
pub struct CacheOptions {
    pub(super) max_entries: usize,
    pub(super) max_bytes: usize,
    pub(super) max_age: Duration,
}

impl CacheOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self { max_entries: 10_000, max_bytes: 64 * 1024 * 1024, max_age: Duration::from_secs(5) }
    }

    /// Sets how many entries are remembered.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_entries(mut self, entries: usize) -> Self {
        self.max_entries = kept(rules::max_entries(entries));
        self
    }

    /// Sets how many bytes the values have that are remembered. A larger one is not.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: usize) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// Sets how old what is remembered may be, counted from the moment at which it was read.
    #[must_use]
    pub const fn max_age(mut self, age: Duration) -> Self {
        self.max_age = age;
        self
    }
}

impl Default for CacheOptions {
    fn default() -> Self {
        Self::new()
    }
}
