//! How much runs at once, and how parked keys are announced.

use std::borrow::Cow;

use dayfly::CoordinatorOptions;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How a [`KeyedSequential`](crate::KeyedSequential) bounds its work and announces parked keys.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`work`](Self::work) | those of [`CoordinatorOptions`] | bounds, gates, window |
/// | [`parked_signal`](Self::parked_signal) | `key.parked` | the signal that is raised as long as a key is parked |
///
/// ```
/// use dayfly::CoordinatorOptions;
/// use dayfly_keyed_sequential::SequentialOptions;
///
/// const PLAIN: SequentialOptions = SequentialOptions::new();
/// let orders = PLAIN.work(CoordinatorOptions::new().max_concurrency(8)).parked_signal("order.parked");
/// ```
///
/// With the feature `serde` they are read from configuration, and written to it:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// # use dayfly_keyed_sequential::SequentialOptions;
/// let options: SequentialOptions =
///     serde_json::from_str(r#"{ "work": { "max_concurrency": 8 }, "parked_signal": "order.parked" }"#).unwrap();
/// let error = serde_json::from_str::<SequentialOptions>(r#"{ "work": { "max_concurrency_per_key": 2 } }"#);
/// assert!(error.unwrap_err().to_string().starts_with("max_concurrency_per_key must be 1"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct SequentialOptions {
    pub(crate) work: CoordinatorOptions,
    pub(crate) parked_signal: Cow<'static, str>,
}

impl SequentialOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self { work: CoordinatorOptions::new(), parked_signal: Cow::Borrowed("key.parked") }
    }

    /// Sets how work is bounded, gated and remembered.
    ///
    /// A parked key keeps its work in the queue, at most
    /// [`max_queued_per_key`](CoordinatorOptions::max_queued_per_key) items and the failed one; what
    /// [`queue_capacity`](CoordinatorOptions::queue_capacity) is above that is for the others.
    ///
    /// # Panics
    /// When [`max_concurrency_per_key`](CoordinatorOptions::max_concurrency_per_key) is not 1: several of one key at once
    /// have no order.
    #[must_use]
    #[track_caller]
    pub fn work(mut self, work: CoordinatorOptions) -> Self {
        match rules::work(work) {
            Ok(work) => self.work = work,
            Err(rule) => panic!("{rule}"),
        }
        self
    }

    /// Sets the name of the signal that is raised as long as a key is parked. The key's text is the signal's key, so
    /// there is one name, however many keys there are.
    ///
    /// # Panics
    /// When it is blank.
    #[must_use]
    #[track_caller]
    pub fn parked_signal(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        match rules::parked_signal(name.into()) {
            Ok(name) => self.parked_signal = name,
            Err(rule) => panic!("{rule}"),
        }
        self
    }
}

impl Default for SequentialOptions {
    fn default() -> Self {
        Self::new()
    }
}
