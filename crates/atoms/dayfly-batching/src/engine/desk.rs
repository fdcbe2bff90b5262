//! What lies under the lock: the batches, the room, those who wait, and the workers that have nothing to do.

mod ending;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use super::entering::Refused;
use super::todo::Todo;
use crate::batch_rules::Sameness;
use crate::replies::{Gone, Replies, Reply, Token};
use crate::room::{NoRoom, Room, Ticket};
use crate::state::{Claim, Entry, Manner, State};
use crate::{BatcherOptions, Stats};

pub(crate) struct Desk<T, K, V, E> {
    state: State<T, K>,
    room: Room,
    replies: Replies<V, E>,
    /// Workers that have nothing to do, and how to wake them.
    idle: Vec<(u64, Waker)>,
    workers: usize,
    /// Of the workers, those that were called and have not looked yet.
    called: usize,
    /// When the keeper comes by itself.
    keeper_comes: Option<Instant>,
    grace: Duration,
    /// Present from the cancellation on.
    cancelled: Option<Cancelled>,
    is_over: bool,
    /// The runtime shuts down: whatever is started now is dropped at once.
    is_abandoned: bool,
    figures: Stats,
    is_keyed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Cancelled {
    /// When handlers are dropped that have not ended; absent when that is too far off to be said.
    kill_at: Option<Instant>,
}

/// An item on its way in, with what has been asked of it.
pub(crate) struct Offer<T, K> {
    pub(crate) key: K,
    pub(crate) hash: u64,
    pub(crate) item: T,
    pub(crate) weight: u64,
    pub(crate) ends: bool,
    pub(crate) identity: Option<u64>,
}

/// Why an item could not go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Why {
    Room(NoRoom),
    TooHeavy,
}

/// What the keeper finds.
pub(super) enum Next {
    /// Nothing more will come.
    Over,
    /// The grace is over.
    Kill,
    Wait(Option<Instant>),
}

impl<T, K: Eq, V, E> Desk<T, K, V, E> {
    pub(super) fn new(options: &BatcherOptions, manner: Manner) -> Self {
        Self {
            state: State::new(options.clone(), manner),
            room: Room::new(options.capacity()),
            replies: Replies::new(),
            idle: Vec::new(),
            workers: 0,
            called: 0,
            keeper_comes: None,
            grace: options.cancel_grace,
            cancelled: None,
            is_over: false,
            is_abandoned: false,
            figures: Stats::default(),
            is_keyed: manner.is_serial,
        }
    }

    /// Takes an item in that changes nothing for anybody, and returns its key; otherwise the item comes back.
    #[inline]
    pub(super) fn offer_quickly(
        &mut self,
        offer: Offer<T, K>,
        waiting: Option<&Context<'_>>,
    ) -> Result<(Option<Token>, K), Offer<T, K>> {
        if offer.ends || offer.identity.is_some() || !self.room.has_room() {
            return Err(offer);
        }
        let Some(open) = self.state.find_quickly(offer.hash, &offer.key, offer.weight) else {
            return Err(offer);
        };
        let token = waiting.map(|context| self.replies.join(context.waker().clone()));
        let place = self.state.put_quickly(open, offer.item, offer.weight, token);
        if let Some((token, place)) = token.zip(place) {
            self.replies.set_place(token, place);
        }
        self.room.take();
        self.figures.accepted += 1;
        Ok((token, offer.key))
    }

    /// Takes an item in if there is room now.
    pub(super) fn offer(
        &mut self,
        offer: Offer<T, K>,
        waiting: Option<&Context<'_>>,
        sameness: Option<&Sameness<T, V>>,
        todo: &mut Todo<T, K>,
    ) -> Result<Option<Token>, Refused<T, K>> {
        self.enter(offer, false, waiting, sameness, todo)
    }

    /// Joins the line for room.
    pub(super) fn join(&mut self, context: &Context<'_>) -> Ticket {
        self.room.join(context.waker().clone())
    }

