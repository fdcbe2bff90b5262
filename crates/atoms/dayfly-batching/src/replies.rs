//! Who waits for an item's outcome: a table whose places are reused, each under a generation of its own, so that whoever
//! comes too late finds nobody.

use std::sync::Arc;
use std::task::{Poll, Waker};

use crate::state::Place;

/// Places that are kept free; a table that is empty otherwise gives the memory back.
const KEPT: usize = 1_024;

/// What an item's handling came to.
#[derive(Debug)]
pub(crate) enum Reply<V, E> {
    Done(V),
    Failed(Arc<E>),
    Panicked,
    Miscounted { items: usize, answers: usize },
    Cancelled,
}

/// Somebody who waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    at: usize,
    generation: u64,
}

pub(crate) struct Replies<V, E> {
    places: Vec<Waiting<V, E>>,
    free: Vec<usize>,
    generations: u64,
}

struct Waiting<V, E> {
    /// Absent while the place is free.
    generation: Option<u64>,
    waker: Option<Waker>,
    reply: Option<Reply<V, E>>,
    /// Where the item is.
    place: Option<Place>,
}

/// What is left of somebody who does not wait any more, to be dropped where no lock is held.
pub(crate) struct Gone<V, E> {
    pub(crate) _waker: Option<Waker>,
    pub(crate) reply: Option<Reply<V, E>>,
    pub(crate) place: Option<Place>,
}

impl<V, E> Replies<V, E> {
    pub(crate) const fn new() -> Self {
        Self { places: Vec::new(), free: Vec::new(), generations: 0 }
    }

    pub(crate) fn join(&mut self, waker: Waker) -> Token {
        self.generations += 1;
        let generation = self.generations;
        let waiting = Waiting { generation: Some(generation), waker: Some(waker), reply: None, place: None };
        let at = if let Some(at) = self.free.pop() {
            self.places[at] = waiting;
            at
        } else {
            self.places.push(waiting);
            self.places.len() - 1
        };
        Token { at, generation }
    }

    pub(crate) fn set_place(&mut self, token: Token, place: Place) {
        if let Some(waiting) = self.find(token) {
            waiting.place = Some(place);
        }
    }

    /// Answers, and says who is to be woken. An answer that nobody waits for stays, for the caller to drop.
    pub(crate) fn answer(&mut self, token: Token, reply: &mut Option<Reply<V, E>>) -> Option<Waker> {
        let waiting = self.find(token)?;
        if waiting.reply.is_none() {
            waiting.reply = reply.take();
        }
        waiting.waker.take()
    }

    /// The answer, with which the wait ends. A waker that is not needed any more is `replaced`.
    pub(crate) fn poll(
        &mut self,
        token: Token,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<Reply<V, E>> {
        let Some(waiting) = self.find(token) else { return Poll::Ready(Reply::Cancelled) };
        if let Some(reply) = waiting.reply.take() {
            *replaced = waiting.waker.take();
            self.free(token.at);
            return Poll::Ready(reply);
        }
        if !waiting.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            *replaced = waiting.waker.replace(waker.clone());
        }
        Poll::Pending
    }

    /// Ends the wait.
    pub(crate) fn leave(&mut self, token: Token) -> Option<Gone<V, E>> {
        let waiting = self.find(token)?;
        let gone = Gone { _waker: waiting.waker.take(), reply: waiting.reply.take(), place: waiting.place };
        self.free(token.at);
        Some(gone)
    }

    fn find(&mut self, token: Token) -> Option<&mut Waiting<V, E>> {
        self.places.get_mut(token.at).filter(|waiting| waiting.generation == Some(token.generation))
    }

    fn free(&mut self, at: usize) {
        self.places[at].generation = None;
        self.free.push(at);
        if self.free.len() == self.places.len() && self.places.len() > KEPT {
            // The generations go on, so tokens of the old table stay invalid.
            (self.places, self.free) = (Vec::new(), Vec::new());
        }
    }
}
