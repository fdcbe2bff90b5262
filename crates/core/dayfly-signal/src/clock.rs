//! The sink's own clock: Tokio's, in nanoseconds since the sink was made, and never going backwards.
//!
//! One number takes half the room of an instant in every event, is compared in one step, and can be published
//! through an atomic. It lasts for five centuries; what lies beyond is taken as the end of time.

use std::time::Duration;

use tokio::time::Instant;

/// Nanoseconds since the origin of one sink's clock.
pub(crate) type Ticks = u64;

/// No event is that young: the moment that never comes.
pub(crate) const NEVER: Ticks = Ticks::MAX;

/// Where the counting of ticks began. An instant before it counts as the origin itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(Instant);

#[derive(Debug)]
pub(crate) struct Clock {
    origin: Origin,
    /// The latest reading that anybody brought, and the same in ticks.
    latest: Instant,
    ticks: Ticks,
}

impl Origin {
    pub(crate) fn ticks(self, at: Instant) -> Ticks {
        ticks(at.saturating_duration_since(self.0))
    }

    pub(crate) fn instant(self, at: Ticks) -> Instant {
        self.0 + Duration::from_nanos(at)
    }
}

impl Clock {
    pub(crate) const fn new(now: Instant) -> Self {
        Self { origin: Origin(now), latest: now, ticks: 0 }
    }

    /// Takes a reading. Says whether it is a later one: several raises with one reading convert it once.
    #[inline]
    pub(crate) fn advance(&mut self, now: Instant) -> bool {
        let is_later = now > self.latest;
        if is_later {
            self.latest = now;
            self.ticks = self.origin.ticks(now);
        }
        is_later
    }

    pub(crate) const fn now(&self) -> Ticks {
        self.ticks
    }

    pub(crate) const fn origin(&self) -> Origin {
        self.origin
    }
}

/// A length of time in ticks; one that is too long for them never ends.
pub(crate) fn ticks(length: Duration) -> Ticks {
    Ticks::try_from(length.as_nanos()).unwrap_or(NEVER)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instant_survives_the_way_there_and_back() {
        let start = Instant::now();
        let origin = Origin(start);
        for nanos in [0, 1, 999_999_999, 1_000_000_000, 7_000_000_000_000_003] {
            let at = start + Duration::from_nanos(nanos);
            assert_eq!((origin.ticks(at), origin.instant(nanos)), (nanos, at));
        }
    }

    #[test]
    fn an_earlier_reading_changes_nothing() {
        let start = Instant::now();
        let mut clock = Clock::new(start);
        assert!(clock.advance(start + Duration::from_nanos(5)));
        assert!(!clock.advance(start + Duration::from_nanos(5)));
        assert!(!clock.advance(start));
        assert_eq!(clock.now(), 5);
        assert_eq!(clock.origin().ticks(start.checked_sub(Duration::from_nanos(1)).unwrap_or(start)), 0);
    }

    #[test]
    fn a_length_beyond_the_clock_never_ends() {
        assert_eq!(ticks(Duration::MAX), NEVER);
        assert_eq!(ticks(Duration::from_micros(3)), 3_000);
    }
}
