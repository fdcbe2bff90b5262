//! How many operations a worker claims at once: many while they are quick, one as soon as they take long.

use tokio::time::Instant;

/// The most operations of one claim.
pub(super) const MOST: usize = 32;

/// What is claimed together is to take no more nanoseconds than this, so that little waits behind it while another
/// worker is free. To claim bodies of 2 us one by one would cost a tenth of what they do.
const TOGETHER: u64 = 16_000;

/// A body that takes so many nanoseconds is better run by a worker of its own than by whoever hands it in.
const SLOW: u64 = 2_000;

pub(super) struct Pace {
    claim: usize,
    is_slow: bool,
    claimed_at: Option<Instant>,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { claim: 1, is_slow: true, claimed_at: None }
    }

    /// How many to claim next.
    pub(super) const fn claim(&self) -> usize {
        self.claim
    }

    /// Whether bodies take long, as far as is known.
    pub(super) const fn is_slow(&self) -> bool {
        self.is_slow
    }

    /// Operations were claimed.
    pub(super) const fn start(&mut self, now: Instant) {
        self.claimed_at = Some(now);
    }

    /// What follows does not tell how long bodies take.
    pub(super) const fn pause(&mut self) {
        self.claimed_at = None;
    }

    /// So many bodies were polled since.
    pub(super) fn stop(&mut self, polled: usize, now: Instant) {
        let Some(at) = self.claimed_at.take() else { return };
        let polled @ 1.. = polled as u64 else { return };
        let took = now.saturating_duration_since(at).as_nanos();
        let took = u64::try_from(took).unwrap_or(u64::MAX);
        self.is_slow = took >= SLOW.saturating_mul(polled);
        let fitting = TOGETHER.saturating_mul(polled) / took.max(1);
        let fitting = usize::try_from(fitting).unwrap_or(MOST);
        // It grows step by step: the first bodies may have been others.
        self.claim = fitting.clamp(1, (self.claim * 2).min(MOST));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn claims_grow_while_bodies_are_quick_and_shrink_at_once() {
        let start = Instant::now();
        let mut pace = Pace::new();
        for _ in 0..10 {
            pace.start(start);
            pace.stop(pace.claim(), start);
        }
        assert_eq!(pace.claim(), MOST);
        pace.start(start);
        pace.stop(MOST, start + Duration::from_micros(32));
        assert_eq!(pace.claim(), MOST / 2);
        assert!(!pace.is_slow());
        pace.start(start);
        pace.stop(1, start + Duration::from_millis(1));
        assert_eq!(pace.claim(), 1);
        assert!(pace.is_slow());
    }

    #[test]
    fn what_is_claimed_together_takes_a_bounded_time() {
        let start = Instant::now();
        for (body, most) in [(100, 32), (500, 32), (1_000, 16), (2_000, 8), (10_000, 1), (1_000_000, 1)] {
            let mut pace = Pace::new();
            for _ in 0..10 {
                let claim = pace.claim();
                pace.start(start);
                pace.stop(claim, start + Duration::from_nanos(body) * u32::try_from(claim).unwrap());
            }
            assert_eq!((pace.claim(), pace.is_slow()), (most, body >= 2_000), "{body} ns");
        }
    }
}
