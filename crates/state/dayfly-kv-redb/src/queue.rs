//! Where operations wait for the committer.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;

use crate::operation::Operation;

/// Where operations wait for the committer: so many in the queue, the others before it.
///
/// What is in the queue is done, also when nobody waits for it any more. What is before it leaves with whoever waits for
/// it, so nothing is kept that no living future asks for. It enters by itself: nobody has to be polled for it, and so a
/// future that is not polled for a while holds nobody up.
#[derive(Debug)]
pub(crate) struct Queue {
    capacity: usize,
    state: Mutex<State>,
    is_something: Condvar,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Operation>,
    before: BTreeMap<u64, Operation>,
    next_ticket: u64,
    is_closed: bool,
}

/// The place of an operation. Dropping it takes the operation back, if it has not got into the queue.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    queue: &'a Queue,
    ticket: Option<u64>,
}

impl Queue {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default(), is_something: Condvar::new() }
    }

    /// Gives an operation a place; `None` when the queue is closed.
    pub(crate) fn push(&self, operation: Operation) -> Option<Place<'_>> {
        let mut state = self.locked();
        if state.is_closed {
            return None;
        }
        let ticket = if state.queue.len() < self.capacity {
            state.queue.push_back(operation);
            None
        } else {
            let ticket = state.next_ticket;
            state.next_ticket += 1;
            state.before.insert(ticket, operation);
            Some(ticket)
        };
        drop(state);
        self.is_something.notify_one();
        Some(Place { queue: self, ticket })
    }

    /// Takes what is in the queue and lets in what is before it. Waits for something, until this time at most. False when
    /// nothing is left and nothing will come.
    pub(crate) fn take(&self, taken: &mut VecDeque<Operation>, until: Option<Instant>) -> bool {
        let mut state = self.locked();
        loop {
            if !state.queue.is_empty() {
                taken.extend(state.queue.drain(..));
                while state.queue.len() < self.capacity
                    && let Some((_, operation)) = state.before.pop_first()
                {
                    state.queue.push_back(operation);
                }
                return true;
            }
            if state.is_closed {
                return false;
            }
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            state = match left {
                Some(left) if left.is_zero() => return true,
                Some(left) => {
                    let waited = self.is_something.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => self.is_something.wait(state).unwrap_or_else(PoisonError::into_inner),
            };
        }
    }

    /// Nothing more comes in. What is there is still taken.
    pub(crate) fn close(&self) {
        self.locked().is_closed = true;
        self.is_something.notify_one();
    }

    /// Nothing panics under the lock, so what a poisoned one guards is whole.
    fn locked(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            // Its value is somebody else's, and is dropped without the lock.
            let back = self.queue.locked().before.remove(&ticket);
            drop(back);
        }
    }
}
