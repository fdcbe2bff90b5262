//! Until when an entry can be read.

use std::fmt;
use std::num::NonZeroU64;
use std::time::{Duration, SystemTime};

/// Until when an entry can be read: at this moment it still is there, after it it is gone.
///
/// To the nanosecond, from 1970 to 2554. What would be later is never.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Deadline {
    /// Nanoseconds since 1970, and one more, so that an `Option` of it takes no more room.
    nanos: NonZeroU64,
}

impl Deadline {
    /// The deadline of what is written now and lives so long; `None` when that is for ever.
    pub fn after(now: SystemTime, time_to_live: Duration) -> Option<Self> {
        let nanos = u64::try_from(time_to_live.as_nanos()).ok()?;
        Self::from_unix_nanos(since_epoch(now).checked_add(nanos)?)
    }

    /// Whether an entry with this deadline is gone.
    pub fn is_past(self, now: SystemTime) -> bool {
        since_epoch(now) > self.unix_nanos()
    }

    /// As a backend has kept it; `None` when there is no such deadline.
    pub const fn from_unix_nanos(nanos: u64) -> Option<Self> {
        match nanos.checked_add(1) {
            Some(nanos) => match NonZeroU64::new(nanos) {
                Some(nanos) => Some(Self { nanos }),
                None => None,
            },
            None => None,
        }
    }

    /// Nanoseconds since 1970, for a backend to keep.
    pub const fn unix_nanos(self) -> u64 {
        self.nanos.get() - 1
    }

    /// The time that it is.
    pub fn time(self) -> SystemTime {
        after_epoch(self.unix_nanos())
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Deadline").field(&self.time()).finish()
    }
}

/// Nanoseconds since 1970; a clock that is further off than this can count stands at the nearest that it can.
pub(crate) fn since_epoch(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}

pub(crate) fn after_epoch(nanos: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}
