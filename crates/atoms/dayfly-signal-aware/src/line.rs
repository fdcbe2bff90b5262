//! The gate without its lock, its timers and its clock: what the signals say, and who stands in line.
//!
//! ```text
//!                  open, or deferred for too long and `Pass`
//!   arrival ----> Pass
//!      |  ^
//!      |  | a change that may let it through, or the time of its timer
//!      v  |
//!     Wait ----> Refuse
//!                  cancelled, or deferred for too long and `Refuse`
//! ```

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::{GateRules, Raised, Ruling, Verdict};
use tokio::time::Instant;

use crate::{AfterDeferral, Refused};

#[cfg(test)]
mod model;

/// What the signals say, until they change, and who waits for that. `W` is how somebody is woken.
pub(crate) struct Line<W> {
    rules: GateRules,
    bound: Option<(Duration, AfterDeferral)>,
    ruling: Ruling,
    /// What the watch's version was before the state was read that the ruling is about.
    version: Option<u64>,
    /// In order of arrival.
    waiting: BTreeMap<Place, Waiting<W>>,
    next: Place,
}

/// Who came earlier has a smaller one.
pub(crate) type Place = u64;

struct Waiting<W> {
    key: Option<Arc<str>>,
    /// It is taken when it is woken, and put back when it comes to look and has to go on waiting.
    waker: Option<W>,
}

/// What somebody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admission {
    Pass,
    Refuse(Refused),
    /// Not yet. It has to look again at that time, unless it is woken before.
    Wait {
        until: Option<Instant>,
    },
}

impl<W> Line<W> {
    pub(crate) fn new(rules: GateRules, bound: Option<(Duration, AfterDeferral)>) -> Self {
        Self { rules, bound, ruling: Ruling::default(), version: None, waiting: BTreeMap::new(), next: 0 }
    }

    /// Whether what the line knows holds at this version of the watch and at this time.
    pub(crate) fn is_current(&self, version: u64, now: Instant) -> bool {
        self.version == Some(version) && self.ruling.recheck_at().is_none_or(|at| at > now)
    }

    /// Takes in what is raised, which was read after the watch had this version. Returns whom to wake: those who need
    /// not wait any longer, in order of arrival, and everybody when timers have to be set to an earlier time.
    pub(crate) fn judge(&mut self, version: u64, raised: &[Raised], now: Instant) -> Vec<W> {
        // Somebody else has read later, and was faster here.
        if self.version.is_some_and(|known| known > version) {
            return Vec::new();
        }
        let before = self.ruling.recheck_at();
        self.ruling = self.rules.judge(raised, &self.ruling, now);
        self.version = Some(version);
        let is_earlier = match (self.ruling.recheck_at(), before) {
            (Some(at), Some(before)) => at < before,
            (Some(_), None) => true,
            (None, _) => false,
        };
        if is_earlier {
            return self.wake_all();
        }
        if self.ruling.is_shut() {
            return Vec::new();
        }
        let ruling = &self.ruling;
        let freed = self.waiting.values_mut().filter(|waiting| {
            let key = waiting.key.as_deref();
            key.map_or_else(|| ruling.of_all(), |key| ruling.of_key(key)) != Verdict::Deferred
        });
        freed.filter_map(|waiting| waiting.waker.take()).collect()
    }

    /// What somebody may do who arrived at that time.
    pub(crate) fn admission(&self, key: Option<&str>, arrived: Instant, now: Instant) -> Admission {
        match key.map_or_else(|| self.ruling.of_all(), |key| self.ruling.of_key(key)) {
            Verdict::Open => Admission::Pass,
            Verdict::Cancelled => Admission::Refuse(Refused::Cancelled(())),
            Verdict::Deferred => self.deferred(self.ruling.deferred_at(key).max(Some(arrived)), now),
        }
    }

    fn deferred(&self, since: Option<Instant>, now: Instant) -> Admission {
        // A time that cannot be told never comes.
        let due = self.bound.and_then(|(wait, then)| Some((since?.checked_add(wait)?, then)));
        match due {
            Some((due, AfterDeferral::Pass)) if due <= now => Admission::Pass,
            Some((due, AfterDeferral::Refuse)) if due <= now => Admission::Refuse(Refused::Overdue(())),
            _ => {
                let times = [due.map(|(due, _)| due), self.ruling.recheck_at()];
                Admission::Wait { until: times.into_iter().flatten().min() }
            }
        }
    }

    /// The version at which everybody may pass, whatever the key, until a signal changes.
    pub(crate) fn open_at(&self) -> Option<u64> {
        let is_open = self.ruling.is_open() && self.ruling.recheck_at().is_none();
        self.version.filter(|_| is_open)
    }

    /// Sets for how long signals may defer. Returns whom to wake: everybody, to set their timers anew.
    pub(crate) fn set_bound(&mut self, bound: Option<(Duration, AfterDeferral)>) -> Vec<W> {
        self.bound = bound;
        self.wake_all()
    }

    pub(crate) fn enter(&mut self, key: Option<Arc<str>>, waker: W) -> Place {
        let place = self.next;
        self.next += 1;
        self.waiting.insert(place, Waiting { key, waker: Some(waker) });
        place
    }

    /// Says how to wake who has this place from now on. Returns how it was woken before.
    pub(crate) fn set_waker(&mut self, place: Place, waker: W) -> Option<W> {
        self.waiting.get_mut(&place).and_then(|waiting| waiting.waker.replace(waker))
    }

    pub(crate) fn leave(&mut self, place: Place) -> Option<W> {
        self.waiting.remove(&place).and_then(|waiting| waiting.waker)
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    fn wake_all(&mut self) -> Vec<W> {
        self.waiting.values_mut().filter_map(|waiting| waiting.waker.take()).collect()
    }
}
