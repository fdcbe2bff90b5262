//! Calls and returns by time, from which an operation can be lifted and put back.

use super::history::Operation;

/// A call or a return of the operation of this number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event {
    Call(usize),
    Return(usize),
}

/// A doubly linked list over places. Place 0 is before the first event and after the last.
#[derive(Debug)]
pub(super) struct Events {
    all: Vec<Event>,
    next: Vec<usize>,
    previous: Vec<usize>,
    /// Of each operation, where its call and its return stand.
    places: Vec<(usize, Option<usize>)>,
}

impl Events {
    pub(super) fn new(operations: &[Operation]) -> Self {
        let calls = operations.iter().enumerate().map(|(at, operation)| (operation.called, Event::Call(at)));
        let returns = operations.iter().enumerate();
        let returns = returns.filter_map(|(at, operation)| Some((operation.returned?, Event::Return(at))));
        let mut timed: Vec<(u64, Event)> = calls.chain(returns).collect();
        // Of the same moment, calls come first: then more orders are possible.
        timed.sort_by_key(|(time, event)| (*time, matches!(event, Event::Return(_))));
        let mut places = vec![(0, None); operations.len()];
        for (at, (_, event)) in timed.iter().enumerate() {
            match event {
                Event::Call(operation) => places[*operation].0 = at + 1,
                Event::Return(operation) => places[*operation].1 = Some(at + 1),
            }
        }
        let size = timed.len() + 1;
        Self {
            all: timed.into_iter().map(|(_, event)| event).collect(),
            next: (0..size).map(|place| (place + 1) % size).collect(),
            previous: (0..size).map(|place| (place + size - 1) % size).collect(),
            places,
        }
    }

    pub(super) fn first(&self) -> Option<usize> {
        self.next(0)
    }

    pub(super) fn next(&self, place: usize) -> Option<usize> {
        Some(self.next[place]).filter(|next| *next != 0)
    }

    pub(super) fn event(&self, place: usize) -> Event {
        self.all[place - 1]
    }

    /// Takes the events of an operation out.
    pub(super) fn lift(&mut self, operation: usize) {
        let (call, end) = self.places[operation];
        self.take(call);
        if let Some(end) = end {
            self.take(end);
        }
    }

    /// Puts the events of the operation that was lifted last back, and gives what follows its call.
    pub(super) fn unlift(&mut self, operation: usize) -> Option<usize> {
        let (call, end) = self.places[operation];
        if let Some(end) = end {
            self.put_back(end);
        }
        self.put_back(call);
        self.next(call)
    }

    fn take(&mut self, place: usize) {
        let (previous, next) = (self.previous[place], self.next[place]);
        self.next[previous] = next;
        self.previous[next] = previous;
    }

    fn put_back(&mut self, place: usize) {
        let (previous, next) = (self.previous[place], self.next[place]);
        self.next[previous] = place;
        self.previous[next] = place;
    }
}
