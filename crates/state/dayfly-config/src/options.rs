//! How closely sources are followed.

use std::time::Duration;

use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How closely sources are followed.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`settle`](Self::settle) | 100 ms | how long a content has to stand still before it is taken |
/// | [`settle_within`](Self::settle_within) | 1 s | how long one that never stands still is waited for |
/// | [`poll_every`](Self::poll_every) | 30 s | how often the files are looked at without any event |
/// | [`without_watch`](Self::without_watch) | watched | whether events of the folders are used |
/// | [`max_file_size`](Self::max_file_size) | 1 MiB | bytes of one file; a larger one is refused |
///
/// ```
/// use std::time::Duration;
/// use dayfly_config::WatchOptions;
///
/// const WATCH: WatchOptions = WatchOptions::new().settle(Duration::from_millis(50)).max_file_size(64 * 1024);
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it. The fields are the setters, `watch`
/// takes the place of `without_watch`, what is absent has its default, and what breaks a rule or is unknown is an error.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchOptions {
    pub(crate) settle: Duration,
    pub(crate) settle_within: Duration,
    pub(crate) poll_every: Option<Duration>,
    pub(crate) watch: bool,
    pub(crate) max_file_size: u64,
}

impl WatchOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            settle: Duration::from_millis(100),
            settle_within: Duration::from_secs(1),
            poll_every: Some(Duration::from_secs(30)),
            watch: true,
            max_file_size: 1024 * 1024,
        }
    }

    /// Sets how long a content has to stand still before it is taken: a file is not read while it is written.
    ///
    /// It is taken when two readings that far apart agree and no event came between them. Zero takes the first reading.
    #[must_use]
    pub const fn settle(mut self, quiet: Duration) -> Self {
        self.settle = quiet;
        self
    }

    /// Sets how long a content that never stands still is waited for; then it is taken as it is.
    #[must_use]
    pub const fn settle_within(mut self, longest: Duration) -> Self {
        self.settle_within = longest;
        self
    }

    /// Sets how often the files are looked at without any event, in case one was missed.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn poll_every(mut self, pause: Duration) -> Self {
        self.poll_every = Some(kept(rules::poll_every(pause)));
        self
    }

    /// Looks at the files after events only. Where events get lost, as on network file systems, changes are then missed.
    #[must_use]
    pub const fn without_poll(mut self) -> Self {
        self.poll_every = None;
        self
    }

    /// Uses no events: the files are looked at by [`poll_every`](Self::poll_every) only, and by request.
    #[must_use]
    pub const fn without_watch(mut self) -> Self {
        self.watch = false;
        self
    }

    /// Sets how many bytes a file may have. A larger one is refused and not read to its end.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_file_size(mut self, bytes: u64) -> Self {
        self.max_file_size = kept(rules::max_file_size(bytes));
        self
    }
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self::new()
    }
}
