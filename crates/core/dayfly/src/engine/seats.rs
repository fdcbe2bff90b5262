//! Operations in the hands of workers: claimed, running, or ended and not settled yet.
//!
//! A seat is a worker's slot as the core sees it, and a permit: as many seats are taken as operations may run. What a
//! worker does between two visits to the core it shows on its [`Board`], so that whoever looks sees every operation as
//! it is.

use std::collections::VecDeque;
use std::sync::Arc;

use dayfly_signal::{OperationId, Signal};
use hashbrown::HashMap;
use tokio::time::Instant;

use super::board::{Board, Progress};
use super::tally::Finish;
use crate::contain::drop_one;
use crate::pass::Shared;
use crate::schedule::{Place, Queued};
use crate::window::{Details, Record};
use crate::{OperationSnapshot, OperationState};

pub(super) struct Seats<K> {
    workers: Vec<Worker<K>>,
    /// Where operations sit that have outlasted the visit after their start. It is kept from the first time on that
    /// somebody asks for one by its id: few ever do, and every operation that suspends would pay for it.
    index: Option<HashMap<OperationId, Address>>,
    taken: usize,
    generations: u64,
}

#[derive(Clone, Copy)]
struct Address {
    worker: usize,
    seat: usize,
}

struct Worker<K> {
    seats: Vec<Seat<K>>,
    free: Vec<usize>,
    /// The seats of the newest claim, in the order in which they are to be started.
    batch: Vec<usize>,
    /// How many of the batch are known to have left the queue.
    left_queue: usize,
    board: Arc<Board>,
}

struct Seat<K> {
    shared: Arc<Shared>,
    occupant: Option<Occupant<K>>,
}

/// An operation in a worker's hands.
pub(super) struct Occupant<K> {
    pub(super) id: OperationId,
    is_own_id: bool,
    pub(super) key: K,
    pub(super) place: Place,
    pub(super) attempt: u32,
    pub(super) generation: u64,
    claim: u64,
    pub(super) enqueued_at: Instant,
    pub(super) ready_at: Instant,
    pub(super) started_at: Instant,
    pub(super) next: Next,
    is_settled: bool,
}

/// What becomes of an operation that asks for another attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// It waits as long as it asks for.
    AsAsked,
    AtOnce,
    /// It does not get one.
    Failed(Arc<str>),
}

/// An operation that was claimed, with the item.
pub(super) struct Claimed<T, K> {
    pub(super) seat: usize,
    /// Its place in the batch.
    pub(super) turn: u32,
    pub(super) id: OperationId,
    pub(super) key: K,
    pub(super) attempt: u32,
    pub(super) generation: u64,
    pub(super) item: T,
    /// What the seat's slot has to use from now on, if it has nothing yet.
    pub(super) shared: Option<Arc<Shared>>,
}

/// One running body, for whoever wants to end it once no lock is held.
pub(super) struct Grip {
    pub(super) shared: Arc<Shared>,
    pub(super) generation: u64,
}

impl<K: Clone> Seats<K> {
    pub(super) fn new(boards: impl Iterator<Item = Arc<Board>>) -> Self {
        let worker =
            |board| Worker { seats: Vec::new(), free: Vec::new(), batch: Vec::new(), left_queue: 0, board };
        Self { workers: boards.map(worker).collect(), index: None, taken: 0, generations: 0 }
    }

    pub(super) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// How many permits are in use.
    pub(super) const fn taken(&self) -> usize {
        self.taken
    }

    /// Begins a batch. What is left of the one before runs, or has been given back.
    pub(super) fn begin(&mut self, worker: usize) {
        let own = &mut self.workers[worker];
        for &seat in &own.batch {
            if let Some(occupant) = &mut own.seats[seat].occupant {
                occupant.is_settled = true;
                if let Some(index) = &mut self.index {
                    index.insert(occupant.id, Address { worker, seat });
                }
            }
        }
        own.batch.clear();
        own.left_queue = 0;
        own.board.clear();
    }

    #[inline]
    pub(super) fn claim<T>(
        &mut self,
        worker: usize,
        entry: Queued<T, K>,
        claimed_key: K,
        now: Instant,
        claimed: &mut VecDeque<Claimed<T, K>>,
    ) {
        self.generations += 1;
        self.taken += 1;
        let own = &mut self.workers[worker];
        let (seat, shared) = match own.free.pop() {
            Some(seat) if own.seats[seat].shared.is_spoiled() => {
                own.seats[seat].shared = Arc::default();
                (seat, Some(Arc::clone(&own.seats[seat].shared)))
            }
            Some(seat) => (seat, None),
            None => {
                let shared = Arc::<Shared>::default();
                own.seats.push(Seat { shared: Arc::clone(&shared), occupant: None });
                (own.seats.len() - 1, Some(shared))
            }
        };
        let turn = u32::try_from(own.batch.len()).unwrap_or(u32::MAX);
        own.batch.push(seat);
        let Queued { id, is_own_id, key, place, item, enqueued_at, ready_at, attempts, claim } = entry;
        let (attempt, generation) = (attempts + 1, self.generations);
        claimed.push_back(Claimed { seat, turn, id, key: claimed_key, attempt, generation, item, shared });
        own.seats[seat].occupant = Some(Occupant {
            id,
            is_own_id,
            key,
            place,
            attempt,
            generation,
            claim: if claim == 0 { generation } else { claim },
            enqueued_at,
            ready_at,
            started_at: now,
            next: Next::AsAsked,
            is_settled: false,
        });
    }

