//! What recent calls came to: counts over the last so many calls, or over the last so long.

use std::time::Duration;

use tokio::time::Instant;

use crate::aside::{MOST, UNCOUNTED};
use crate::horizon::after;
use crate::options::Window;

/// How many parts a window of time leaves in.
const PARTS: u32 = 10;

/// The most successes that a window of calls takes in at once, one by one.
const AT_ONCE: u32 = 1_024;

/// How one call went, as far as shares are concerned.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Went {
    pub(crate) failed: bool,
    pub(crate) slow: bool,
}

/// How many calls a window holds, and how they went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) calls: u32,
    pub(crate) failed: u32,
    pub(crate) slow: u32,
}

#[derive(Debug)]
pub(crate) enum Gauge {
    Calls(LastCalls),
    Time(LastTime),
}

impl Gauge {
    pub(crate) fn new(window: Window, now: Instant) -> Self {
        match window {
            Window::Calls(calls) => Self::Calls(LastCalls::new(calls)),
            Window::Time(time) => Self::Time(LastTime::new(time, now)),
        }
    }

    /// Takes a call in, and says what the window holds now.
    pub(crate) fn add(&mut self, went: Went, now: impl FnOnce() -> Instant) -> Count {
        match self {
            Self::Calls(window) => window.add(went),
            Self::Time(window) => window.add(went, now()),
        }
    }

    /// Takes in so many calls that succeeded since it was asked last, which says when they ended.
    pub(crate) fn add_successes(&mut self, calls: u32) {
        match self {
            Self::Calls(window) => window.add_successes(calls),
            Self::Time(window) => window.add_successes(calls),
        }
    }

    /// How many successes it need not know of one by one, as far as it is concerned.
    pub(crate) fn spares(&self) -> u32 {
        match self {
            Self::Calls(window) => window.spares(),
            Self::Time(_) => MOST,
        }
    }

    /// Until when it need not know of successes; of a window of calls, whenever they end.
    pub(crate) fn spares_until(&self) -> Option<Instant> {
        match self {
            Self::Calls(_) => None,
            Self::Time(window) => Some(after(window.began, window.part)),
        }
    }

    /// What it held when it was told of a call or asked last.
    pub(crate) const fn sum(&self) -> Count {
        match self {
            Self::Calls(window) => window.sum,
            Self::Time(window) => window.sum,
        }
    }

    /// What the window holds.
    pub(crate) fn count(&mut self, now: Instant) -> Count {
        match self {
            Self::Calls(window) => window.sum,
            Self::Time(window) => {
                window.pass(now);
                window.sum
            }
        }
    }
}

impl Count {
    /// Whether nothing has failed and nothing was slow.
    pub(crate) const fn is_sound(self) -> bool {
        self.failed == 0 && self.slow == 0
    }

    fn add(&mut self, went: Went) {
        self.calls = self.calls.saturating_add(1);
        self.failed = self.failed.saturating_add(u32::from(went.failed));
        self.slow = self.slow.saturating_add(u32::from(went.slow));
    }

    fn take(&mut self, other: Self) {
        self.calls = self.calls.saturating_sub(other.calls);
        self.failed = self.failed.saturating_sub(other.failed);
        self.slow = self.slow.saturating_sub(other.slow);
    }
}

impl From<Went> for Count {
    fn from(went: Went) -> Self {
        let mut count = Self::default();
        count.add(went);
        count
    }
}

/// The last so many calls, in a ring.
#[derive(Debug)]
pub(crate) struct LastCalls {
    calls: Box<[Went]>,
    next: usize,
    sum: Count,
}

impl LastCalls {
    fn new(calls: u32) -> Self {
        Self { calls: vec![Went::default(); calls as usize].into(), next: 0, sum: Count::default() }
    }

    fn add(&mut self, went: Went) -> Count {
        let oldest = std::mem::replace(&mut self.calls[self.next], went);
        self.next = if self.next + 1 == self.calls.len() { 0 } else { self.next + 1 };
        if self.sum.calls as usize == self.calls.len() {
            self.sum.take(oldest.into());
        }
        self.sum.add(went);
        self.sum
    }

    fn add_successes(&mut self, calls: u32) {
        if !self.sum.is_sound() {
            (0..calls).for_each(|_| _ = self.add(Went::default()));
            return;
        }
        // The ring holds nothing else, and so stays as it is.
        let size = self.calls.len();
        self.next = (self.next + calls as usize) % size;
        let held = (self.sum.calls as usize + calls as usize).min(size);
        self.sum.calls = u32::try_from(held).unwrap_or(u32::MAX);
    }