    /// Takes the item in once its ticket has room.
    pub(super) fn poll_line(
        &mut self,
        ticket: Ticket,
        context: &Context<'_>,
        replaced: &mut Option<Waker>,
    ) -> Poll<Result<(), NoRoom>> {
        self.room.poll(ticket, context.waker(), replaced)
    }

    /// Takes an item in that has room.
    pub(super) fn enter_with_room(
        &mut self,
        offer: Offer<T, K>,
        waiting: Option<&Context<'_>>,
        sameness: Option<&Sameness<T, V>>,
        todo: &mut Todo<T, K>,
    ) -> Result<Option<Token>, Refused<T, K>> {
        // Comparing is foreign. Its panic is the producer's, and the room is not.
        let entered = catch_unwind(AssertUnwindSafe(|| self.enter(offer, true, waiting, sameness, todo)));
        if !matches!(entered, Ok(Ok(_))) {
            self.room.leave(1, &mut todo.wakers);
        }
        entered.unwrap_or_else(|panic| resume_unwind(panic))
    }

    pub(super) fn give_up(&mut self, ticket: Ticket, todo: &mut Todo<T, K>) {
        self.room.give_up(ticket, &mut todo.wakers);
    }

    fn enter(
        &mut self,
        offer: Offer<T, K>,
        has_room: bool,
        waiting: Option<&Context<'_>>,
        sameness: Option<&Sameness<T, V>>,
        todo: &mut Todo<T, K>,
    ) -> Result<Option<Token>, Refused<T, K>> {
        if self.room.is_closed() {
            return Err(Refused { why: Why::Room(NoRoom::Closed), offer });
        }
        if self.state.is_too_heavy(offer.weight) {
            return Err(Refused { why: Why::TooHeavy, offer });
        }
        let is_same = |own: &T| sameness.is_some_and(|sameness| (sameness.is_same)(own, &offer.item));
        let look = self.state.look(offer.hash, &offer.key, offer.identity, is_same);
        if look.joins() && has_room {
            self.room.leave(1, &mut todo.wakers);
        } else if !look.joins()
            && !has_room
            && let Err(why) = self.room.enter()
        {
            self.state.make_room();
            self.dispatch(todo);
            return Err(Refused { why: Why::Room(why), offer });
        }
        let Offer { key, hash, item, weight, ends, identity } = offer;
        let token = waiting.map(|context| self.replies.join(context.waker().clone()));
        let mut key = Some(key);
        let entry = Entry { key: &mut key, hash, item, weight, ends, identity, token };
        let put = self.state.put(entry, look, Instant::now);
        if let Some(token) = token {
            self.replies.set_place(token, put.place);
        }
        self.figures.accepted += 1;
        self.figures.coalesced += u64::from(put.surplus.is_some());
        todo.dropped.extend(put.surplus);
        todo.drop_key(key);
        if let Some(deadline) = put.deadline
            && self.keeper_comes.is_none_or(|comes| deadline < comes)
        {
            self.keeper_comes = Some(deadline);
            todo.tells_keeper = true;
        }
        self.dispatch(todo);
        Ok(token)
    }

    pub(super) fn poll_reply(
        &mut self,
        token: Token,
        waker: &Waker,
        replaced: &mut Option<Waker>,
    ) -> Poll<Reply<V, E>> {
        self.replies.poll(token, waker, replaced)
    }

    /// Somebody does not wait any more: the item goes too, if nobody else wants it and no handler has it.
    pub(super) fn leave(&mut self, token: Token, todo: &mut Todo<T, K>) -> Option<Gone<V, E>> {
        let gone = self.replies.leave(token)?;
        if gone.reply.is_none()
            && let Some((item, key)) = gone.place.and_then(|place| self.state.withdraw(place))
        {
            if item.is_some() {
                self.figures.withdrawn += 1;
                self.room.leave(1, &mut todo.wakers);
            }
            todo.dropped.extend(item);
            todo.drop_key(key);
            todo.has_progressed = true;
            self.dispatch(todo);
            self.look_for_the_end(todo);
        }
        Some(gone)
    }

