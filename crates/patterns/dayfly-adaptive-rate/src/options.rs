//! How often something may start.

use std::time::Duration;

use dayfly_signal::PatternSet;
use dayfly_signal::setting::kept;

use crate::pacer::{Rules, ticks};
use crate::quota::Quota;

#[cfg(feature = "serde")]
mod form;
mod rules;

/// The signal that is obeyed unless options say otherwise.
const RATE_LIMIT: &str = "rate-limit";

/// How often something may start, for each key by itself.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`starts`](Self::starts) | 10 | starts in each period |
/// | [`period`](Self::period) | 1 s | what the starts are counted in |
/// | [`burst`](Self::burst) | as many as `starts` | starts at once, after a time without any |
/// | [`max_keys`](Self::max_keys) | 65,536 | keys that are kept at once |
/// | [`max_pause`](Self::max_pause) | 1 h | how long a signal or an error may pause it |
/// | [`pause_on`](Self::pause_on) | `rate-limit` | the signals that pause it |
///
/// All but `pause_on` can be changed while it works. With the feature `serde` they are read from configuration, and
/// written to it:
///
/// ```
/// # #[cfg(feature = "serde")] {
/// use dayfly_adaptive_rate::RateOptions;
///
/// let read: RateOptions = serde_json::from_str(r#"{ "starts": 100, "period": "1m", "burst": 5 }"#).unwrap();
/// assert_eq!(read, RateOptions::per_minute(100).burst(5));
/// let error = serde_json::from_str::<RateOptions>(r#"{ "starts": 0 }"#).unwrap_err();
/// assert!(error.to_string().starts_with("starts must be at least 1, but is 0"));
/// # }
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct RateOptions {
    pub(crate) starts: u32,
    pub(crate) period: Duration,
    pub(crate) burst: Option<u32>,
    pub(crate) max_keys: usize,
    pub(crate) max_pause: Duration,
    /// Nothing for the default, which no constant can hold.
    pub(crate) pause_on: Option<PatternSet>,
}

impl RateOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            starts: 10,
            period: Duration::from_secs(1),
            burst: None,
            max_keys: 65_536,
            max_pause: Duration::from_secs(3_600),
            pause_on: None,
        }
    }

    /// So many starts each second.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    #[track_caller]
    pub const fn per_second(starts: u32) -> Self {
        Self::new().starts(starts)
    }

    /// So many starts each minute.
    ///
    /// # Panics
    /// When there are none.
    #[must_use]
    #[track_caller]
    pub const fn per_minute(starts: u32) -> Self {
        Self::per_second(starts).period(Duration::from_secs(60))
    }

    /// Sets how many starts there are in each period.
    ///
    /// # Panics
    /// When it is zero; to start nothing for a while, [pause](crate::AdaptiveRate::retry_all_after).
    #[must_use]
    #[track_caller]
    pub const fn starts(mut self, starts: u32) -> Self {
        self.starts = kept(rules::starts(starts));
        self
    }

    /// Sets what the starts are counted in.
    ///
    /// # Panics
    /// When it is zero, or longer than 100 years.
    #[must_use]
    #[track_caller]
    pub const fn period(mut self, period: Duration) -> Self {
        self.period = kept(rules::period(period));
        self
    }

    /// Sets how many starts there may be at once, after a time without any. In a window of `t` there are never more than
    /// the burst and `t` times the rate. With 1 they are evenly spaced.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn burst(mut self, starts: u32) -> Self {
        self.burst = Some(kept(rules::burst(starts)));
        self
    }

    /// Sets how many keys are kept at once. The others share one place, with the quota of one key and its pauses, until
    /// there is room: so none of them ever starts more often than it may, and none is refused.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = kept(rules::max_keys(keys));
        self
    }

    /// Sets how long a signal or an error may pause it; what asks for more is cut, and counted. So nobody who answers
    /// calls can stop them for good.
    #[must_use]
    pub const fn max_pause(mut self, time: Duration) -> Self {
        self.max_pause = time;
        self
    }

    /// Sets which signals pause it, for the length of time that is their payload: `rate-limit:500ms`. One with a key
    /// pauses that key only.
    #[must_use]
    pub fn pause_on(mut self, signals: impl Into<PatternSet>) -> Self {
        let signals = signals.into();
        self.pause_on = (signals != PatternSet::from(RATE_LIMIT)).then_some(signals);
        self
    }

    /// No signal pauses it.
    #[must_use]
    pub fn without_pause_on(self) -> Self {
        self.pause_on(PatternSet::new())
    }

    pub(crate) fn obeyed(&self) -> PatternSet {
        self.pause_on.clone().unwrap_or_else(|| RATE_LIMIT.into())
    }

    pub(crate) fn rules(&self) -> Rules {
        let Self { starts, period, burst, max_keys, max_pause, .. } = *self;
        let quota = Quota { starts, period: ticks(period), burst: burst.unwrap_or(starts) };
        Rules { quota, max_keys, max_pause: ticks(max_pause) }
    }
}

impl Default for RateOptions {
    fn default() -> Self {
        Self::new()
    }
}
