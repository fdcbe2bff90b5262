//! How often an update is tried.

use std::time::Duration;

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

    /// How long to wait after so many attempts, and a random number.
    pub(crate) fn wait(&self, attempts: u32, random: u64) -> Duration {
        let times = 2_u32.saturating_pow(attempts.saturating_sub(1));
        let wait = self.delay.saturating_mul(times).min(self.max_delay);
        if !self.jitter {
            return wait;
        }
        let wait = u64::try_from(wait.as_nanos()).unwrap_or(u64::MAX);
        // The upper half of the product is the random part of it.
        let part = (u128::from(wait) * u128::from(random)) >> 64;
        Duration::from_nanos(u64::try_from(part).unwrap_or(u64::MAX))
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
        let waits: Vec<u128> =
            (1..=4).map(|attempt| options.clone().without_jitter().wait(attempt, 0).as_millis()).collect();
        assert_eq!(waits, [10, 20, 35, 35]);
        assert_eq!(options.wait(u32::MAX, 1 << 63).as_micros(), 17_500);
    }

    #[test]
    fn no_wait_overflows() {
        let longest = UpdateOptions::new().delay(Duration::MAX).max_delay(Duration::MAX);
        assert_eq!(longest.clone().without_jitter().wait(u32::MAX, u64::MAX), Duration::MAX);
        assert!(longest.wait(u32::MAX, u64::MAX) > Duration::from_secs(1));
        assert_eq!(UpdateOptions::new().delay(Duration::ZERO).wait(64, u64::MAX), Duration::ZERO);
    }
}
