//! How a database file is used.

use std::time::Duration;

use dayfly_kv::DEFAULT_MAX_VALUE_BYTES;
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How a database file is used.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`max_value_bytes`](Self::max_value_bytes) | 512 KiB | the most bytes of a value |
/// | [`queue_capacity`](Self::queue_capacity) | 1,024 | writes that may wait for their transaction; the next ones wait for room |
/// | [`sync_within`](Self::sync_within) | none: before each write is acknowledged | how long an acknowledged write may be in memory only |
/// | [`watch_history`](Self::watch_history) | 1,024 | changes of a namespace that are kept for those who watch it |
/// | [`cache_bytes`](Self::cache_bytes) | 64 MiB | memory for pages of the file, all namespaces together |
///
/// With the feature `serde` it is read from configuration, and written to it:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_kv_redb::RedbOptions;
/// let options: RedbOptions = toml::from_str(r#"sync_within = "50ms""#).unwrap();
/// assert_eq!(options, RedbOptions::new().sync_within(Duration::from_millis(50)));
/// assert!(toml::from_str::<RedbOptions>("queue_capacity = 0").is_err());
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RedbOptions {
    pub(crate) max_value_bytes: usize,
    pub(crate) queue_capacity: usize,
    pub(crate) sync_within: Option<Duration>,
    pub(crate) watch_history: usize,
    pub(crate) cache_bytes: usize,
}

impl RedbOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_value_bytes: DEFAULT_MAX_VALUE_BYTES,
            queue_capacity: 1_024,
            sync_within: None,
            watch_history: 1_024,
            cache_bytes: 64 * 1_024 * 1_024,
        }
    }

    /// Sets the most bytes of a value. Zero takes empty values only.
    ///
    /// # Panics
    /// When it is more than 1 GiB.
    #[must_use]
    #[track_caller]
    pub const fn max_value_bytes(mut self, bytes: usize) -> Self {
        self.max_value_bytes = kept(rules::max_value_bytes(bytes));
        self
    }

    /// Sets how many writes may wait for their transaction. This is also the most that share one.
    ///
    /// # Panics
    /// When it is zero, or more than 1,048,576.
    #[must_use]
    #[track_caller]
    pub const fn queue_capacity(mut self, writes: usize) -> Self {
        self.queue_capacity = kept(rules::queue_capacity(writes));
        self
    }

    /// Acknowledges writes before they are on the disk, and brings them there at most this long after, and when the
    /// database is closed.
    ///
    /// What was acknowledged and not yet synced is lost when the process is killed, when the machine stops, and when the
    /// file has to be opened again after a failure. What is left is always a beginning of what happened, in order:
    /// nothing is torn, and nothing is there that came after something lost.
    ///
    /// # Panics
    /// When it is zero: that is what syncing before each acknowledgement is.
    #[must_use]
    #[track_caller]
    pub const fn sync_within(mut self, time: Duration) -> Self {
        self.sync_within = Some(kept(rules::sync_within(time)));
        self
    }

    /// Syncs every write before it is acknowledged.
    #[must_use]
    pub const fn without_sync_within(mut self) -> Self {
        self.sync_within = None;
        self
    }

    /// Sets how many changes of a namespace are kept, from its first watch on. Who falls further behind is told of a gap.
    ///
    /// # Panics
    /// When it is zero: nobody would be told of anything.
    #[must_use]
    #[track_caller]
    pub const fn watch_history(mut self, changes: usize) -> Self {
        self.watch_history = kept(rules::watch_history(changes));
        self
    }

    /// Sets how much memory pages of the file may take. What is not there is read from the file.
    #[must_use]
    pub const fn cache_bytes(mut self, bytes: usize) -> Self {
        self.cache_bytes = bytes;
        self
    }
}

impl Default for RedbOptions {
    fn default() -> Self {
        Self::new()
    }
}
