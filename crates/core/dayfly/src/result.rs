//! Work whose results are wanted one by one.

use std::any::Any;
use std::fmt::{self, Display};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Weak};

use dayfly_signal::SignalSink;
use futures_util::FutureExt;

use crate::contain::dispose;
use crate::control::{Handle, control};
use crate::engine::{Answer, AttemptEnd, Engine, Manner, Offer};
use crate::feed::feed;
use crate::schedule::Fifo;
use crate::ticket::{Answered, Kill, Reply, Ticket, TicketError, Ticketed};
use crate::{
    CoordinatorOptions, Crew, Ended, EnqueueError, Operation, OperationId, OperationSnapshot, OperationState,
    Outcome, TryEnqueueError, WeakHandle,
};

/// Runs items through a body as [`Coordinator`](crate::Coordinator) does, and hands out a [`Ticket`] for each: a future
/// of what the body yields.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::{CoordinatorOptions, ResultCoordinator, SignalSink, TicketError};
///
/// let signals = SignalSink::default();
/// let squares = ResultCoordinator::spawn(CoordinatorOptions::new(), &signals, |number: u64, _| async move {
///     number.checked_mul(number).ok_or("too large")
/// });
/// let three = squares.submit(3).await.unwrap();
/// let huge = squares.submit(u64::MAX).await.unwrap();
/// assert_eq!(huge.await, Err(TicketError::Failed("too large")));
/// assert_eq!(three.await, Ok(9));
/// # }
/// ```
pub struct ResultCoordinator<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    handle: Arc<Handle<Calls<T, V, E>>>,
}

impl<T, V, E> ResultCoordinator<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    /// Starts a coordinator on the current Tokio runtime.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(options: CoordinatorOptions, signals: &SignalSink, body: F) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T, Value = V, Error = E>> + Send + 'static,
    {
        Self::start(Manner::plain(discard), options, signals, body)
    }

    /// Starts a coordinator on the current Tokio runtime whose workers a crew drives: each runs one body after the other,
    /// and these may block. Everything else, the waits for time and for signals, remains with the runtime.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled, and when the crew cannot take a worker on.
    pub fn spawn_on<F, Fut>(crew: Crew, options: CoordinatorOptions, signals: &SignalSink, body: F) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T, Value = V, Error = E>> + Send + 'static,
    {
        let manner = Manner { crew: Some(crew), ..Manner::plain(discard) };
        let work = Self::start(manner, options, signals, body);
        work.handle.engine.start_workers();
        work
    }

    fn start<F, Fut>(
        manner: Manner<Ticketed<T, V, E>, ()>,
        options: CoordinatorOptions,
        signals: &SignalSink,
        body: F,
    ) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T, Value = V, Error = E>> + Send + 'static,
    {
        let body = move |ticketed: Ticketed<T, V, E>, op: Operation| {
            let Ticketed { item, mut reply } = ticketed;
            // The call itself may panic as well as the future, and the ticket has to hear of either.
            let begun = catch_unwind(AssertUnwindSafe(|| body(item, op)));
            async move {
                let future = match begun {
                    Ok(future) => future,
                    Err(panic) => return panicked(panic, reply),
                };
                let ends = async { answer(future.await, &mut reply) };
                match AssertUnwindSafe(ends).catch_unwind().await {
                    Ok(end) => end,
                    Err(panic) => panicked(panic, reply),
                }
            }
        };
        let engine = Engine::spawn(options, signals, Fifo::new(), manner, body);
        Self { handle: Arc::new(Handle { engine }) }
    }

    /// Hands an item in, waiting in line for room if there is none, and returns the ticket for what it yields.
    ///
    /// Where nothing else runs or waits, and bodies have been quick so far, the body is made and polled once in this
    /// call, which saves waking a worker; one that suspends goes on in a worker, whatever becomes of the caller. All
    /// limits, gates and pauses hold as ever.
    ///
    /// # Errors
    /// The item comes back when the coordinator is closed, also while this waits.
    ///
    /// # Cancel safety
    /// The item was accepted if and only if this returned `Ok`. A future that is dropped before drops its item
    /// with it and leaves its place in line to the next; to keep the item, use [`try_submit`](Self::try_submit).
    pub async fn submit(&self, item: T) -> Result<Ticket<V, E>, EnqueueError<T>> {
        self.submit_under(None, item).await
    }

    /// Like [`submit`](Self::submit), under an id that the caller brings: one that it drew beforehand from
    /// [`OperationId::next`], or that it got from elsewhere and answers for.
    ///
    /// # Errors
    /// The item comes back when the coordinator is closed, also while this waits, and when another operation under an
    /// id that a caller brought has the same one and has not ended.
    ///
    /// # Cancel safety
    /// As for [`submit`](Self::submit).
    pub async fn submit_as(&self, id: OperationId, item: T) -> Result<Ticket<V, E>, EnqueueError<T>> {
        self.submit_under(Some(id), item).await
    }

    async fn submit_under(&self, id: Option<OperationId>, item: T) -> Result<Ticket<V, E>, EnqueueError<T>> {
        let (ticketed, answer) = Ticketed::new(item);
        let offer = Offer { id, ..Offer::new((), ticketed) };
        match self.handle.engine.run(offer).await {
            Ok(id) => Ok(Ticket::new(id, answer, self.killer())),
            Err(refused) => Err(refused.map(|ticketed| ticketed.item)),
        }
    }

    /// Hands an item in if there is room now, and returns the ticket for what it yields.
    ///
    /// # Errors
    /// The item comes back when the queue is full or the coordinator is closed.
    pub fn try_submit(&self, item: T) -> Result<Ticket<V, E>, TryEnqueueError<T>> {
        self.try_submit_under(None, item)
    }

    /// Like [`try_submit`](Self::try_submit), under an id that the caller brings, as for [`submit_as`](Self::submit_as).
    ///
    /// # Errors
    /// As for [`try_submit`](Self::try_submit), and when the id is in use.
    pub fn try_submit_as(&self, id: OperationId, item: T) -> Result<Ticket<V, E>, TryEnqueueError<T>> {
        self.try_submit_under(Some(id), item)
    }

    fn try_submit_under(&self, id: Option<OperationId>, item: T) -> Result<Ticket<V, E>, TryEnqueueError<T>> {
        let (ticketed, answer) = Ticketed::new(item);
        match self.handle.engine.try_enqueue(Offer { id, ..Offer::new((), ticketed) }) {
            Ok(id) => Ok(Ticket::new(id, answer, self.killer())),
            Err(refused) => Err(refused.map(|ticketed| ticketed.item)),
        }
    }

    /// For work whose results nobody wants one by one.
    async fn hand_in(&self, item: T) -> Result<OperationId, EnqueueError<T>> {
        let (ticketed, _) = Ticketed::new(item);
        let taken_in = self.handle.engine.enqueue(Offer::new((), ticketed)).await;
        taken_in.map_err(|refused| refused.map(|ticketed| ticketed.item))
    }

    fn killer(&self) -> Weak<dyn Kill> {
        let engine: Weak<Engine<_>> = Arc::downgrade(&self.handle.engine);
        engine
    }

    /// A handle that does not keep the coordinator open.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle<Self> {
        let handle = Arc::downgrade(&self.handle);
        WeakHandle::new(move || Some(Self { handle: handle.upgrade()? }))
    }
}

