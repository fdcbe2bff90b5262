//! Wall-clock time, where a deadline has to outlive the process.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use crate::deadline::{after_epoch, since_epoch};

/// What time it is, for entries with a time to live. Nothing else of a store asks for it.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time now. It may jump in both directions; a store only compares it with deadlines.
    fn now(&self) -> SystemTime;
}

/// The system's wall clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// A clock for tests: it stands still until it is moved. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use dayfly_kv::{Clock, ManualClock};
///
/// let clock = ManualClock::new();
/// let before = clock.now();
/// clock.advance(Duration::from_secs(60));
/// assert_eq!(clock.now(), before + Duration::from_secs(60));
/// ```
#[derive(Clone)]
pub struct ManualClock(Arc<AtomicU64>);

/// 2026-01-01 00:00:00 UTC, in seconds: a time that looks like one.
const START: Duration = Duration::from_secs(1_767_225_600);

impl ManualClock {
    /// A clock that stands at the first moment of 2026, UTC.
    pub fn new() -> Self {
        Self::starting_at(SystemTime::UNIX_EPOCH + START)
    }

    /// A clock that stands at this time. It counts nanoseconds from 1970 to 2554, and stays within.
    pub fn starting_at(now: SystemTime) -> Self {
        Self(Arc::new(AtomicU64::new(since_epoch(now))))
    }

    /// Moves it on.
    pub fn advance(&self, by: Duration) {
        let by = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let moved = |now: u64| Some(now.saturating_add(by));
        // The closure always gives a time, so this cannot fail.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, moved);
    }

    /// Sets it, also back.
    pub fn set(&self, now: SystemTime) {
        self.0.store(since_epoch(now), Ordering::SeqCst);
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        after_epoch(self.0.load(Ordering::SeqCst))
    }
}

impl fmt::Debug for ManualClock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManualClock").field(&self.now()).finish()
    }
}
