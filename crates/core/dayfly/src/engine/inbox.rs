//! Where accepted items lie until a worker comes for them: a queue behind a lock of its own, so that producers and
//! workers meet once per handful of items instead of at every one.
//!
//! Whoever holds the core's lock may take this one too, never the other way round.

use std::collections::VecDeque;
use std::hash::Hash;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use dayfly_signal::{OperationId, OperationIds};
use hashbrown::HashSet;
use tokio::time::Instant;

use super::effects::Effects;
use super::key_rooms::PerKey;
use super::line::Ticket;
use super::lists::each;
use super::ready::Hub;
use super::room::{NoRoom, Room};
use crate::schedule::{Place, Queued, Schedule};

/// How many ids are drawn at once.
const IDS: u64 = 64;

pub(super) struct Inbox<T, K> {
    items: VecDeque<Queued<T, K>>,
    room: Room<K>,
    peak: usize,
    /// When the first item that lies here came. A worker was told of it and comes at once, so it goes for the next
    /// ones too; while nobody comes, each item has a reading of its own.
    run_began: Option<Instant>,
    /// Whether an item that comes in now may start, so that a worker has to be told of it.
    tells_workers: bool,
    /// Workers that have nothing to do, unless one of their bodies has woken them since.
    idle: Vec<usize>,
    hubs: Box<[Arc<Hub>]>,
    /// Drawn in blocks: the counter is shared by the whole process.
    ids: OperationIds,
    /// Ids that callers brought, of operations that have not ended.
    own_ids: HashSet<OperationId>,
    late: Vec<Waker>,
}

/// An item on its way in.
pub(crate) struct Offer<T, K> {
    /// The id that the caller brings, if it does.
    pub(crate) id: Option<OperationId>,
    pub(crate) key: K,
    pub(crate) lane: usize,
    pub(crate) item: T,
}

/// An item that could not go in, and why.
pub(super) struct Refused<T, K> {
    pub(super) why: Refusal,
    pub(super) offer: Offer<T, K>,
}

/// Why an item could not go in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    Room(NoRoom),
    /// An operation with the id that the caller brings has not ended yet.
    Duplicate,
}

/// An item that went in, and the worker that has to be told of it.
pub(super) struct Accepted {
    pub(super) id: OperationId,
    pub(super) tell: Option<usize>,
}

impl<T, K> Offer<T, K> {
    pub(crate) const fn new(key: K, item: T) -> Self {
        Self { id: None, key, lane: 0, item }
    }

    /// `at` is the place of its key.
    fn queued(self, id: OperationId, at: usize, now: Instant) -> Queued<T, K> {
        let Self { id: own, key, lane, item } = self;
        Queued {
            id,
            is_own_id: own.is_some(),
            key,
            place: Place { lane, key: at },
            item,
            enqueued_at: now,
            ready_at: now,
            attempts: 0,
            claim: 0,
        }
    }
}

impl<T, K: Eq + Hash + Clone> Inbox<T, K> {
    pub(super) fn new(capacity: usize, per_key: Option<PerKey<K>>, hubs: Box<[Arc<Hub>]>) -> Self {
        Self {
            items: VecDeque::new(),
            room: Room::new(capacity, per_key),
            peak: 0,
            run_began: None,
            tells_workers: true,
            // The first one is told first.
            idle: (0..hubs.len()).rev().collect(),
            hubs,
            ids: OperationId::block(0),
            own_ids: HashSet::new(),
            late: Vec::new(),
        }
    }

    /// Takes an item in if there is room for it now.
    pub(super) fn offer(&mut self, offer: Offer<T, K>) -> Result<Accepted, Refused<T, K>> {
        match self.room.enter(&offer.key) {
            Err(why) => Err(Refused { why: Refusal::Room(why), offer }),
            Ok(at) => self.accept(offer, at).map_err(|offer| Refused { why: Refusal::Duplicate, offer }),
        }
    }

    /// Joins the line for room.
    pub(super) fn join(&mut self, key: &K, wakers: &mut Vec<Waker>) -> Ticket {
        self.room.join(key, wakers)
    }

