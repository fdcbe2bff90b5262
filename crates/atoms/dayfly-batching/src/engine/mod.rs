//! The shell around the state: one lock, workers that run handlers, and a keeper for time.

mod desk;
mod entering;
mod keeper;
mod tell;
mod todo;
mod verdict;
mod worker;

use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};

use dayfly_signal::{Draft, SignalHandle, SignalSink};
use tokio::runtime;
use tokio::time::Instant;

use self::desk::Desk;
pub(crate) use self::desk::Offer;
pub(crate) use self::entering::{Entering, Refused, Submitting};
use self::todo::Todo;
use crate::replies::{Reply, Token};
use crate::room::NoRoom;
use crate::state::Manner;
use crate::sync::{Mutex, MutexGuard, Notify, PoisonError};
use crate::{Answer, Batch, BatchRules, BatcherOptions, DrainReport, Stats};
use dayfly::contain::contain;
use dayfly::latch::Latch;

pub(crate) struct Engine<T, K, V, E> {
    desk: Mutex<Desk<T, K, V, E>>,
    pub(crate) rules: BatchRules<T, V, E>,
    runtime: runtime::Handle,
    signals: SignalSink,
    flushed: SignalHandle,
    failed: SignalHandle,
    /// Starts a worker. It knows the handler's type, so that nothing else has to.
    start_worker: Box<dyn Fn(Arc<Self>) + Send + Sync>,
    /// Tells the keeper that something is due earlier than it knows, or that the end has come.
    keeper: Notify,
    /// Tells who waits for a flush that a batch has ended.
    progress: Notify,
    /// The grace of a cancellation is over.
    killed: Latch,
    ended: Arc<Ending>,
}

/// The end, for those who wait for it.
struct Ending {
    reached: Latch,
    report: OnceLock<DrainReport>,
}

