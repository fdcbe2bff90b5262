//! What readers see of the state: signals built from what the history keeps, raised names, counts by walking.

use std::time::Duration;

use crate::clock::ticks;
use crate::history::Record;
use crate::state::State;
use crate::{PatternSet, Query, Raised, Signal, SignalId};

impl State {
    /// The event of a record as readers see it.
    pub(crate) fn signal(&self, record: &Record) -> Signal {
        record.signal(&self.topics.get(record.topic).label, self.id, self.clock.origin())
    }

    /// The events with these ids that the history still shows, in this order.
    pub(crate) fn events(&self, ids: &[SignalId]) -> impl Iterator<Item = Signal> {
        ids.iter().filter_map(|id| self.history.get(id.0)).map(|record| self.signal(record))
    }

    /// The newest event. The history always shows it: its capacity is at least 1, and no event is born too old.
    pub(crate) fn newest_signal(&self) -> Signal {
        let newest = self.history.newest().map(|record| self.signal(record));
        newest.unwrap_or_else(|| unreachable!("an event was just recorded"))
    }

    /// The events that a query means, oldest first.
    pub(crate) fn shown(&self, query: &Query) -> impl Iterator<Item = &Record> {
        let means = |record: &&Record| {
            let label = &self.topics.get(record.topic).label;
            query.means(label, record.operation, || self.clock.origin().instant(record.at))
        };
        self.history.after(query.first()).filter(means)
    }

    pub(crate) fn raised(&self, patterns: &PatternSet) -> Vec<Raised> {
        let meant = self.topics.iter().filter(|(_, topic)| patterns.matches(&topic.label.name));
        let raised = meant.filter_map(|(_, topic)| {
            let newest = topic.raised()?;
            let ages_from = topic.ages_from().map(|at| self.clock.origin().instant(at));
            // An age that reaches beyond the clock's range never ends.
            let expires_at = ages_from.and_then(|at| at.checked_add(self.options.max_age));
            Some(Raised { label: topic.label.clone(), newest, count: topic.raises(), expires_at })
        });
        raised.collect()
    }

    /// Counts raises by walking the events of the topics that are meant, and no others.
    pub(crate) fn count(&self, patterns: &PatternSet, within: Duration) -> usize {
        let meant = self.topics.iter().filter(|(_, topic)| patterns.matches(&topic.label.name));
        meant.map(|(_, topic)| self.count_from(topic.newest_event, within)).sum()
    }

    fn count_from(&self, newest: u64, within: Duration) -> usize {
        let (now, within) = (self.clock.now(), ticks(within));
        let next = |id| self.history.get(id).filter(|record| now - record.at < within);
        std::iter::successors(next(newest), |record| next(record.before)).count()
    }
}
