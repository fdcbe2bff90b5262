//! The pure part of a counter: which of the history's events it counts at a given moment.

use std::collections::VecDeque;

use crate::clock::{NEVER, Ticks};
use crate::published::Figure;

/// The raises a counter has seen, oldest first. Never longer than the history, whose events it names.
#[derive(Debug)]
pub(crate) struct CountWindow {
    within: Ticks,
    seen: VecDeque<(u64, Ticks)>,
}

impl CountWindow {
    pub(crate) const fn new(within: Ticks) -> Self {
        Self { within, seen: VecDeque::new() }
    }

    /// Counts a raise that happens now.
    pub(crate) fn push(&mut self, id: u64, at: Ticks) {
        // What has left goes first, so that its room is used again.
        self.trim(at, 0);
        self.seen.push_back((id, at));
    }

    /// Drops what the history no longer shows and what is not within the window any more.
    pub(crate) fn trim(&mut self, now: Ticks, oldest_in_history: u64) {
        while let Some(&(id, at)) = self.seen.front() {
            if id >= oldest_in_history && now.saturating_sub(at) < self.within {
                return;
            }
            self.seen.pop_front();
        }
    }

    pub(crate) fn retain(&mut self, keep: impl Fn(u64) -> bool) {
        self.seen.retain(|&(id, _)| keep(id));
    }

    pub(crate) fn len(&self) -> usize {
        self.seen.len()
    }

    /// The count, and until when it holds if the history drops nothing before it is `max_age` old.
    pub(crate) fn figure(&self, max_age: Ticks) -> Figure {
        let oldest = self.seen.front();
        let until = oldest.map_or(NEVER, |&(_, at)| at.saturating_add(self.within.min(max_age)));
        Figure { count: self.seen.len(), until }
    }

    /// The moment of the newest raise for 1, of the one before it for 2, and so on.
    pub(crate) fn nth_newest(&self, n: usize) -> Option<Ticks> {
        let at = self.seen.len().checked_sub(n)?;
        self.seen.get(at).map(|&(_, at)| at)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Push,
        Advance(Ticks),
        Forget(usize),
        Trim,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            3 => Just(Step::Push),
            3 => (0..6_u64).prop_map(Step::Advance),
            1 => (0..3_usize).prop_map(Step::Forget),
            2 => Just(Step::Trim),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The naive model keeps every raise and looks at all of them. A figure is right at every moment before its end,
        /// and at its end it is not.
        #[test]
        fn a_figure_holds_until_its_end(
            within in 0..9_u64,
            max_age in 1..9_u64,
            steps in prop::collection::vec(step(), 1..60),
        ) {
            let (mut window, mut all, mut now, mut oldest) = (CountWindow::new(within), Vec::new(), 0, 0);
            for step in steps {
                match step {
                    Step::Push => {
                        all.push(now);
                        window.push(all.len() as u64 - 1, now);
                    }
                    Step::Advance(by) => now += by,
                    Step::Forget(events) => oldest = all.len().min(oldest + events),
                    Step::Trim => {}
                }
                // The history drops what is too old before anybody looks.
                oldest = all.iter().position(|at| now - at < max_age).map_or(all.len(), |young| young.max(oldest));
                window.trim(now, oldest as u64);
                let count = |at: Ticks| {
                    all[oldest..].iter().filter(|raised| at - **raised < within.min(max_age)).count()
                };
                let figure = window.figure(max_age);
                prop_assert_eq!(figure.count, count(now));
                prop_assert!(figure.until > now);
                if figure.until != NEVER {
                    prop_assert_eq!(count(figure.until - 1), figure.count);
                    prop_assert!(count(figure.until) < figure.count);
                }
            }
        }
    }
}
