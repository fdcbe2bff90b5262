//! What a limiter bounds, and how.

use std::time::Duration;

use dayfly_signal::setting::kept;

use crate::admission::Rules;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How long somebody who was called may take to come, unless options say otherwise.
pub(crate) const CLAIM_WITHIN: Duration = Duration::from_millis(10);

/// What a [`Limiter`](crate::Limiter) bounds, and how.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`limit`](Self::limit) | 16 | permits that are in use at once |
/// | [`allow_zero`](Self::allow_zero) | no | whether the limit may be zero, which admits nobody |
/// | [`age_after`](Self::age_after) | 1 s | how much later a higher class may come and still go first, per class |
/// | [`claim_within`](Self::claim_within) | 10 ms | how long a permit is kept for a waiter that was woken |
///
/// All of them can be changed while the limiter works. With the feature `serde` they are read from configuration, and
/// written to it:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use dayfly_limit::LimiterOptions;
///
/// let read: LimiterOptions = serde_json::from_str(r#"{ "limit": 8, "age_after": "30s" }"#).unwrap();
/// assert_eq!(read, LimiterOptions::new().limit(8).age_after(std::time::Duration::from_secs(30)));
/// let error = serde_json::from_str::<LimiterOptions>(r#"{ "limit": 0 }"#).unwrap_err();
/// assert!(error.to_string().starts_with("limit must be at least 1 unless allow_zero is set, but is 0"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct LimiterOptions {
    pub(crate) limit: usize,
    pub(crate) allow_zero: bool,
    pub(crate) age_after: Option<Duration>,
    pub(crate) claim_within: Duration,
}

/// What a [`KeyedLimiter`](crate::KeyedLimiter) bounds, and how.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`limit`](Self::limit) | 64 | permits that are in use at once, of all keys together |
/// | [`limit_per_key`](Self::limit_per_key) | 1 | permits of one key that are in use at once |
/// | [`max_keys`](Self::max_keys) | 65,536 | keys that are held or waited for at once |
/// | [`age_after`](Self::age_after) | 1 s | how much later a higher class may come and still go first, per class |
/// | [`claim_within`](Self::claim_within) | 10 ms | how long a permit is kept for a waiter that was woken |
///
/// All of them can be changed while the limiter works, and read and written with the feature `serde`, as those of a
/// [`Limiter`](LimiterOptions).
#[derive(Clone, Debug, PartialEq)]
pub struct KeyedLimiterOptions {
    pub(crate) limit: usize,
    pub(crate) limit_per_key: usize,
    pub(crate) max_keys: usize,
    pub(crate) age_after: Option<Duration>,
    pub(crate) claim_within: Duration,
}

impl LimiterOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        let age_after = Some(Duration::from_secs(1));
        Self { limit: 16, allow_zero: false, age_after, claim_within: CLAIM_WITHIN }
    }

    /// Sets how many permits are in use at once.
    ///
    /// # Panics
    /// When it is zero, unless [`allow_zero`](Self::allow_zero) was called before.
    #[must_use]
    #[track_caller]
    pub const fn limit(mut self, permits: usize) -> Self {
        self.limit = kept(rules::limit(permits, self.allow_zero));
        self
    }

    /// Lets the limit be zero, from the start or later. Then nobody is admitted and everybody waits until it rises.
    #[must_use]
    pub const fn allow_zero(mut self) -> Self {
        self.allow_zero = true;
        self
    }

    /// Sets how much later than a waiter somebody of the next higher class may come and still go first; twice as much
    /// for two classes. So nobody waits for ever while there are permits and those in front give theirs back.
    ///
    /// # Panics
    /// When it is zero: then there would be no classes.
    #[must_use]
    #[track_caller]
    pub const fn age_after(mut self, wait: Duration) -> Self {
        self.age_after = Some(kept(rules::age_after(wait)));
        self
    }

    /// The higher class always goes first. Whoever is in a lower one may wait for ever.
    #[must_use]
    pub const fn without_age_after(mut self) -> Self {
        self.age_after = None;
        self
    }

    /// Sets how long a free permit is kept for the waiter that was woken for it. A future that nobody polls meanwhile is
    /// passed over until it is polled again; it keeps its place. A time that is too short lets tasks of a busy runtime
    /// overtake each other.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn claim_within(mut self, time: Duration) -> Self {
        self.claim_within = kept(rules::claim_within(time));
        self
    }

    pub(crate) const fn into_rules(self) -> Rules {
        let Self { limit, allow_zero, age_after, claim_within } = self;
        Rules { limit, allow_zero, limit_per_key: usize::MAX, max_keys: 0, age_after, claim_within }
    }
}

impl KeyedLimiterOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        let age_after = Some(Duration::from_secs(1));
        Self { limit: 64, limit_per_key: 1, max_keys: 65_536, age_after, claim_within: CLAIM_WITHIN }
    }

    /// Sets how many permits are in use at once, of all keys together.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn limit(mut self, permits: usize) -> Self {
        self.limit = kept(rules::total(permits));
        self
    }

    /// Sets how many permits of one key are in use at once.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn limit_per_key(mut self, permits: usize) -> Self {
        self.limit_per_key = kept(rules::limit_per_key(permits));
        self
    }

    /// Sets how many keys are held or waited for at once; whoever brings another is refused.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = kept(rules::max_keys(keys));
        self
    }

    /// As [`LimiterOptions::age_after`].
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn age_after(mut self, wait: Duration) -> Self {
        self.age_after = Some(kept(rules::age_after(wait)));
        self
    }

    /// The higher class always goes first. Whoever is in a lower one may wait for ever.
    #[must_use]
    pub const fn without_age_after(mut self) -> Self {
        self.age_after = None;
        self
    }

    /// As [`LimiterOptions::claim_within`].
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn claim_within(mut self, time: Duration) -> Self {
        self.claim_within = kept(rules::claim_within(time));
        self
    }

    pub(crate) const fn into_rules(self) -> Rules {
        let Self { limit, limit_per_key, max_keys, age_after, claim_within } = self;
        Rules { limit, allow_zero: false, limit_per_key, max_keys, age_after, claim_within }
    }
}

impl Default for LimiterOptions {
    fn default() -> Self {
        Self::new()
    }
}

impl Default for KeyedLimiterOptions {
    fn default() -> Self {
        Self::new()
    }
}
