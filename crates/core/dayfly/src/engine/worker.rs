//! A worker claims an operation, runs its body, reports the end, and claims again until there is nothing to do.

use std::future::poll_fn;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use dayfly_signal::OperationId;
use futures_util::FutureExt;

use super::attempt_end::AttemptEnd;
use super::effects::{Claim, Start};
use super::{Engine, Key};
use crate::Operation;
use crate::operation::Attempt;
use crate::schedule::Schedule;

/// How many operations a worker runs before it lets other tasks of its thread run.
const TURNS: u32 = 128;

pub(super) fn start<S, F, Fut>(engine: Arc<Engine<S>>, body: Arc<F>)
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
    F: Fn(S::Item, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = AttemptEnd<S::Item>> + Send + 'static,
{
    let runtime = engine.runtime.clone();
    // The seat is made here: a runtime that shuts down drops the task without ever polling it.
    let seat = Seat { engine, arrived: false, running: None, gone: false };
    drop(runtime.spawn(work(seat, body)));
}

async fn work<S, F, Fut>(mut seat: Seat<S>, body: Arc<F>)
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
    F: Fn(S::Item, Operation) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = AttemptEnd<S::Item>> + Send + 'static,
{
    let mut claim = seat.claim(None);
    let mut turns: u32 = 0;
    loop {
        claim = match claim {
            Claim::Nothing => {
                seat.gone = true;
                return;
            }
            Claim::Skipped => {
                turns = turns.wrapping_add(1);
                if turns.is_multiple_of(TURNS) {
                    tokio::task::yield_now().await;
                }
                seat.claim(None)
            }
            Claim::Run(Start { id, attempt, item }) => {
                seat.running = Some(id);
                let end = run(&*body, item, &attempt).await;
                if matches!(end, AttemptEnd::Again { .. }) {
                    // Before it is in the queue: from then on another worker may take it out again.
                    seat.engine.room.come_back(&attempt.key);
                }
                seat.running = None;
                turns = turns.wrapping_add(1);
                if turns.is_multiple_of(TURNS) {
                    // Bodies that are always ready would keep the thread for as long as there is work. Nothing is
                    // claimed meanwhile, so nothing is lost if the runtime ends here.
                    seat.engine.change(|core, now, effects| core.finish(id, end, now, effects));
                    tokio::task::yield_now().await;
                    seat.claim(None)
                } else {
                    seat.claim(Some((id, end)))
                }
            }
        };
    }
}

/// Runs one attempt to its end, whatever that is. The body is gone when this returns.
async fn run<T, K, F, Fut>(body: &F, item: T, attempt: &Arc<Attempt<K>>) -> AttemptEnd<T>
where
    K: Key,
    F: Fn(T, Operation) -> Fut,
    Fut: Future<Output = AttemptEnd<T>>,
{
    let operation = Operation::new(Arc::clone(attempt));
    // Everything foreign stands inside: the body, its value's drop and its error's text.
    let whole = async { body(item, operation).await };
    let mut contained = pin!(AssertUnwindSafe(whole).catch_unwind());
    poll_fn(|context| {
        attempt.shared.register_worker(context.waker());
        match contained.as_mut().poll(context) {
            Poll::Ready(Ok(end)) => Poll::Ready(end),
            Poll::Ready(Err(panic)) => Poll::Ready(AttemptEnd::panicked(&*panic)),
            // The body has seen its cancellation once more and still wants to wait.
            Poll::Pending if attempt.shared.is_killed() => Poll::Ready(AttemptEnd::cancelled()),
            Poll::Pending => Poll::Pending,
        }
    })
    .await
}

/// A worker's right to run one operation. However its task ends, the right goes back and the operation is ended.
struct Seat<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    engine: Arc<Engine<S>>,
    arrived: bool,
    running: Option<OperationId>,
    /// The core has taken the right back by itself.
    gone: bool,
}

impl<S> Seat<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    /// Reports the end of what ran, if anything did, and claims the next operation in the same breath.
    fn claim(&mut self, ended: Option<(OperationId, AttemptEnd<S::Item>)>) -> Claim<S> {
        let is_new = !std::mem::replace(&mut self.arrived, true);
        self.engine.change(|core, now, effects| {
            if is_new {
                core.arrived();
            }
            if let Some((id, end)) = ended {
                core.finish(id, end, now, effects);
            }
            core.claim(now, effects)
        })
    }
}

impl<S> Drop for Seat<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        if self.gone {
            return;
        }
        let (arrived, running) = (self.arrived, self.running);
        self.engine.change(|core, now, effects| {
            core.lost_worker(arrived, now, effects);
            if let Some(id) = running {
                core.finish(id, AttemptEnd::cancelled(), now, effects);
            }
        });
    }
}
