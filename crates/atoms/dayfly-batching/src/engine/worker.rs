//! Workers call the handler with one batch after the other. There are never more of them than batches may be in flight,
//! and each is a task, so batches are handled in parallel.

use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use tokio::task::yield_now;

use super::Engine;
use super::desk::Counts;
use super::todo::Todo;
use super::verdict::{End, Tidings, Verdict, judge};
use crate::batch::Home;
use crate::state::Claim;
use crate::{Answer, Batch, FailedBatch};
use dayfly::contain::{clear, contain, drop_each};

/// A worker that has handled so many batches in a row lets other tasks run.
const IN_A_ROW: u32 = 16;

/// Where the handler's future stands while it is polled; it is reused from batch to batch.
type Slot<Fut> = Pin<Box<Option<Fut>>>;

pub(super) fn start<T, K, V, E, F, Fut>(engine: Arc<Engine<T, K, V, E>>, handler: Arc<F>)
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
    F: Fn(Batch<T>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Answer<Value = V, Error = E>> + Send + 'static,
{
    static NUMBERS: AtomicU64 = AtomicU64::new(0);
    let runtime = engine.runtime.clone();
    let seat = Seat {
        engine,
        number: NUMBERS.fetch_add(1, Ordering::Relaxed),
        is_resting: true,
        holds: None,
        claim: Claim::new(),
        home: Home::new(),
        tidings: Vec::new(),
        ended: None,
        todo: Todo::new(),
        has_left: false,
    };
    drop(runtime.spawn(work(seat, handler)));
}

async fn work<T, K, V, E, F, Fut>(mut seat: Seat<T, K, V, E>, handler: Arc<F>)
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
    F: Fn(Batch<T>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output: Answer<Value = V, Error = E>> + Send + 'static,
{
    let mut slot: Slot<Fut> = Box::pin(None);
    let mut in_a_row = 0;
    while let Some(is_cancelled) = seat.next().await {
        let end = if is_cancelled { End::Cancelled } else { seat.run(&*handler, &mut slot).await };
        seat.settle(end).await;
        in_a_row += 1;
        if in_a_row == IN_A_ROW {
            in_a_row = 0;
            seat.give_back();
            yield_now().await;
        }
    }
}

/// A worker's presence, with the buffers that it swaps for those of a batch.
struct Seat<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    engine: Arc<Engine<T, K, V, E>>,
    number: u64,
    /// Whether it is listed as having nothing to do, or was called and has not looked yet.
    is_resting: bool,
    /// How many items the batch has that it has not ended.
    holds: Option<usize>,
    claim: Claim<T>,
    home: Arc<Home<T>>,
    tidings: Tidings<V, E>,
    /// What has become of a batch that has ended and still has its slot.
    ended: Option<Counts>,
    todo: Todo<T, K>,
    has_left: bool,
}

impl<T, K, V, E> Seat<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    /// Waits for a batch, and says whether it was cancelled; `None` when there is nothing more to do.
    async fn next(&mut self) -> Option<bool> {
        poll_fn(|context| {
            let Self { engine, number, is_resting, claim, tidings, ended, todo, .. } = self;
            let looked = engine.change_with(todo, |desk, todo| {
                if let Some(counts) = ended.take() {
                    desk.answer(tidings, todo);
                    desk.finish(claim, counts, todo);
                    claim.waiters.clear();
                }
                desk.look(*number, is_resting, claim, context.waker(), todo)
            });
            clear(&mut self.tidings);
            if let Poll::Ready(found) = looked {
                self.has_left = found.is_none();
                self.holds = found.map(|_| self.claim.items.len());
            }
            looked
        })
        .await
    }

    /// Calls the handler and polls its future to the end. A panic ends here, and so does a cancellation after its grace.
    async fn run<F, Fut>(&mut self, handler: &F, slot: &mut Slot<Fut>) -> End<V, E>
    where
        F: Fn(Batch<T>) -> Fut,
        Fut: Future<Output: Answer<Value = V, Error = E>>,
    {
        let items = std::mem::take(&mut self.claim.items);
        let batch = Batch::new(items, self.claim.reason, Arc::clone(&self.home));
        let Some(future) = contain(|| handler(batch)) else { return End::Panicked };
        slot.set(Some(future));
        let mut killed = pin!(self.engine.killed.wait());
        let end = poll_fn(|context| {
            let polled = contain(|| {
                slot.as_mut().as_pin_mut().map(|future| future.poll(context).map(Answer::into_answers))
            });
            match polled.flatten() {
                Some(Poll::Pending) => killed.as_mut().poll(context).map(|()| End::Cancelled),
                Some(Poll::Ready(answers)) => Poll::Ready(End::Answered(answers)),
                None => Poll::Ready(End::Panicked),
            }
        })
        .await;
        // What it still holds of the batch comes home with this.
        contain(|| slot.set(None));
        end
    }

    /// Tells everybody of the end, recovers what failed, and gives the slot back.
    async fn settle(&mut self, end: End<V, E>) {
        let count = self.holds.unwrap_or(0);
        let verdict = self.judge(end, count);
        let mut items = self.take_home();
        // Everybody is told, and the slot given back, with the look for the next batch: one lock for all of it.
        (self.holds, self.ended) = (None, Some(verdict.counts));
        self.engine.raise(verdict.counts);
        if let Some(error) = verdict.error {
            // Who waits for an item does not wait for its recovery.
            self.tell();
            if let Some(failed) = verdict.failed {
                keep_only(&mut items, count, &failed);
            }
            if let Some(recover) = &self.engine.rules.on_failure {
                let failed = FailedBatch { items: std::mem::take(&mut items), error };
                if let Some(future) = contain(|| recover(failed)) {
                    contained(future).await;
                }
            }
        }
        clear(&mut items);
        self.claim.items = items;
    }

    /// Values and errors that nobody waits for are dropped on the way, and may panic.
    fn judge(&mut self, end: End<V, E>, count: usize) -> Verdict<E> {
        let Self { engine, claim, tidings, .. } = self;
        let sameness = engine.rules.sameness.as_ref();
        contain(|| judge(end, count, &claim.waiters, sameness, tidings)).unwrap_or_else(|| {
            clear(tidings);
            judge(End::Panicked, count, &claim.waiters, sameness, tidings)
        })
    }

    /// Tells everybody and gives the slot back before the look for the next batch.
    fn give_back(&mut self) {
        let Self { engine, claim, tidings, ended, todo, .. } = self;
        let Some(counts) = ended.take() else { return };
        engine.change_with(todo, |desk, todo| {
            desk.answer(tidings, todo);
            desk.finish(claim, counts, todo);
        });
        claim.waiters.clear();
        // Answers that nobody came for.
        clear(tidings);
    }

    fn tell(&mut self) {
        let Self { engine, tidings, todo, .. } = self;
        engine.change_with(todo, |desk, todo| desk.answer(tidings, todo));
        clear(tidings);
    }

    /// What the handler left of the items; a batch that was never handed out is still here.
    fn take_home(&mut self) -> Vec<T> {
        if !self.claim.items.is_empty() {
            return std::mem::take(&mut self.claim.items);
        }
        self.home.take().unwrap_or_else(|| {
            // The handler has put it somewhere else; it must not come home to the next one.
            self.home = Home::new();
            Vec::new()
        })
    }
}

