//! First come, first served.

use std::collections::VecDeque;
use std::marker::PhantomData;

use dayfly_signal::{OperationId, Verdict};
use tokio::time::Instant;

use super::{Place, Queued, Schedule, Turn, put_back_into};
use crate::engine::Answer;

#[derive(Debug)]
pub(crate) struct Fifo<T, A = ()> {
    queue: VecDeque<Queued<T, ()>>,
    /// What comes after the queue: a buffer that was handed over as a whole costs no move until its turn has come.
    behind: VecDeque<Queued<T, ()>>,
    answers: PhantomData<fn(A)>,
}

impl<T, A> Fifo<T, A> {
    pub(crate) const fn new() -> Self {
        Self { queue: VecDeque::new(), behind: VecDeque::new(), answers: PhantomData }
    }
}

impl<T, A: Answer> Schedule for Fifo<T, A> {
    type Item = T;
    type Key = ();
    type Answer = A;

    fn push(&mut self, entry: Queued<T, ()>) -> Option<Queued<T, ()>> {
        self.behind.push_back(entry);
        None
    }

    fn push_all(&mut self, entries: &mut VecDeque<Queued<T, ()>>) -> Vec<Queued<T, ()>> {
        if self.behind.is_empty() {
            std::mem::swap(&mut self.behind, entries);
        } else {
            self.behind.append(entries);
        }
        Vec::new()
    }

    fn put_back(&mut self, entry: Queued<T, ()>) {
        put_back_into(&mut self.queue, entry);
    }

    fn most_at_once(&self) -> usize {
        usize::MAX
    }

    #[inline]
    fn next(&mut self, _: Instant, mut gate: impl FnMut(&Queued<T, ()>) -> Verdict) -> Option<Turn<T, ()>> {
        if self.queue.is_empty() {
            std::mem::swap(&mut self.queue, &mut self.behind);
        }
        match gate(self.queue.front()?) {
            Verdict::Deferred => None,
            gate => self.queue.pop_front().map(|entry| (entry, gate)),
        }
    }

    fn ended(&mut self, (): &(), _: Place) {}

    fn again(&mut self, (): &(), _: Place) {}

    fn gave_up(&mut self, (): &(), _: Place) {}

    fn due(&mut self, entry: Queued<T, ()>) -> Option<Queued<T, ()>> {
        // At the end: an item that is tried again at once, over and over, must not starve the others.
        self.behind.push_back(entry);
        None
    }

    fn reopen(&mut self) {}

    fn ready(&self) -> usize {
        self.len()
    }

    fn len(&self) -> usize {
        self.queue.len() + self.behind.len()
    }

    fn remove(&mut self, id: OperationId) -> Option<Queued<T, ()>> {
        [&mut self.queue, &mut self.behind].into_iter().find_map(|queue| {
            let at = queue.iter().position(|entry| entry.id == id)?;
            queue.remove(at)
        })
    }

    fn take_all(&mut self) -> Vec<Queued<T, ()>> {
        self.queue.append(&mut self.behind);
        std::mem::take(&mut self.queue).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(number: u64) -> Queued<u64, ()> {
        Queued {
            id: OperationId::from_u64(number).unwrap(),
            is_own_id: false,
            key: (),
            place: Place::default(),
            item: number,
            enqueued_at: Instant::now(),
            ready_at: Instant::now(),
            attempts: 0,
            claim: 0,
        }
    }

    #[test]
    fn what_two_workers_put_back_is_in_its_order_again() {
        let mut fifo = Fifo::<u64>::new();
        assert!((1..=6).all(|number| fifo.push(entry(number)).is_none()));
        let mut claim = |number| {
            let (next, _) = fifo.next(Instant::now(), |_| Verdict::Open).unwrap();
            Queued { claim: number, ..next }
        };
        let (first, second, third, fourth) = (claim(1), claim(2), claim(3), claim(4));
        for back in [fourth, first, third, second] {
            fifo.put_back(back);
        }
        // One that is claimed and put back once more keeps its number.
        let (again, _) = fifo.next(Instant::now(), |_| Verdict::Open).unwrap();
        fifo.put_back(again);
        let order: Vec<u64> = fifo.take_all().into_iter().map(|entry| entry.item).collect();
        assert_eq!(order, [1, 2, 3, 4, 5, 6]);
    }
}
