//! How many operations a worker claims at once: many while they are quick, one as soon as they are not.

use std::time::Duration;

use tokio::time::Instant;

/// The most operations of one claim.
pub(super) const MOST: usize = 32;

/// A body that takes no longer than this is quick.
const QUICK: Duration = Duration::from_nanos(500);

/// A body that takes this long is claimed alone, so that none waits behind it while another worker is free.
const SLOW: Duration = Duration::from_micros(2);

pub(super) struct Pace {
    claim: usize,
    claimed_at: Option<Instant>,
}

impl Pace {
    pub(super) const fn new() -> Self {
        Self { claim: 1, claimed_at: None }
    }

    /// How many to claim next.
    pub(super) const fn claim(&self) -> usize {
        self.claim
    }

    /// Whether bodies take long, as far as is known.
    pub(super) const fn is_slow(&self) -> bool {
        self.claim == 1
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
        let Ok(polled @ 1..) = u32::try_from(polled) else { return };
        let took = now.saturating_duration_since(at);
        // Compared as products: this is asked at each visit, and a division of durations costs as much as an operation.
        if took <= QUICK.saturating_mul(polled) {
            self.claim = (self.claim * 2).min(MOST);
        } else if took >= SLOW.saturating_mul(polled) {
            self.claim = 1;
        } else {
            self.claim = self.claim.div_ceil(2);
        }
    }
}

#[cfg(test)]
mod tests {
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
        pace.start(start);
        pace.stop(1, start + Duration::from_millis(1));
        assert_eq!(pace.claim(), 1);
    }
}