/// Leaves the items at these places, unless the handler has taken some.
fn keep_only<T>(items: &mut Vec<T>, count: usize, places: &[usize]) {
    if items.len() != count {
        return;
    }
    let (mut at, mut places) = (0, places.iter().peekable());
    let done: Vec<T> = items
        .extract_if(.., |_| {
            let failed = places.next_if_eq(&&at).is_some();
            at += 1;
            !failed
        })
        .collect();
    drop_each(done);
}

/// Polls a future to its end, which is also that of its panic.
async fn contained(mut future: Pin<Box<dyn Future<Output = ()> + Send>>) {
    poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
        Ok(polled) => polled,
        Err(panic) => {
            contain(|| drop(panic));
            Poll::Ready(())
        }
    })
    .await;
    contain(|| drop(future));
}

impl<T, K, V, E> Drop for Seat<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn drop(&mut self) {
        if self.has_left {
            return;
        }
        // Only the runtime drops a worker, and only when it shuts down: nobody can be told to go on.
        if let Some(count) = self.holds.take() {
            self.ended = Some(self.judge(End::Cancelled, count).counts);
        }
        self.give_back();
        let (number, was_resting) = (self.number, self.is_resting);
        self.engine.change(|desk, todo| {
            desk.lose(number, was_resting, todo);
            desk.abandon(todo);
        });
    }
}
