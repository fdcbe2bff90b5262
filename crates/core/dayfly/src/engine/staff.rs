//! The workers of one engine. Each has a task of its own; while that sleeps, a caller may take its turn.
//!
//! Nobody waits for a worker: who finds somebody else at work goes away, and a task that has to go away is woken as soon
//! as the other one is done.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use dayfly_signal::OperationId;

use super::attempt_end::AttemptEndOf;
use super::board::Board;
use super::inbox::Offer;
use super::ready::Hub;
use super::worker::{Site, Worker};
use super::{Engine, Key};
use crate::Operation;
use crate::schedule::Schedule;
use crate::sync::{Mutex, MutexGuard, TryLockError};

/// Workers whose bodies' type is forgotten.
pub(super) trait Staff<S: Schedule>: Send + Sync {
    /// A turn of a worker in its own task.
    fn turn(&self, engine: &Arc<Engine<S>>, worker: usize, context: &mut Context<'_>) -> Poll<()>;

    /// A worker's task is gone.
    fn lose(&self, engine: &Arc<Engine<S>>, worker: usize);

    /// Runs an item here and now, until its body suspends for the first time. Hands it back where that must not be.
    fn run_in_place(
        &self,
        engine: &Arc<Engine<S>>,
        offer: Offer<S::Item, S::Key>,
    ) -> Result<OperationId, Offer<S::Item, S::Key>>;
}

/// The worker whose turn callers take.
const HOST: usize = 0;

pub(super) struct Workers<S: Schedule, F, Fut> {
    make: F,
    workers: Box<[Mutex<Worker<S, Fut>>]>,
}

impl<S, F, Fut> Workers<S, F, Fut>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
    F: Fn(S::Item, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = AttemptEndOf<S>> + Send + 'static,
{
    pub(super) fn new(make: F, boards: &[Arc<Board>], hubs: &[Arc<Hub>]) -> Self {
        let workers = boards.iter().zip(hubs).enumerate();
        let workers = workers.map(|(at, (board, hub))| Mutex::new(Worker::new(at, board, hub)));
        Self { make, workers: workers.collect() }
    }

    /// The worker, unless somebody else has it.
    fn take(&self, worker: usize) -> Option<MutexGuard<'_, Worker<S, Fut>>> {
        match self.workers[worker].try_lock() {
            Ok(worker) => Some(worker),
            // Foreign code panics in the slots, which contain it; a worker that did not come to its end goes on.
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

impl<S, F, Fut> Staff<S> for Workers<S, F, Fut>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
    F: Fn(S::Item, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = AttemptEndOf<S>> + Send + 'static,
{
    fn turn(&self, engine: &Arc<Engine<S>>, worker: usize, context: &mut Context<'_>) -> Poll<()> {
        let taken = self.take(worker).or_else(|| {
            engine.hubs[worker].miss_turn(context.waker());
            self.take(worker)
        });
        let Some(mut taken) = taken else { return Poll::Pending };
        taken.turn(&Site { engine, make: &self.make }, context)
    }

    fn lose(&self, engine: &Arc<Engine<S>>, worker: usize) {
        engine.hubs[worker].miss_end();
        if let Some(mut taken) = self.take(worker) {
            taken.lose(engine);
        }
    }

    fn run_in_place(
        &self,
        engine: &Arc<Engine<S>>,
        offer: Offer<S::Item, S::Key>,
    ) -> Result<OperationId, Offer<S::Item, S::Key>> {
        let Some(mut worker) = self.take(HOST) else { return Err(offer) };
        let _leaving = Leaving { engine, worker: HOST };
        let ran = worker.run_in_place(&Site { engine, make: &self.make }, offer);
        // Its task may take over only when nobody is at work any more.
        drop(worker);
        ran.map(|(id, goes_on)| {
            if goes_on {
                engine.tell(HOST);
            }
            id
        })
    }
}

/// A caller at work in a worker's place.
struct Leaving<'a, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    engine: &'a Arc<Engine<S>>,
    worker: usize,
}

impl<S> Drop for Leaving<'_, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        if self.engine.hubs[self.worker].make_up() {
            self.engine.staff.lose(self.engine, self.worker);
        }
    }
}

/// A worker's task.
struct Presence<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    engine: Arc<Engine<S>>,
    worker: usize,
}

impl<S> Drop for Presence<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        self.engine.staff.lose(&self.engine, self.worker);
    }
}

pub(super) fn start<S>(engine: Arc<Engine<S>>, worker: usize)
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    let (runtime, crew) = (engine.runtime.clone(), engine.crew.clone());
    // Made here: a runtime that shuts down drops the task without ever polling it.
    let presence = Presence { engine, worker };
    let work = async move {
        let Presence { engine, worker } = &presence;
        poll_fn(|context| engine.staff.turn(engine, *worker, context)).await;
    };
    match crew {
        Some(crew) => crew.take_on(worker, Box::pin(work)),
        None => drop(runtime.spawn(work)),
    }
}