    /// An operation has left its seat: it ended, or it is to go on later.
    pub(super) fn vacate(&mut self, worker: usize, seat: usize) -> Option<Occupant<K>> {
        let own = &mut self.workers[worker];
        let occupant = own.seats[seat].occupant.take()?;
        own.free.push(seat);
        self.taken -= 1;
        self.forget(occupant.id, occupant.is_settled);
        Some(occupant)
    }

    /// An operation has left its seat, and nobody asks for it.
    #[inline]
    pub(super) fn free(&mut self, worker: usize, seat: usize) {
        let own = &mut self.workers[worker];
        let Some(occupant) = &own.seats[seat].occupant else { return };
        let (id, is_settled) = (occupant.id, occupant.is_settled);
        if std::mem::needs_drop::<K>() {
            // A key is foreign when it is dropped.
            drop_one(own.seats[seat].occupant.take());
        } else {
            own.seats[seat].occupant = None;
        }
        self.taken -= 1;
        own.free.push(seat);
        self.forget(id, is_settled);
    }

    fn forget(&mut self, id: OperationId, is_settled: bool) {
        if is_settled && let Some(index) = &mut self.index {
            index.remove(&id);
        }
    }

    pub(super) fn get(&self, worker: usize, seat: usize) -> Option<Sitting<'_, K>> {
        self.sitting(worker, seat, Progress::Running)
    }

    pub(super) fn shared(&self, worker: usize, seat: usize) -> &Shared {
        &self.workers[worker].seats[seat].shared
    }

    /// Every seat of a worker that is taken.
    pub(super) fn taken_by(&self, worker: usize) -> Vec<usize> {
        let seats = self.workers[worker].seats.iter().enumerate();
        seats.filter(|(_, seat)| seat.occupant.is_some()).map(|(at, _)| at).collect()
    }

    pub(super) fn has_left_queue(&self, worker: usize, turn: u32) -> bool {
        (turn as usize) < self.workers[worker].left_queue
    }

    /// Notes the places of the keys of the operations that have started since the last look.
    pub(super) fn leave_queue(&mut self, worker: usize, left: &mut Vec<usize>) {
        let own = &mut self.workers[worker];
        let started = own.board.started().min(own.batch.len());
        for &seat in own.batch.get(own.left_queue..started).unwrap_or_default() {
            if let Some(occupant) = &own.seats[seat].occupant {
                left.push(occupant.place.key);
            }
        }
        own.left_queue = own.left_queue.max(started);
    }

    /// What became of claimed operations since their workers were last here, in one look.
    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts { running: self.taken, ..Counts::default() };
        for worker in &self.workers {
            // What was given back is in nobody's hands, though it was of the batch.
            let (started, completed) = worker.board.counts();
            let unstarted = worker.batch.iter().skip(started);
            counts.unstarted += unstarted.filter(|seat| worker.seats[**seat].occupant.is_some()).count();
            counts.completed += completed;
        }
        counts.running = counts.running.saturating_sub(counts.unstarted + counts.completed);
        counts
    }

    /// The operation with this id, unless it is not in anybody's hands.
    pub(super) fn find(&mut self, id: OperationId) -> Option<Sitting<'_, K>> {
        if let Some(place) = self.settled(id) {
            return self.sitting(place.worker, place.seat, Progress::Running);
        }
        self.unsettled().find(|sitting| sitting.occupant.id == id)
    }

    /// Where an operation sits that has outlasted the visit after its start.
    fn settled(&mut self, id: OperationId) -> Option<Address> {
        let workers = &self.workers;
        let index = self.index.get_or_insert_with(|| addresses(workers).collect());
        index.get(&id).copied()
    }

    /// Decides beforehand on the next attempt of an operation that runs. Says whether it does.
    pub(super) fn set_next(&mut self, id: OperationId, next: Next) -> bool {
        let place = self.settled(id).or_else(|| {
            let mut workers = self.workers.iter().enumerate();
            workers.find_map(|(worker, own)| {
                let mut batch = own.batch.iter().enumerate();
                batch.find_map(|(turn, &seat)| {
                    let is_it = own.seats[seat].occupant.as_ref().is_some_and(|occupant| occupant.id == id);
                    let runs = is_it && own.board.progress(turn) == Progress::Running;
                    runs.then_some(Address { worker, seat })
                })
            })
        });
        let occupant = place.and_then(|at| self.workers[at.worker].seats[at.seat].occupant.as_mut());
        let Some(occupant) = occupant else { return false };
        // Whoever was given up stays so: that was promised, and nobody would say it a second time.
        if !matches!(occupant.next, Next::Failed(_)) {
            occupant.next = next;
        }
        true
    }

    /// Every operation in a worker's hands.
    pub(super) fn iter(&self) -> impl Iterator<Item = Sitting<'_, K>> {
        let settled = addresses(&self.workers).map(|(_, place)| place);
        let settled = settled.filter_map(|place| self.sitting(place.worker, place.seat, Progress::Running));
        settled.chain(self.unsettled())
    }

    /// The operations of the newest batches: at most a handful for each worker.
    fn unsettled(&self) -> impl Iterator<Item = Sitting<'_, K>> {
        self.workers.iter().enumerate().flat_map(move |(at, worker)| {
            let batch = worker.batch.iter().enumerate();
            batch.filter_map(move |(turn, &seat)| self.sitting(at, seat, worker.board.progress(turn)))
        })
    }

    fn sitting(&self, worker: usize, seat: usize, progress: Progress) -> Option<Sitting<'_, K>> {
        let Seat { shared, occupant } = &self.workers[worker].seats[seat];
        Some(Sitting { occupant: occupant.as_ref()?, shared, progress })
    }
}

