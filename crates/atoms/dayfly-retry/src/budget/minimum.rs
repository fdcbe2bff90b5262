//! What there is every second, whatever the calls: the generic cell rate algorithm, in whole nanoseconds.

use std::sync::atomic::{AtomicU64, Ordering};

const NANOS_PER_SEC: u64 = 1_000_000_000;

/// Up to when the minimum is spent. It may be ahead of now by one second's worth, and what is behind now does not count:
/// nothing can be saved for longer than that.
#[derive(Debug, Default)]
pub(super) struct Minimum(AtomicU64);

impl Minimum {
    /// Takes one of `per_second`, if there is one left. `now` is in nanoseconds.
    pub(super) fn take(&self, now: u64, per_second: u64) -> bool {
        let Some(each) = nanos_each(per_second) else { return false };
        let furthest = now.saturating_add(each.saturating_mul(per_second));
        let take = |spent: u64| {
            let next = spent.max(now).checked_add(each)?;
            (next <= furthest).then_some(next)
        };
        self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Puts one back. If its second is over it would have come back by itself, and this changes nothing.
    pub(super) fn put_back(&self, per_second: u64) {
        let Some(each) = nanos_each(per_second) else { return };
        let put_back = |spent: u64| Some(spent.saturating_sub(each));
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, put_back);
    }

    pub(super) fn left(&self, now: u64, per_second: u64) -> u64 {
        let Some(each) = nanos_each(per_second) else { return 0 };
        let ahead = self.0.load(Ordering::Relaxed).saturating_sub(now);
        each.saturating_mul(per_second).saturating_sub(ahead) / each
    }
}

/// Rounded up, so that there are never more in a second than were asked for; `None` when there are none at all.
const fn nanos_each(per_second: u64) -> Option<u64> {
    if per_second == 0 { None } else { Some(NANOS_PER_SEC.div_ceil(per_second)) }
}