/// What an outcome means for the engine and for the ticket. Foreign code runs here: the outcome's, and the error's text.
fn answer<T, V, E>(outcome: impl Outcome<T, Value = V, Error = E>, reply: &mut Reply<V, E>) -> End<T, V, E>
where
    V: Send + 'static,
    E: Display + Send + 'static,
{
    match outcome.into_ended() {
        Ended::Again { item, after } => {
            AttemptEnd::Again { item: Ticketed { item, reply: reply.take() }, after }
        }
        Ended::Done(value) => AttemptEnd::done().with(reply.take().answered(Ok(value))),
        Ended::Failed(error) => {
            let end = AttemptEnd::failed(&error);
            end.with(reply.take().answered(Err(TicketError::Failed(error))))
        }
    }
}

fn panicked<T, V, E>(panic: Box<dyn Any + Send>, reply: Reply<V, E>) -> End<T, V, E>
where
    V: Send + 'static,
    E: Send + 'static,
{
    let end = AttemptEnd::panicked(&*panic).with(reply.answered(Err(TicketError::Panicked)));
    dispose(panic);
    end
}

/// Tells the ticket why its operation will not run.
fn discard<T, V, E>(ticketed: Ticketed<T, V, E>, operation: &OperationSnapshot)
where
    V: Send,
    E: Send,
{
    let reason = match operation.state {
        OperationState::Skipped => TicketError::Skipped,
        _ => TicketError::Cancelled,
    };
    ticketed.reply.answered(Err(reason)).give();
}

type Calls<T, V, E> = Fifo<Ticketed<T, V, E>, Answered<V, E>>;

type End<T, V, E> = AttemptEnd<Ticketed<T, V, E>, Answered<V, E>>;

control!([T, V, E] ResultCoordinator<T, V, E>, (), [T: Send + 'static, V: Send + 'static, E: Display + Send + 'static]);

feed!(hand_in, [T, V, E] ResultCoordinator<T, V, E>, T, [T: Send + 'static, V: Send + 'static, E: Display + Send + 'static]);

impl<T, V, E> Clone for ResultCoordinator<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<T, V, E> fmt::Debug for ResultCoordinator<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResultCoordinator").field("stats", &self.stats()).finish()
    }
}