    fn spares(&self) -> u32 {
        let size = u32::try_from(self.calls.len()).unwrap_or(u32::MAX);
        match size.saturating_sub(self.sum.calls) {
            // By then whatever is bad has left it.
            _ if !self.sum.is_sound() => size.min(AT_ONCE),
            0 => UNCOUNTED,
            room => room,
        }
    }
}

/// The calls of the last so long, in parts that leave as a whole.
#[derive(Debug)]
pub(crate) struct LastTime {
    part: Duration,
    parts: [Count; PARTS as usize],
    /// The part that is being filled, and when it began.
    current: usize,
    began: Instant,
    sum: Count,
}

impl LastTime {
    fn new(time: Duration, now: Instant) -> Self {
        let part = (time / PARTS).max(Duration::from_nanos(1));
        Self { part, parts: Default::default(), current: 0, began: now, sum: Count::default() }
    }

    fn add(&mut self, went: Went, now: Instant) -> Count {
        self.pass(now);
        self.parts[self.current].add(went);
        self.sum.add(went);
        self.sum
    }

    fn add_successes(&mut self, calls: u32) {
        let part = &mut self.parts[self.current];
        part.calls = part.calls.saturating_add(calls);
        self.sum.calls = self.sum.calls.saturating_add(calls);
    }

    /// Lets go what is too old. A reading from before the current part belongs to it.
    fn pass(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.began);
        if elapsed < self.part {
            return;
        }
        let passed = elapsed.as_nanos() / self.part.as_nanos();
        if passed >= u128::from(PARTS) {
            self.parts = Default::default();
            self.sum = Count::default();
            self.began = now;
            return;
        }
        for _ in 0..passed {
            self.current = (self.current + 1) % self.parts.len();
            let oldest = std::mem::take(&mut self.parts[self.current]);
            self.sum.take(oldest);
            self.began += self.part;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    fn went() -> impl Strategy<Value = Went> {
        (any::<bool>(), any::<bool>()).prop_map(|(failed, slow)| Went { failed, slow })
    }

    fn count<'a>(calls: impl IntoIterator<Item = &'a Went>) -> Count {
        let mut sum = Count::default();
        calls.into_iter().for_each(|went| sum.add(*went));
        sum
    }

    proptest! {
        #[test]
        fn the_last_calls_are_counted(size in 1_u32..20, calls in prop::collection::vec(went(), 0..200)) {
            let mut gauge = LastCalls::new(size);
            let mut model = VecDeque::new();
            for went in calls {
                model.push_back(went);
                if model.len() > size as usize {
                    model.pop_front();
                }
                prop_assert_eq!(gauge.add(went), count(&model));
            }
        }

        /// What is younger than nine tenths of the window is counted, what is older than the window is not.
        #[test]
        fn the_calls_of_the_last_time_are_counted(
            steps in prop::collection::vec((0_u64..400, went()), 0..200),
        ) {
            let start = Instant::now();
            let mut gauge = LastTime::new(Duration::from_secs(1), start);
            let (mut now, mut model) = (start, Vec::new());
            for (wait, went) in steps {
                now += Duration::from_millis(wait);
                model.push((now, went));
                let counted = gauge.add(went, now);
                let since = |age| {
                    let young = model.iter().filter(|(at, _)| now - *at < Duration::from_millis(age));
                    count(young.map(|(_, went)| went))
                };
                let (least, most) = (since(900), since(1_001));
                prop_assert!((least.calls..=most.calls).contains(&counted.calls));
                prop_assert!((least.failed..=most.failed).contains(&counted.failed));
                prop_assert!((least.slow..=most.slow).contains(&counted.slow));
            }
        }
    }

    #[test]
    fn a_window_of_the_longest_time_does_not_overflow() {
        let start = Instant::now();
        let mut gauge = LastTime::new(Duration::MAX, start);
        assert_eq!(gauge.add(Went::default(), start + Duration::from_secs(1 << 30)).calls, 1);
        let mut gauge = LastTime::new(Duration::from_nanos(1), start);
        assert_eq!(gauge.add(Went::default(), start + Duration::from_secs(1 << 30)).calls, 1);
    }
}