    /// Takes an item in once its ticket has got room. `offer` is left where it is until then. A waker that is not needed
    /// any more is `replaced`, for the caller to drop where locks are free.
    pub(super) fn poll(
        &mut self,
        ticket: Ticket,
        offer: &mut Option<Offer<T, K>>,
        context: &Context<'_>,
        replaced: &mut Option<Waker>,
    ) -> Poll<Result<Accepted, Refusal>> {
        match self.room.poll(ticket, context.waker(), replaced) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(why)) => Poll::Ready(Err(Refusal::Room(why))),
            Poll::Ready(Ok(at)) => match offer.take().map(|offer| self.accept(offer, at)) {
                Some(Ok(accepted)) => Poll::Ready(Ok(accepted)),
                Some(Err(refused)) => {
                    *offer = Some(refused);
                    Poll::Ready(Err(Refusal::Duplicate))
                }
                None => Poll::Ready(Err(Refusal::Room(NoRoom::Closed))),
            },
        }
    }

    /// Takes an item in that goes to a worker at once, so that it does not lie here.
    pub(super) fn pass(&mut self, offer: Offer<T, K>, now: Instant) -> Result<Queued<T, K>, Offer<T, K>> {
        let Ok(at) = self.room.enter(&offer.key) else { return Err(offer) };
        let Some(id) = self.identify(&offer, at) else { return Err(offer) };
        self.peak = self.peak.max(self.room.occupied());
        Ok(offer.queued(id, at, now))
    }

    /// Takes in an item that has room, unless its id is in use; then the room is free again.
    fn accept(&mut self, offer: Offer<T, K>, at: usize) -> Result<Accepted, Offer<T, K>> {
        let Some(id) = self.identify(&offer, at) else { return Err(offer) };
        let is_first = self.items.is_empty();
        let now = match self.run_began {
            Some(began) if self.tells_workers => began,
            _ => *self.run_began.insert(Instant::now()),
        };
        self.items.push_back(offer.queued(id, at, now));
        self.peak = self.peak.max(self.room.occupied());
        // Whoever comes for the first item tells the others, if there is enough for them.
        let tell = if is_first && self.tells_workers { self.pick_idle() } else { None };
        Ok(Accepted { id, tell })
    }

    /// The id of an item that has room; nothing, and the room free again, where it is in use.
    fn identify(&mut self, offer: &Offer<T, K>, at: usize) -> Option<OperationId> {
        match offer.id {
            Some(id) if !self.own_ids.insert(id) => {
                self.room.give_back(at, &mut self.late);
                None
            }
            Some(id) => Some(id),
            None => Some(self.next_id()),
        }
    }

    /// Producers that have room now because another one was refused.
    pub(super) fn take_late(&mut self) -> Vec<Waker> {
        std::mem::take(&mut self.late)
    }

    fn next_id(&mut self) -> OperationId {
        loop {
            match self.ids.next() {
                Some(id) => return id,
                None => self.ids = OperationId::block(IDS),
            }
        }
    }

    /// Hands over what lies here, into `supply` if that is empty and otherwise behind it.
    pub(super) fn swap(&mut self, supply: &mut VecDeque<Queued<T, K>>) {
        self.run_began = None;
        if supply.is_empty() {
            std::mem::swap(&mut self.items, supply);
        } else {
            supply.append(&mut self.items);
        }
    }

    pub(super) fn room(&mut self) -> &mut Room<K> {
        &mut self.room
    }

    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) const fn peak(&self) -> usize {
        self.peak
    }

    /// Gives back the places of what left the queue, and takes those of what came back to it. Producers are let in at
    /// once where `eager`, and otherwise only when there is room for many: waking one for each place costs more than
    /// the operations do.
    pub(super) fn settle<S>(&mut self, effects: &mut Effects<S>, eager: bool)
    where
        S: Schedule<Item = T, Key = K>,
    {
        each(&mut effects.own_ids, |id| {
            self.own_ids.remove(&id);
        });
        // First, so that nobody is let in where something has come back to.
        each(&mut effects.came_back, |key| self.room.come_back(key));
        each(&mut effects.left_queue, |key| self.room.leave(key, &mut effects.producers));
        // What came back had left before: in between it would count twice.
        self.peak = self.peak.max(self.room.occupied());
        each(&mut effects.released, |key| self.room.release(key));
        self.room.take_gone(&mut effects.gone);
        if eager || self.room.has_much_room() {
            self.room.admit(&mut effects.producers);
        }
    }

    pub(super) const fn set_tells_workers(&mut self, tells: bool) {
        self.tells_workers = tells;
    }

    /// A worker has nothing to do and sleeps until it is told.
    pub(super) fn rest(&mut self, worker: usize) {
        self.idle.push(worker);
    }

    /// A worker is awake and asks for itself.
    pub(super) fn rise(&mut self, worker: usize) {
        self.idle.retain(|idle| *idle != worker);
    }

    /// A worker that can be given something to do: one that sleeps, rather than one that is busy with its bodies.
    pub(super) fn pick_idle(&mut self) -> Option<usize> {
        let sleeps = self.idle.iter().rposition(|worker| !self.hubs[*worker].is_awake());
        let at = sleeps.or_else(|| self.idle.len().checked_sub(1))?;
        Some(self.idle.remove(at))
    }

    pub(super) fn give_up(&mut self, ticket: Ticket, wakers: &mut Vec<Waker>) {
        self.room.give_up(ticket, wakers);
    }
}
