//! How large a budget is.

use dayfly_signal::setting::kept;

use super::WHOLE;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How large a [`RetryBudget`](crate::RetryBudget) is.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`share`](Self::share) | 0.2 | retries for each call |
/// | [`min_per_second`](Self::min_per_second) | 10 | retries for each second, whatever the calls |
/// | [`burst`](Self::burst) | 100 | retries that calls can earn in advance |
///
/// With the feature `serde` they are read from configuration, and written to it.
///
/// ```
/// use dayfly_retry::RetryBudgetOptions;
///
/// const TIGHT: RetryBudgetOptions = RetryBudgetOptions::new().share(0.05).min_per_second(1).burst(20);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct RetryBudgetOptions {
    share: f64,
    min_per_second: u32,
    burst: u32,
}

impl RetryBudgetOptions {
    /// The defaults of the table above.
    pub const fn new() -> Self {
        Self { share: 0.2, min_per_second: 10, burst: 100 }
    }

    /// Sets how many retries each call earns: 0.2 is one for every five. It is kept to a millionth, what is less is cut
    /// off; zero leaves the minimum only.
    ///
    /// # Panics
    /// When it is below zero, above 1,000 or no number.
    #[track_caller]
    pub const fn share(mut self, retries_per_call: f64) -> Self {
        self.share = kept(rules::share(retries_per_call));
        self
    }

    /// Sets how many retries there are for each second, whatever the calls: for those who have just begun, and those who
    /// call rarely. They cannot be saved for longer than a second; zero leaves the share only.
    ///
    /// # Panics
    /// When it is above 1,000,000.
    #[track_caller]
    pub const fn min_per_second(mut self, retries: u32) -> Self {
        self.min_per_second = kept(rules::min_per_second(retries));
        self
    }

    /// Sets how many retries calls can earn in advance. A long time without failures buys no more than that.
    ///
    /// # Panics
    /// When it is zero: nothing could be earned.
    #[track_caller]
    pub const fn burst(mut self, retries: u32) -> Self {
        self.burst = kept(rules::burst(retries));
        self
    }

    /// What a call earns, in millionths of a retry.
    pub(super) fn share_saved(&self) -> u64 {
        rules::millionths(self.share)
    }

    pub(super) fn most_saved(&self) -> u64 {
        u64::from(self.burst) * WHOLE
    }

    pub(super) fn per_second(&self) -> u64 {
        u64::from(self.min_per_second)
    }
}

impl Default for RetryBudgetOptions {
    fn default() -> Self {
        Self::new()
    }
}
