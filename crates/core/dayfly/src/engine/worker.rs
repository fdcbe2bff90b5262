//! A worker is one task that runs many bodies: it claims a handful of operations, polls each in a slot of its own, and
//! tells the core what has become of them when it comes for the next handful.
//!
//! ```text
//! turn:  poll what was woken -> start what was claimed -> visit the core -> again, until there is nothing to do
//! ```

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::task::{coop, yield_now};
use tokio::time::Instant;

use super::attempt_end::AttemptEndOf;
use super::board::Board;
use super::core::{Ended, Returns};
use super::effects::Effects;
use super::pace::Pace;
use super::ready::{Hub, Ready, WIDTH};
use super::seats::Claimed;
use super::slot::Slot;
use super::visit::Visit;
use super::{Engine, Key};
use crate::schedule::Schedule;
use crate::{Operation, desk};

/// How many bodies a worker polls before it lets other tasks of its thread run.
const POLLS: usize = 128;

/// How long it polls at most, if it finds out: the clock is read at each visit, and bodies that take long are claimed
/// one by one.
const TURN: Duration = Duration::from_micros(200);

#[expect(clippy::struct_excessive_bools, reason = "each is something else that a turn has to remember")]
pub(super) struct Worker<S: Schedule, Fut> {
    pub(super) index: usize,
    pub(super) board: Arc<Board>,
    pub(super) ready: Ready,
    slots: Vec<Seated<Fut, S::Key>>,
    pub(super) claimed: VecDeque<Claimed<S::Item, S::Key>>,
    pub(super) returns: Returns<S>,
    pub(super) effects: Effects<S>,
    pub(super) pace: Pace,
    pub(super) now: Instant,
    /// Counts claims, so that a slot knows whether its operation is of the newest one.
    pub(super) batch: u64,
    /// What the gates said at the newest claim.
    pub(super) word: u64,
    /// Bodies that were polled since the last visit.
    pub(super) polled: usize,
    /// How many more may be polled in this turn.
    polls_left: usize,
    /// When the first visit of this turn was.
    turn_began: Option<Instant>,
    woken: Woken,
    /// The last turn ended before there was nothing to do.
    has_yielded: bool,
    pub(super) has_started: bool,
    /// The core has to hear of an end before anything else starts.
    pub(super) is_urgent: bool,
    /// The engine knows that there is nothing to do.
    pub(super) rests: bool,
    pub(super) is_gone: bool,
}

/// Where a worker works: the engine, and how bodies are made.
pub(super) struct Site<'a, S: Schedule, F> {
    pub(super) engine: &'a Arc<Engine<S>>,
    pub(super) make: &'a F,
}

/// Where the worker is in its round through the woken slots.
#[derive(Default)]
struct Woken {
    block: usize,
    /// Those of the block that have not been polled yet.
    bits: u64,
}

/// A slot with the place of its operation in a batch.
struct Seated<Fut, K> {
    slot: Slot<Fut, K>,
    batch: u64,
    turn: u32,
}