    /// Calls as many workers as there is something to do for.
    fn dispatch(&mut self, todo: &mut Todo<T, K>) {
        if self.room.is_stuck() {
            // A batch that waits for more would wait for those who wait for room.
            self.state.make_room();
        }
        let wanted = self.state.claimable();
        while self.called < wanted {
            if let Some((_, waker)) = self.idle.pop() {
                todo.wake(waker);
            } else if self.workers < self.state.max_in_flight() && !self.is_abandoned {
                self.workers += 1;
                todo.starts += 1;
            } else {
                return;
            }
            self.called += 1;
        }
    }

    /// A worker that was called or has ended a batch looks for the next one, and hears whether that is cancelled. Without
    /// one it rests, or leaves if it is told `None`.
    pub(super) fn look(
        &mut self,
        worker: u64,
        was_resting: &mut bool,
        claim: &mut Claim<T>,
        waker: &Waker,
        todo: &mut Todo<T, K>,
    ) -> Poll<Option<bool>> {
        if std::mem::take(was_resting) {
            self.rise(worker, todo);
        }
        if self.state.claim(claim) {
            self.figures.handling += claim.items.len() as u64;
            self.room.leave(claim.items.len(), &mut todo.wakers);
            // One that was called may find that somebody else was quicker, so whoever goes looks for those who wait.
            self.dispatch(todo);
            return Poll::Ready(Some(self.cancelled.is_some()));
        }
        if self.is_over || self.workers > self.state.max_in_flight() {
            self.workers -= 1;
            return Poll::Ready(None);
        }
        self.idle.push((worker, waker.clone()));
        *was_resting = true;
        Poll::Pending
    }

    /// The worker rests no more, be it that it was called or that it was woken for nothing.
    fn rise(&mut self, worker: u64, todo: &mut Todo<T, K>) {
        match self.idle.iter().rposition(|(idle, _)| *idle == worker) {
            Some(at) => todo.spent = Some(self.idle.swap_remove(at).1),
            None => self.called -= 1,
        }
    }

    /// A worker is gone that did not end by itself.
    pub(super) fn lose(&mut self, worker: u64, was_resting: bool, todo: &mut Todo<T, K>) {
        if was_resting {
            self.rise(worker, todo);
        }
        self.workers -= 1;
    }

    /// Tells everybody who waits for these items.
    pub(super) fn answer(&mut self, replies: &mut [(Token, Option<Reply<V, E>>)], todo: &mut Todo<T, K>) {
        for (token, reply) in replies {
            todo.wakers.extend(self.replies.answer(*token, reply));
        }
    }

    /// A batch has ended.
    pub(super) fn finish(&mut self, claim: &Claim<T>, counts: Counts, todo: &mut Todo<T, K>) {
        todo.drop_key(self.state.finish(claim));
        let figures = &mut self.figures;
        figures.handling -= counts.completed + counts.failed + counts.cancelled;
        figures.completed += counts.completed;
        figures.failed += counts.failed;
        figures.cancelled += counts.cancelled;
        figures.flushed_batches += u64::from(counts.failed + counts.cancelled == 0);
        figures.failed_batches += u64::from(counts.failed > 0);
        todo.has_progressed = true;
        // The worker that ended it looks for the next one by itself, and calls others if there are more.
        self.look_for_the_end(todo);
    }

    pub(super) fn stats(&self) -> Stats {
        Stats {
            queued: self.state.items() as u64,
            in_flight: self.state.in_flight(),
            keys: if self.is_keyed { self.state.keys() } else { 0 },
            closed: self.room.is_closed(),
            ..self.figures
        }
    }
}

/// What has become of the items of a batch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) completed: u64,
    pub(super) failed: u64,
    pub(super) cancelled: u64,
}
