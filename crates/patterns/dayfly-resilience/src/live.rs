//! What a call reads of the options: a handful of words, none of which needs a lock.

use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use crate::PipelineOptions;

/// A length of time that may be absent and can be changed.
///
/// It is kept in nanoseconds; what takes more of them than a word has, which is more than 500 years, is cut to that.
#[derive(Debug)]
pub(crate) struct Length(AtomicU64);

const NONE: u64 = u64::MAX;

impl Length {
    pub(crate) fn new(length: Option<Duration>) -> Self {
        Self(AtomicU64::new(nanos(length)))
    }

    #[inline]
    pub(crate) fn get(&self) -> Option<Duration> {
        match self.0.load(Ordering::Relaxed) {
            NONE => None,
            nanos => Some(Duration::from_nanos(nanos)),
        }
    }

    pub(crate) fn set(&self, length: Option<Duration>) {
        self.0.store(nanos(length), Ordering::Relaxed);
    }
}

fn nanos(length: Option<Duration>) -> u64 {
    length.map_or(NONE, |length| u64::try_from(length.as_nanos()).unwrap_or(NONE).min(NONE - 1))
}

/// Those who read two of its values in the middle of a change follow one option a moment before the other, which does no
/// harm.
#[derive(Debug)]
pub(crate) struct Live {
    switches: AtomicU8,
    pub(crate) total_timeout: Length,
    pub(crate) attempt_timeout: Length,
    pub(crate) max_wait: Length,
}

const FALLBACK: u8 = 1;
const RETRY: u8 = 1 << 1;
const BUDGET: u8 = 1 << 2;
const BREAKER: u8 = 1 << 3;
const LIMIT: u8 = 1 << 4;
const TIMEOUT: u8 = 1 << 5;

/// Which policies are on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Switches(u8);

impl Live {
    pub(crate) fn new(options: &PipelineOptions) -> Self {
        Self {
            switches: AtomicU8::new(Switches::of(options).0),
            total_timeout: Length::new(options.total_timeout),
            attempt_timeout: Length::new(options.attempt_timeout),
            max_wait: Length::new(options.max_wait),
        }
    }

    #[inline]
    pub(crate) fn switches(&self) -> Switches {
        Switches(self.switches.load(Ordering::Relaxed))
    }

    pub(crate) fn follow(&self, options: &PipelineOptions) {
        self.total_timeout.set(options.total_timeout);
        self.attempt_timeout.set(options.attempt_timeout);
        self.max_wait.set(options.max_wait);
        self.switches.store(Switches::of(options).0, Ordering::Relaxed);
    }

    pub(crate) fn switch_breaker_off(&self) {
        self.switches.fetch_and(!BREAKER, Ordering::Relaxed);
    }
}

impl Switches {
    fn of(options: &PipelineOptions) -> Self {
        let switch = |is_on: bool, switch: u8| if is_on { switch } else { 0 };
        Self(
            switch(options.fallback, FALLBACK)
                | switch(options.attempts > 1, RETRY)
                | switch(options.budget.is_some(), BUDGET)
                | switch(options.breaker.is_some(), BREAKER)
                | switch(options.max_concurrency.is_some(), LIMIT)
                | switch(options.total_timeout.or(options.attempt_timeout).is_some(), TIMEOUT),
        )
    }

    /// Whether nothing stands around an attempt.
    pub(crate) const fn is_bare(self) -> bool {
        self.0 & !FALLBACK == 0
    }

    pub(crate) const fn fallback(self) -> bool {
        self.0 & FALLBACK != 0
    }

    pub(crate) const fn retry(self) -> bool {
        self.0 & RETRY != 0
    }

    pub(crate) const fn budget(self) -> bool {
        self.0 & BUDGET != 0
    }

    pub(crate) const fn breaker(self) -> bool {
        self.0 & BREAKER != 0
    }

    pub(crate) const fn limit(self) -> bool {
        self.0 & LIMIT != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_length_is_one_and_not_none() {
        let length = Length::new(Some(Duration::MAX));
        assert_eq!(length.get(), Some(Duration::from_nanos(u64::MAX - 1)));
        length.set(None);
        assert_eq!(length.get(), None);
        length.set(Some(Duration::ZERO));
        assert_eq!(length.get(), Some(Duration::ZERO));
    }
}