impl<S, Fut> Worker<S, Fut>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
    Fut: Future<Output = AttemptEndOf<S>> + Send + 'static,
{
    pub(super) fn new(index: usize, board: &Arc<Board>, hub: &Arc<Hub>) -> Self {
        Self {
            index,
            board: Arc::clone(board),
            ready: Ready::new(Arc::clone(hub)),
            slots: Vec::new(),
            claimed: VecDeque::new(),
            returns: Returns { ended: Vec::new(), ends: VecDeque::new(), unstarted: Vec::new() },
            effects: Effects::default(),
            pace: Pace::new(),
            now: Instant::now(),
            batch: 0,
            word: 0,
            polled: 0,
            polls_left: POLLS,
            turn_began: None,
            woken: Woken::default(),
            has_yielded: false,
            has_started: false,
            is_urgent: false,
            rests: false,
            is_gone: false,
        }
    }

    pub(super) fn turn<F>(&mut self, site: &Site<'_, S, F>, context: &mut Context<'_>) -> Poll<()>
    where
        F: Fn(S::Item, Operation) -> Fut,
    {
        self.ready.wake_up(context.waker());
        (self.polls_left, self.turn_began) = (POLLS, None);
        // Bodies that are always ready use up every turn, so what waits for its start is claimed before they go on.
        let mut claims_first = std::mem::take(&mut self.has_yielded);
        loop {
            let polls_woken = !std::mem::take(&mut claims_first);
            desk::open(self.now, || {
                if polls_woken {
                    self.poll_woken();
                }
                self.start_claimed(site);
            });
            let yields = self.is_over();
            if yields {
                self.returns.unstarted.extend(self.claimed.drain(..));
            }
            if self.must_visit(site.engine) && self.visit(site.engine, yields) == Visit::Ended {
                self.is_gone = true;
                return Poll::Ready(());
            }
            if yields {
                self.pace.pause();
                self.has_yielded = true;
                return pin!(yield_now()).poll(context);
            }
            // Whoever is woken from this thread waits for it, out of reach of the others, until this turn is over.
            if std::mem::take(&mut self.effects.told_workers) > 0 && self.pace.is_slow() {
                self.pace.pause();
                self.has_yielded = true;
                context.waker().wake_by_ref();
                return Poll::Pending;
            }
            let is_done = self.claimed.is_empty() && self.woken.bits == 0 && self.rests;
            if is_done && self.ready.fall_asleep() {
                self.pace.pause();
                return Poll::Pending;
            }
        }
    }

    /// Whether it is time to let other tasks run: bodies that are always ready would keep the thread for ever.
    fn is_over(&self) -> bool {
        self.polls_left == 0 || !coop::has_budget_remaining()
    }

    /// Goes through the blocks, from where the last round stopped, so that each woken slot has its turn.
    fn poll_woken(&mut self) {
        let mut has_looked = false;
        for _ in 0..self.ready.blocks() {
            if self.woken.bits == 0 {
                let next = self.woken.block + 1;
                self.woken.block = if next < self.ready.blocks() { next } else { 0 };
                self.woken.bits = self.ready.take(self.woken.block);
            }
            while self.woken.bits != 0 {
                if self.is_over() {
                    return;
                }
                let at = self.woken.block * WIDTH + self.woken.bits.trailing_zeros() as usize;
                self.woken.bits &= self.woken.bits - 1;
                if !std::mem::replace(&mut has_looked, true) {
                    self.now = Instant::now();
                    desk::set_reading(self.now);
                }
                if let Some(polled) = self.slots[at].slot.poll() {
                    self.count_poll();
                    self.note(at, polled);
                }
            }
        }
    }

    const fn count_poll(&mut self) {
        self.polled += 1;
        self.polls_left = self.polls_left.saturating_sub(1);
    }

    pub(super) fn start_claimed<F>(&mut self, site: &Site<'_, S, F>)
    where
        F: Fn(S::Item, Operation) -> Fut,
    {
        while !self.is_urgent
            && let Some(claimed) = self.claimed.pop_front()
        {
            // Read right before each start: what may not start any more goes back.
            if site.engine.word() != self.word {
                self.returns.unstarted.push(claimed);
                self.returns.unstarted.extend(self.claimed.drain(..));
                return;
            }
            self.start_one(site, claimed);
        }
    }

    fn start_one<F>(&mut self, site: &Site<'_, S, F>, claimed: Claimed<S::Item, S::Key>)
    where
        F: Fn(S::Item, Operation) -> Fut,
    {
        let (at, turn) = (claimed.seat, claimed.turn);
        let seated = &mut self.slots[at];
        if seated.slot.is_killed(claimed.generation) {
            self.returns.unstarted.push(claimed);
            return;
        }
        (seated.batch, seated.turn) = (self.batch, turn);
        self.board.start(turn);
        self.has_started = true;
        if site.engine.crew.is_some() {
            // The body may block, and nobody comes by meanwhile to tell that it has left the queue.
            site.engine.tell_starts(self.index, self.now, &mut self.effects);
        }
        let how = (site.make, site.engine.key_text);
        let polled = seated.slot.start(claimed, how, &site.engine.signals);
        self.count_poll();
        self.note(at, polled);
    }

    /// Prepares slots for new seats, also for operations that may go back unstarted: the core counts on it.
    pub(super) fn take_seats(&mut self) {
        for claimed in &mut self.claimed {
            match (claimed.shared.take(), self.slots.get_mut(claimed.seat)) {
                (Some(shared), Some(seated)) => seated.slot.adopt(shared),
                (Some(shared), None) => {
                    let slot = Slot::new(self.ready.waker(claimed.seat), shared);
                    self.slots.push(Seated { slot, batch: 0, turn: 0 });
                }
                (None, _) => {}
            }
        }
    }

    /// Notes how a poll went.
    fn note(&mut self, at: usize, polled: Poll<AttemptEndOf<S>>) {
        match polled {
            Poll::Pending => {}
            // Looked at where it stands: to move what was just written costs as much as a lock.
            Poll::Ready(ref end) if end.is_plain() => {
                let seated = &self.slots[at];
                if seated.batch == self.batch {
                    self.board.complete(seated.turn);
                }
                self.returns.ended.push(Ended::Plainly(at));
            }
            Poll::Ready(end) => {
                self.is_urgent = true;
                self.returns.ended.push(Ended::Otherwise(at));
                self.returns.ends.push_back(end);
            }
        }
    }

    fn must_visit(&self, engine: &Engine<S>) -> bool {
        let has_news = !self.returns.ended.is_empty() || !self.returns.unstarted.is_empty();
        has_news || self.has_started || !self.rests || engine.hubs[self.index].was_nudged()
    }

    /// Tells the core what has happened, and claims what is to be done next unless it is time to step aside.
    fn visit(&mut self, engine: &Arc<Engine<S>>, yields: bool) -> Visit {
        let has_room = self.claimed.is_empty() && !yields;
        // A body that blocks would hold up whatever was claimed with it.
        let claim = if engine.crew.is_some() { 1 } else { self.pace.claim() };
        let most = if has_room { claim } else { 0 };
        let Self { index, returns, claimed, effects, board, pace, polled, .. } = self;
        let (visit, word, now) = engine.serve(*index, effects, |core, now, effects| {
            pace.stop(std::mem::take(polled), now);
            core.settle(*index, returns, now, effects);
            board.settle();
            if most == 0 {
                return true;
            }
            pace.start(now);
            core.claim(*index, most, now, claimed, effects)
        });
        (self.word, self.now) = (word, now);
        if now.saturating_duration_since(*self.turn_began.get_or_insert(now)) >= TURN {
            self.polls_left = 0;
        }
        if most > 0 {
            self.batch += 1;
        }
        self.take_seats();
        self.rests = visit == Visit::Rests;
        (self.has_started, self.is_urgent) = (false, false);
        visit
    }

    /// The runtime is shutting down: what runs is dropped here, and what was not begun never will be.
    pub(super) fn lose(&mut self, engine: &Arc<Engine<S>>) {
        if std::mem::replace(&mut self.is_gone, true) {
            return;
        }
        for seated in &mut self.slots {
            seated.slot.clear();
        }
        self.returns.unstarted.extend(self.claimed.drain(..));
        let Self { index, returns, effects, .. } = self;
        // What came in from here on would be nobody's.
        engine.shut();
        engine.serve(*index, effects, |core, now, effects| {
            core.lose(*index, returns, now, effects);
            true
        });
    }
}
