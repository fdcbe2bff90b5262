//! Who starts next. Schedules are plain structs: no clock, no lock, no task.

mod fifo;
mod keyed;
mod keys;
#[cfg(test)]
mod model;
mod priority;

use std::collections::VecDeque;

use dayfly_signal::{OperationId, Verdict};
use tokio::time::Instant;

pub(crate) use fifo::Fifo;
pub(crate) use keyed::{Keyed, KeyedRules, Weight};
pub(crate) use priority::Priority;

use crate::engine::Answer;

/// An accepted operation that is not running.
#[derive(Debug)]
pub(crate) struct Queued<T, K> {
    pub(crate) id: OperationId,
    /// Whether the caller brought the id.
    pub(crate) is_own_id: bool,
    pub(crate) key: K,
    pub(crate) place: Place,
    pub(crate) item: T,
    pub(crate) enqueued_at: Instant,
    /// Since when it is in the queue: it was accepted, or the time of its next attempt had come.
    pub(crate) ready_at: Instant,
    /// Attempts that have started.
    pub(crate) attempts: u32,
    /// The number of the claim that took it out first since it came in; 0 before. Claims are made in the order of the
    /// queue, so what comes back unstarted finds its place by it, whichever worker brings it.
    pub(crate) claim: u64,
}

/// Where the work of a key is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// The lane that the item was handed into, 0 being the highest.
    pub(crate) lane: usize,
    /// One of its own for each key that has work, so that a key is looked up once for each operation.
    pub(crate) key: usize,
}

/// An operation whose turn it is, with what its gate says.
pub(crate) type Turn<T, K> = (Queued<T, K>, Verdict);

/// An order of starts.
pub(crate) trait Schedule {
    type Item;
    type Key;
    /// What is told to whoever waits for one operation; `()` where nobody does.
    type Answer: Answer;

    /// Takes in an operation that was just accepted.
    fn push(&mut self, entry: Queued<Self::Item, Self::Key>);

    /// Takes in operations that were just accepted, in their order.
    fn push_all(&mut self, entries: &mut VecDeque<Queued<Self::Item, Self::Key>>) {
        entries.drain(..).for_each(|entry| self.push(entry));
    }

    /// Takes back an operation that was next and has not started. What was next before it is taken back after it.
    fn put_back(&mut self, entry: Queued<Self::Item, Self::Key>);

    /// How many operations may be next before the first of them has started.
    fn most_at_once(&self) -> usize {
        1
    }

    /// The operation whose turn it is; never one that is deferred. Its place of its key is taken until
    /// [`ended`](Self::ended) or [`again`](Self::again).
    fn next(
        &mut self,
        now: Instant,
        gate: impl FnMut(&Queued<Self::Item, Self::Key>) -> Verdict,
    ) -> Option<Turn<Self::Item, Self::Key>>;

    /// An operation of this key has ended.
    fn ended(&mut self, key: &Self::Key, place: Place);

    /// An operation of this key waits for its next attempt.
    fn again(&mut self, key: &Self::Key, place: Place);

    /// An operation of this key that waited for its next attempt has ended instead.
    fn gave_up(&mut self, key: &Self::Key, place: Place);

    /// The time of an operation's next attempt has come.
    fn due(&mut self, entry: Queued<Self::Item, Self::Key>);

    /// Gates have changed: what was deferred is looked at again.
    fn reopen(&mut self);

    /// Tells the places of keys that have no work here any more.
    fn take_released(&mut self, _: &mut Vec<usize>) {}

    /// Nobody is left who could lift the pauses that were made by hand.
    fn lift_pauses(&mut self) {}

    /// How many operations could start now if gates and limits allowed it; at least 1 when any could.
    fn ready(&self) -> usize;

    /// How many operations wait here.
    fn len(&self) -> usize;

    /// Takes one operation out.
    fn remove(&mut self, id: OperationId) -> Option<Queued<Self::Item, Self::Key>>;

    /// Takes every operation out.
    fn take_all(&mut self) -> Vec<Queued<Self::Item, Self::Key>>;
}

/// Puts an operation that has not started where it was: behind those that were claimed before it.
fn put_back_into<T, K>(queue: &mut VecDeque<Queued<T, K>>, entry: Queued<T, K>) {
    let place = queue.iter().take_while(|other| was_claimed_before(other, &entry)).count();
    queue.insert(place, entry);
}

/// Whether an operation in the queue has been put back that was claimed before this one.
fn was_claimed_before<T, K>(other: &Queued<T, K>, entry: &Queued<T, K>) -> bool {
    other.claim != 0 && other.claim < entry.claim
}
