//! Where somebody stands in a line.

use std::time::Duration;

use crate::request::Priority;

/// A place in every line that its owner stands in: the smaller comes first, and no two are equal.
///
/// A class costs its lead. Whoever comes at `t` stands as if it had come at `t` plus one lead for each class below the
/// highest, so it is overtaken only by those of a higher class that come less than so much later. That is ageing
/// without anything that has to be moved while time goes by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    nanos: u128,
    ticket: u64,
}

/// Hands out places.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    lead: u128,
    latest: Duration,
    tickets: u64,
}

/// A lead that nobody makes up for: the nanoseconds of 584 years.
const FOR_EVER: u128 = u64::MAX as u128;

impl Places {
    /// Places of classes that are so far apart, or as far as can be.
    pub(crate) fn new(age_after: Option<Duration>) -> Self {
        Self { lead: lead(age_after), latest: Duration::ZERO, tickets: 0 }
    }

    /// Those who come from now on are so far apart.
    pub(crate) fn set_age_after(&mut self, age_after: Option<Duration>) {
        self.lead = lead(age_after);
    }

    /// The place of whoever comes now, so long after the beginning. Clocks that were read on two threads may come in the
    /// wrong order; places of one class are in the order of coming all the same.
    pub(crate) fn next(&mut self, priority: Priority, since: Duration) -> Place {
        self.latest = self.latest.max(since);
        self.tickets += 1;
        let below = match priority {
            Priority::High => 0,
            Priority::Normal => 1,
            Priority::Low => 2,
        };
        Place { nanos: self.latest.as_nanos() + below * self.lead, ticket: self.tickets }
    }
}

fn lead(age_after: Option<Duration>) -> u128 {
    age_after.map_or(FOR_EVER, |age| age.as_nanos().min(FOR_EVER))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_class_is_passed_by_those_above_that_come_within_its_lead() {
        let mut places = Places::new(Some(SECOND));
        let low = places.next(Priority::Low, Duration::ZERO);
        let normal = places.next(Priority::Normal, SECOND / 2);
        let high = places.next(Priority::High, SECOND);
        assert!(high < normal && normal < low);
        let late = places.next(Priority::High, 3 * SECOND);
        assert!(low < late);
    }

    #[test]
    fn without_ageing_the_class_decides_for_ever() {
        let mut places = Places::new(None);
        let low = places.next(Priority::Low, Duration::ZERO);
        assert!(places.next(Priority::High, Duration::from_secs(3_600 * 24 * 365 * 100)) < low);
        let mut longest = Places::new(Some(Duration::MAX));
        let low = longest.next(Priority::Low, Duration::MAX);
        assert!(longest.next(Priority::High, Duration::ZERO) < low);
    }

    #[test]
    fn within_a_class_it_is_the_order_of_coming_whatever_the_clock_says() {
        let mut places = Places::new(Some(SECOND));
        let first = places.next(Priority::Normal, SECOND);
        assert!(first < places.next(Priority::Normal, Duration::ZERO));
    }
}
