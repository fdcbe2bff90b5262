//! Clearing: events go from the middle of the history, and raises are taken back without an event each.

use crate::history::Record;
use crate::interest::{Interested, Wakes};
use crate::signal::Label;
use crate::state::{Raise, State};
use crate::topics::TopicKey;
use crate::{OperationId, SignalKind};

impl State {
    /// Removes the events and takes all raises of the names back that `means` picks.
    /// What remains is one `sink.cleared` event that carries the number removed.
    pub(crate) fn clear(&mut self, means: impl Fn(&str) -> bool, wakes: &mut Wakes) -> usize {
        let chosen = self.topics.iter().filter(|(_, topic)| means(&topic.label.name));
        let chosen: Vec<TopicKey> = chosen.map(|(key, _)| key).collect();
        let mut lowered = false;
        for topic in chosen {
            lowered |= self.lower(topic, wakes);
        }
        self.remove(|_, label| means(&label.name), lowered, wakes)
    }

    /// Removes the events of one operation and takes the raises back that it added.
    pub(crate) fn clear_operation(&mut self, operation: OperationId, wakes: &mut Wakes) -> usize {
        let mut lowered = false;
        for entry in self.ledgers.take_all(operation) {
            if self.topics.epoch(entry.topic) != entry.epoch {
                continue;
            }
            self.topics.pin(entry.topic);
            if self.topics.take_back(entry.topic, entry.epoch, entry.raises) {
                self.tell_watches(entry.topic, wakes);
                lowered = true;
            }
            self.topics.unpin(entry.topic);
        }
        self.remove(|record, _| record.operation == Some(operation), lowered, wakes)
    }

    fn remove(&mut self, goes: impl Fn(&Record, &Label) -> bool, lowered: bool, wakes: &mut Wakes) -> usize {
        let topics = &self.topics;
        let gone = self.history.remove(|record| goes(record, &topics.get(record.topic).label));
        if gone.is_empty() && !lowered {
            return 0;
        }
        for record in &gone {
            self.topics.unpin(record.topic);
        }
        self.relink();
        let cleared = self.topic("sink.cleared", None);
        let payload = gone.len().to_string();
        self.raise(Raise::root(cleared, Some(&payload)), wakes);
        gone.len()
    }

    /// After a removal from the middle: walks and counters must not meet what is gone.
    fn relink(&mut self) {
        for topic in self.topics.iter_mut() {
            topic.newest_event = 0;
        }
        let topics = &mut self.topics;
        self.history.relink(|record| match record.kind {
            SignalKind::Raised => {
                std::mem::replace(&mut topics.get_mut(record.topic).newest_event, record.id.0)
            }
            SignalKind::Retracted => 0,
        });
        for (_, interest) in &mut self.interests {
            if let Interested::Counter(tally) = &mut interest.of {
                tally.window.retain(|id| self.history.get(id).is_some());
                tally.publish(self.max_age);
            }
        }
    }
}
