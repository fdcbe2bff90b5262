//! When a batch is flushed, and how much may wait and run.

use std::time::Duration;

use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// When a batch is flushed, and how much may wait and run.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`max_items`](Self::max_items) | 64 | items of one batch; with that many it is flushed |
/// | [`max_weight`](Self::max_weight) | none | weight of one batch; at that weight it is flushed |
/// | [`max_delay`](Self::max_delay) | 10 ms | how long after its first item a batch is flushed |
/// | [`queue_capacity`](Self::queue_capacity) | 1,024, or twice `max_items` if that is more | accepted items that no handler has yet |
/// | [`max_in_flight`](Self::max_in_flight) | 1 | batches that are handled at once |
/// | [`max_keys`](Self::max_keys) | 1,024 | keys with a batch that still fills, in keyed batchers |
/// | [`cancel_grace`](Self::cancel_grace) | 5 s | how long a handler may go on after `cancel` |
///
/// A batcher that runs can follow all of them ([`dayfly::Reconfigure`]).
///
/// ```
/// use std::time::Duration;
/// use dayfly_batching::BatcherOptions;
///
/// const ROWS: BatcherOptions = BatcherOptions::new().max_items(64).max_delay(Duration::from_millis(20));
/// ```
///
/// A constant that breaks a rule does not compile:
///
/// ```compile_fail
/// # use dayfly_batching::BatcherOptions;
/// const ROWS: BatcherOptions = BatcherOptions::new().max_items(0);
/// # let _ = ROWS;
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it. The fields are the setters, what is
/// absent has its default, and what breaks a rule or is unknown is an error:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use std::time::Duration;
/// # use dayfly_batching::BatcherOptions;
/// let rows: BatcherOptions = serde_json::from_str(r#"{ "max_items": 64, "max_delay": "20ms" }"#).unwrap();
/// assert_eq!(rows, BatcherOptions::new().max_items(64).max_delay(Duration::from_millis(20)));
///
/// let patient = serde_json::from_str::<BatcherOptions>(r#"{ "max_delay": "never" }"#).unwrap();
/// assert_eq!(patient, BatcherOptions::new().without_max_delay());
///
/// let error = serde_json::from_str::<BatcherOptions>(r#"{ "max_items": 0 }"#).unwrap_err();
/// assert!(error.to_string().starts_with("max_items must be at least 1, but is 0"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct BatcherOptions {
    pub(crate) max_items: usize,
    pub(crate) max_weight: Option<u64>,
    pub(crate) max_delay: Option<Duration>,
    pub(crate) queue_capacity: Option<usize>,
    pub(crate) max_in_flight: usize,
    pub(crate) max_keys: usize,
    pub(crate) cancel_grace: Duration,
}

impl BatcherOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_items: 64,
            max_weight: None,
            max_delay: Some(Duration::from_millis(10)),
            queue_capacity: None,
            max_in_flight: 1,
            max_keys: 1_024,
            cancel_grace: Duration::from_secs(5),
        }
    }

    /// Sets how many items a batch may hold. One that holds so many is flushed at once.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_items(mut self, items: usize) -> Self {
        self.max_items = kept(rules::max_items(items));
        self
    }

    /// Sets how much the items of a batch may weigh together. One that weighs so much is flushed at once, and an item
    /// that would make it heavier begins the next batch. An item that is heavier than this by itself is refused.
    ///
    /// What an item weighs [`BatchRules::weight`](crate::BatchRules::weight) says; unless it does, each weighs 1.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_weight(mut self, weight: u64) -> Self {
        self.max_weight = Some(kept(rules::max_weight(weight)));
        self
    }

    /// Lets a batch weigh as much as it likes.
    #[must_use]
    pub const fn without_max_weight(mut self) -> Self {
        self.max_weight = None;
        self
    }

    /// Sets how long after its first item a batch is flushed, however little it holds.
    ///
    /// Time that it then waits for a free slot is not lost: until a handler takes it, it goes on filling. So with zero a
    /// batch leaves as soon as a slot is free, alone when traffic is low and in company when the handlers are busy, and
    /// no timer is set at all.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = Some(delay);
        self
    }

    /// Lets a batch wait for company for ever, or until somebody flushes.
    #[must_use]
    pub const fn without_max_delay(mut self) -> Self {
        self.max_delay = None;
        self
    }

    /// Sets how many accepted items may wait until a handler takes them.
    ///
    /// When they are fewer than a batch may hold, a full queue flushes what it has.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn queue_capacity(mut self, items: usize) -> Self {
        self.queue_capacity = Some(kept(rules::queue_capacity(items)));
        self
    }

    /// Sets how many batches are handled at once. With 1, the order of the handlers' calls and ends is the order of
    /// the items; with more, it is still that of the calls.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_in_flight(mut self, batches: usize) -> Self {
        self.max_in_flight = kept(rules::max_in_flight(batches));
        self
    }

    /// Sets how many keys of a keyed batcher may have a batch that still fills. The first item of one key more flushes
    /// the batch that was begun first.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = kept(rules::max_keys(keys));
        self
    }

    /// Sets how long a handler may go on after `cancel` before it is dropped. Zero drops it at its next suspension.
    #[must_use]
    pub const fn cancel_grace(mut self, grace: Duration) -> Self {
        self.cancel_grace = grace;
        self
    }

    /// What was set, else room for two batches, and for no fewer than 1,024 items.
    pub(crate) fn capacity(&self) -> usize {
        self.queue_capacity.unwrap_or_else(|| self.max_items.saturating_mul(2).max(1_024))
    }
}

impl Default for BatcherOptions {
    fn default() -> Self {
        Self::new()
    }
}
