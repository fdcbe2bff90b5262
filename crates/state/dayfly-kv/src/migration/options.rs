//! How a migration goes about it.

use crate::key::{Key, Prefix};
use crate::scan::Scan;

/// How a migration goes about it.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`prefix`](Self::prefix) | all | what the keys begin with that are moved |
/// | [`after`](Self::after) | none | only keys that are greater: where an earlier migration came to |
/// | [`page`](Self::page) | 256 | entries that are listed at once |
/// | [`on_existing`](Self::on_existing) | keep | what becomes of another entry that is there already |
/// | [`dry_run`](Self::dry_run) | off | counts what it would write, and writes nothing |
#[derive(Clone, Debug, PartialEq)]
pub struct MigrationOptions {
    pub(super) prefix: Prefix,
    pub(super) after: Option<Key>,
    pub(super) page: usize,
    pub(super) on_existing: OnExisting,
    pub(super) dry_run: bool,
}

/// What becomes of an entry with other bytes that the target has already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnExisting {
    /// It stays: somebody may have changed it after an earlier migration.
    Keep,
    /// It is replaced.
    Replace,
}

impl MigrationOptions {
    /// The defaults of the table above.
    #[must_use]
    pub fn new() -> Self {
        Self {
            prefix: Prefix::all(),
            after: None,
            page: Scan::DEFAULT_LIMIT,
            on_existing: OnExisting::Keep,
            dry_run: false,
        }
    }

    /// Moves only entries whose key begins with this.
    #[must_use]
    pub fn prefix(mut self, prefix: Prefix) -> Self {
        self.prefix = prefix;
        self
    }

    /// Goes on after this key, where an earlier migration came to.
    #[must_use]
    pub fn after(mut self, key: impl Into<Option<Key>>) -> Self {
        self.after = key.into();
        self
    }

    /// Sets how many entries are listed at once.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn page(mut self, entries: usize) -> Self {
        assert!(entries > 0, "page must be at least 1");
        self.page = entries;
        self
    }

    /// Sets what becomes of another entry that is there already.
    #[must_use]
    pub const fn on_existing(mut self, existing: OnExisting) -> Self {
        self.on_existing = existing;
        self
    }

    /// Counts what it would write, and writes nothing.
    #[must_use]
    pub const fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }
}

impl Default for MigrationOptions {
    fn default() -> Self {
        Self::new()
    }
}
