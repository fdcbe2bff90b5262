//! First come, first served.

use std::collections::VecDeque;

use dayfly_signal::OperationId;
use tokio::time::Instant;

use super::{Place, Queued, Schedule, Turn};
use crate::gate::Gate;

#[derive(Debug)]
pub(crate) struct Fifo<T> {
    queue: VecDeque<Queued<T, ()>>,
}

impl<T> Fifo<T> {
    pub(crate) const fn new() -> Self {
        Self { queue: VecDeque::new() }
    }
}

impl<T> Schedule for Fifo<T> {
    type Item = T;
    type Key = ();

    fn push(&mut self, entry: Queued<T, ()>) {
        self.queue.push_back(entry);
    }

    fn push_all(&mut self, entries: &mut VecDeque<Queued<T, ()>>) {
        if self.queue.is_empty() {
            std::mem::swap(&mut self.queue, entries);
        } else {
            self.queue.append(entries);
        }
    }

    fn put_back(&mut self, entry: Queued<T, ()>) {
        self.queue.push_front(entry);
    }

    fn most_at_once(&self) -> usize {
        usize::MAX
    }

    fn next(&mut self, _: Instant, mut gate: impl FnMut(&Queued<T, ()>) -> Gate) -> Option<Turn<T, ()>> {
        match gate(self.queue.front()?) {
            Gate::Deferred => None,
            gate => self.queue.pop_front().map(|entry| (entry, gate)),
        }
    }

    fn ended(&mut self, (): &(), _: Place) {}

    fn again(&mut self, (): &(), _: Place) {}

    fn gave_up(&mut self, (): &(), _: Place) {}

    fn due(&mut self, entry: Queued<T, ()>) {
        // At the end: an item that is tried again at once, over and over, must not starve the others.
        self.queue.push_back(entry);
    }

    fn reopen(&mut self) {}

    fn ready(&self) -> usize {
        self.queue.len()
    }

    fn len(&self) -> usize {
        self.queue.len()
    }

    fn remove(&mut self, id: OperationId) -> Option<Queued<T, ()>> {
        let at = self.queue.iter().position(|entry| entry.id == id)?;
        self.queue.remove(at)
    }

    fn take_all(&mut self) -> Vec<Queued<T, ()>> {
        std::mem::take(&mut self.queue).into()
    }
}
