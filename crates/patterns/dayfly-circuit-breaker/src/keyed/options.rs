//! How many breakers are kept, and how each of them behaves.

use std::time::Duration;

use dayfly_signal::setting::{Checked, kept};

use crate::options::BreakerOptions;

/// How many breakers are kept, and how each of them behaves.
///
/// | option | default | what it means |
/// |---|---|---|
/// | [`breaker`](Self::breaker) | its own defaults | how each breaker behaves |
/// | [`max_keys`](Self::max_keys) | 10,000 | breakers that are kept |
/// | [`time_to_idle`](Self::time_to_idle) | 10 min | how long one is kept that nobody asks for |
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Deserialize, serde::Serialize))]
#[cfg_attr(feature = "serde", serde(default, deny_unknown_fields))]
pub struct KeyedBreakerOptions {
    pub(crate) breaker: BreakerOptions,
    #[cfg_attr(feature = "serde", serde(deserialize_with = "form::max_keys"))]
    pub(crate) max_keys: usize,
    #[cfg_attr(feature = "serde", serde(with = "dayfly_signal::setting::duration_or_never"))]
    pub(crate) time_to_idle: Option<Duration>,
}

impl KeyedBreakerOptions {
    /// The defaults of the table above.
    #[must_use]
    pub const fn new() -> Self {
        let time_to_idle = Some(Duration::from_secs(600));
        Self { breaker: BreakerOptions::new(), max_keys: 10_000, time_to_idle }
    }

    /// Sets how each breaker behaves.
    #[must_use]
    pub const fn breaker(mut self, options: BreakerOptions) -> Self {
        self.breaker = options;
        self
    }

    /// Sets how many breakers are kept.
    ///
    /// # Panics
    /// When it is zero.
    #[must_use]
    #[track_caller]
    pub const fn max_keys(mut self, keys: usize) -> Self {
        self.max_keys = kept(max_keys(keys));
        self
    }

    /// Sets how long a breaker is kept that nobody asks for. It then costs a reading of the clock to ask for one.
    #[must_use]
    pub const fn time_to_idle(mut self, time: Duration) -> Self {
        self.time_to_idle = Some(time);
        self
    }

    /// Keeps breakers for as long as there is room for them. Configuration writes it as `"never"`.
    #[must_use]
    pub const fn without_time_to_idle(mut self) -> Self {
        self.time_to_idle = None;
        self
    }
}

impl Default for KeyedBreakerOptions {
    fn default() -> Self {
        Self::new()
    }
}

const fn max_keys(keys: usize) -> Checked<usize> {
    if keys == 0 { Err("max_keys must be at least 1") } else { Ok(keys) }
}

#[cfg(feature = "serde")]
mod form {
    use dayfly_signal::setting::obeyed;
    use serde::{Deserialize, Deserializer};

    pub(super) fn max_keys<'de, D: Deserializer<'de>>(input: D) -> Result<usize, D::Error> {
        let keys = usize::deserialize(input)?;
        obeyed(super::max_keys(keys), keys)
    }
}