impl<T, K, V, E> Engine<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    pub(crate) fn spawn<F, Fut>(
        options: &BatcherOptions,
        signals: &SignalSink,
        rules: BatchRules<T, V, E>,
        is_serial: bool,
        handler: F,
    ) -> Arc<Self>
    where
        F: Fn(Batch<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Answer<Value = V, Error = E>> + Send + 'static,
    {
        let runtime = runtime::Handle::current();
        let handle = |signal| match &rules.name {
            Some(name) => signals.handle(Draft::named(signal).key(name)),
            None => signals.handle(signal),
        };
        let handler = Arc::new(handler);
        let manner = Manner { is_serial, weighs: rules.weight.is_some() };
        let engine = Arc::new(Self {
            desk: Mutex::new(Desk::new(options, manner)),
            runtime,
            signals: signals.clone(),
            flushed: handle("batch.flushed"),
            failed: handle("batch.failed"),
            rules,
            start_worker: Box::new(move |engine| worker::start(engine, Arc::clone(&handler))),
            keeper: Notify::new(),
            progress: Notify::new(),
            killed: Latch::new(),
            ended: Arc::new(Ending { reached: Latch::new(), report: OnceLock::new() }),
        });
        keeper::start(Arc::clone(&engine));
        engine
    }

    /// Takes an item in if there is room now. Somebody who waits for its outcome brings a context and gets a token.
    #[inline]
    pub(crate) fn offer(
        self: &Arc<Self>,
        offer: Offer<T, K>,
        waiting: Option<&Context<'_>>,
    ) -> Result<Option<Token>, Refused<T, K>> {
        let mut desk = self.lock();
        match desk.offer_quickly(offer, waiting) {
            Ok((token, key)) => {
                drop(desk);
                drop(key);
                Ok(token)
            }
            Err(offer) => self.offer_with_care(offer, waiting, desk),
        }
    }

    #[inline(never)]
    fn offer_with_care(
        self: &Arc<Self>,
        offer: Offer<T, K>,
        waiting: Option<&Context<'_>>,
        mut desk: MutexGuard<'_, Desk<T, K, V, E>>,
    ) -> Result<Option<Token>, Refused<T, K>> {
        let mut todo = Todo::new();
        let offered = desk.offer(offer, waiting, self.rules.sameness.as_ref(), &mut todo);
        drop(desk);
        self.carry_out(&mut todo);
        offered
    }

    fn poll_reply(&self, token: Token, context: &Context<'_>) -> Poll<Reply<V, E>> {
        let mut replaced = None;
        let polled = self.lock().poll_reply(token, context.waker(), &mut replaced);
        // It may be the last waker of a task, and the task may own anything.
        drop(replaced);
        polled
    }

    /// Nobody waits for this outcome any more.
    fn leave(self: &Arc<Self>, token: Token) {
        // What is left is foreign, and dropped when the lock is free.
        drop(self.change(|desk, todo| desk.leave(token, todo)));
    }

    pub(crate) fn close(self: &Arc<Self>) {
        self.change(Desk::close);
    }

    pub(crate) fn cancel(self: &Arc<Self>) {
        self.change(|desk, todo| desk.cancel(Instant::now(), todo));
    }

    /// Flushes, and waits until what was in has ended.
    pub(crate) fn flush(self: &Arc<Self>) -> impl Future<Output = ()> + Send + use<T, K, V, E> {
        let mark = self.change(Desk::flush);
        let engine = Arc::clone(self);
        async move {
            loop {
                // Made before the look: from here on no end is missed.
                let told = engine.progress.notified();
                if engine.lock().has_reached(mark) {
                    return;
                }
                told.await;
            }
        }
    }

    /// The end of everything that was accepted, from now on or at once if it has been reached.
    pub(crate) fn ended(&self) -> impl Future<Output = DrainReport> + Send + use<T, K, V, E> {
        let ending = Arc::clone(&self.ended);
        async move {
            ending.reached.wait().await;
            // The report is set before the end is announced.
            ending.report.get().copied().unwrap_or_default()
        }
    }

    pub(crate) fn reconfigure(self: &Arc<Self>, options: &BatcherOptions) {
        self.change(|desk, todo| desk.follow(options, todo));
    }

    pub(crate) fn stats(&self) -> Stats {
        self.lock().stats()
    }

    pub(crate) const fn signals(&self) -> &SignalSink {
        &self.signals
    }

    /// Changes what lies under the lock, and does the rest when the lock is free.
    fn change<R>(self: &Arc<Self>, change: impl FnOnce(&mut Desk<T, K, V, E>, &mut Todo<T, K>) -> R) -> R {
        let mut todo = Todo::new();
        self.change_with(&mut todo, change)
    }

    /// Like [`change`](Self::change), for who has a list of what is to be done, which is empty and will be again.
    fn change_with<R>(
        self: &Arc<Self>,
        todo: &mut Todo<T, K>,
        change: impl FnOnce(&mut Desk<T, K, V, E>, &mut Todo<T, K>) -> R,
    ) -> R {
        let result = change(&mut self.lock(), todo);
        self.carry_out(todo);
        result
    }

    fn carry_out(self: &Arc<Self>, todo: &mut Todo<T, K>) {
        if let Some(report) = todo.ended.take() {
            // The end is found once, so nothing was set before.
            self.ended.report.get_or_init(|| report);
            self.ended.reached.set();
        }
        for _ in 0..std::mem::take(&mut todo.starts) {
            (self.start_worker)(Arc::clone(self));
        }
        if std::mem::take(&mut todo.tells_keeper) {
            self.keeper.notify_one();
        }
        if std::mem::take(&mut todo.has_progressed) {
            self.progress.notify_waiters();
        }
        // What wakers, items and keys do when they are woken or dropped is foreign: its panic is nobody else's.
        let worker = todo.worker.take();
        for waker in worker.into_iter().chain(todo.wakers.drain(..)) {
            contain(|| waker.wake());
        }
        todo.drop_foreign();
    }

    /// Keys, identities and wakers are foreign code; whatever of it panicked, the desk's own steps are whole.
    fn lock(&self) -> MutexGuard<'_, Desk<T, K, V, E>> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T, K> Refused<T, K> {
    pub(crate) const fn is_full(&self) -> bool {
        matches!(self.why, desk::Why::Room(NoRoom::Full))
    }
}