/// The operations that have outlasted the visit after their start, and where they sit.
fn addresses<K>(workers: &[Worker<K>]) -> impl Iterator<Item = (OperationId, Address)> {
    workers.iter().enumerate().flat_map(|(worker, own)| {
        let seats = own.seats.iter().enumerate();
        seats.filter_map(move |(seat, taken)| {
            let occupant = taken.occupant.as_ref().filter(|occupant| occupant.is_settled)?;
            Some((occupant.id, Address { worker, seat }))
        })
    })
}

/// How many claimed operations are how far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) unstarted: usize,
    pub(super) running: usize,
    /// Completed, which their workers have not told yet.
    pub(super) completed: usize,
}

/// An operation in a worker's hands, as whoever looks sees it.
pub(super) struct Sitting<'a, K> {
    pub(super) occupant: &'a Occupant<K>,
    pub(super) shared: &'a Arc<Shared>,
    pub(super) progress: Progress,
}

impl<K: Clone> Sitting<'_, K> {
    /// What can end the body once no lock is held.
    pub(super) fn grip(&self) -> Grip {
        Grip { shared: Arc::clone(self.shared), generation: self.occupant.generation }
    }

    /// The operation at this moment; one that has not started is none that can be seen.
    pub(super) fn snapshot(&self, now: Instant) -> Option<OperationSnapshot<K>> {
        let recent = self.shared.recent.list();
        let snapshot = self.occupant.snapshot(OperationState::Running, recent);
        match self.progress {
            Progress::Unstarted => None,
            Progress::Running => Some(snapshot),
            Progress::Completed => Some(OperationSnapshot {
                state: OperationState::Completed,
                finished_at: Some(now),
                ..snapshot
            }),
        }
    }
}

impl<K: Clone> Occupant<K> {
    #[inline]
    pub(super) fn record(
        &self,
        key: K,
        finish: Finish,
        details: Option<Box<Details>>,
        now: Instant,
    ) -> Record<K> {
        Record {
            id: self.id,
            key,
            state: finish.state(),
            attempt: self.attempt,
            enqueued_at: self.enqueued_at,
            started_at: Some(self.started_at),
            finished_at: now,
            details,
        }
    }

    /// The operation's id, if its caller brought it.
    pub(super) fn own_id(&self) -> Option<OperationId> {
        self.is_own_id.then_some(self.id)
    }

    /// The operation as it was before it was claimed.
    pub(super) fn queued<T>(self, item: T) -> Queued<T, K> {
        let Self { id, is_own_id, key, place, attempt, enqueued_at, ready_at, claim, .. } = self;
        Queued { id, is_own_id, key, place, item, enqueued_at, ready_at, attempts: attempt - 1, claim }
    }

    /// The operation as it waits for its next attempt.
    pub(super) fn queued_again<T>(self, item: T, ready_at: Instant) -> Queued<T, K> {
        let Self { id, is_own_id, key, place, attempt, enqueued_at, .. } = self;
        Queued { id, is_own_id, key, place, item, enqueued_at, ready_at, attempts: attempt, claim: 0 }
    }

    pub(super) fn snapshot(&self, state: OperationState, signals: Vec<Signal>) -> OperationSnapshot<K> {
        OperationSnapshot {
            id: self.id,
            key: self.key.clone(),
            state,
            attempt: self.attempt,
            enqueued_at: self.enqueued_at,
            started_at: Some(self.started_at),
            finished_at: None,
            error: None,
            signals,
        }
    }
}
