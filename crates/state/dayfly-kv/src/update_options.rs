//! How often an update is tried.

use std::time::Duration;

use dayfly_retry::{Backoff, Jitter};
use dayfly_signal::setting::kept;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// How often an update is tried, and how long it waits in between.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`attempts`](Self::attempts) | 64 | how often it is tried in all, the first included |
/// | [`delay`](Self::delay) | 1 ms | how long it waits after the first conflict; each further wait is twice as long |
/// | [`max_delay`](Self::max_delay) | 250 ms | the longest wait |
/// | [`jitter`](Self::without_jitter) | on | a wait is any part of its length, so that those who met do not meet again |
/// | [`time_to_live`](Self::time_to_live) | for ever | how long what was written can be read |
#[derive(Clone, Debug, PartialEq)]
pub struct UpdateOptions {
    pub(crate) attempts: u32,
    pub(crate) delay: Duration,
    pub(crate) max_delay: Duration,
    pub(crate) jitter: bool,
    pub(crate) time_to_live: Option<Duration>,
}

impl UpdateOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            attempts: 64,
            delay: Duration::from_millis(1),
            max_delay: Duration::from_millis(250),
            jitter: true,
            time_to_live: None,
        }
    }

    /// Sets how often an update is tried in all.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn attempts(mut self, attempts: u32) -> Self {
        self.attempts = kept(rules::attempts(attempts));
        self
    }

    /// Sets how long it waits after the first conflict; each further wait is twice as long. Zero never waits.
    #[must_use]
    pub const fn delay(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sets the longest wait.
    #[must_use]
    pub const fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    /// Waits for exactly as long as it says, not for any part of it.
    #[must_use]
    pub const fn without_jitter(mut self) -> Self {
        self.jitter = false;
        self
    }

    /// Sets how long what an update writes can be read, from that write on.
    #[must_use]
    pub const fn time_to_live(mut self, time: Duration) -> Self {
        self.time_to_live = Some(time);
        self
    }

    /// Lets what an update writes stay for ever.
    #[must_use]
    pub const fn without_time_to_live(mut self) -> Self {
        self.time_to_live = None;
        self
    }

    /// The waits, of which the first one comes after the first attempt.
    pub(crate) fn backoff(&self) -> Backoff {
        let jitter = if self.jitter { Jitter::Full } else { Jitter::None };
        Backoff::exponential(self.delay).cap(self.max_delay).jitter(jitter)
    }
}

impl Default for UpdateOptions {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest() {
        let options =
            UpdateOptions::new().delay(Duration::from_millis(10)).max_delay(Duration::from_millis(35));
        let plain = options.clone().without_jitter().backoff();
        let waits: Vec<u128> = plain.delays(0).take(4).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [10, 20, 35, 35]);
        let spread: Vec<Duration> = (0..100).map(|seed| options.backoff().delay(u32::MAX, seed)).collect();
        assert!(spread.iter().any(|wait| *wait < Duration::from_millis(9)), "{spread:?}");
        assert!(spread.iter().any(|wait| *wait > Duration::from_millis(26)), "{spread:?}");
        assert!(spread.iter().all(|wait| *wait <= Duration::from_millis(35)), "{spread:?}");
    }

    #[test]
    fn no_wait_overflows() {
        let longest = UpdateOptions::new().delay(Duration::MAX).max_delay(Duration::MAX).without_jitter();
        assert_eq!(longest.backoff().delay(u32::MAX, u64::MAX), Duration::MAX);
        let none = UpdateOptions::new().delay(Duration::ZERO);
        assert_eq!(none.backoff().delay(64, u64::MAX), Duration::ZERO);
        let capped = UpdateOptions::new().delay(Duration::MAX).max_delay(Duration::ZERO);
        assert_eq!(capped.backoff().delay(1, u64::MAX), Duration::ZERO);
    }
}
