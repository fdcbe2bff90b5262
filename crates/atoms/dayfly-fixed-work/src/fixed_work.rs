//! A fixed number of workers, in the runtime or on threads of their own.

use std::convert::Infallible;
use std::fmt::{self, Display};
use std::future::ready;
use std::sync::Arc;
use std::thread;

use dayfly::{
    CoordinatorOptions, EnqueueError, Fixed, Operation, OperationId, Outcome, Reconfigure, ResultCoordinator,
    SignalSink, Ticket, TryEnqueueError, WeakHandle,
};

use crate::crew::threads;
use crate::{FixedWorkOptions, SpawnError};

/// Runs items through a body, a fixed number at once, in the order in which they came.
///
/// | made by | the body is | and runs |
/// |---|---|---|
/// | [`spawn`](Self::spawn) | async | in the runtime |
/// | [`spawn_cpu`](Self::spawn_cpu) | a plain function that computes | on threads of its own, as many as there are cores |
/// | [`spawn_blocking`](Self::spawn_blocking) | a plain function that waits | on threads of its own, 16 |
///
/// Work goes in through a bound: with [`enqueue`](Self::enqueue), or with [`submit`](Self::submit) for a [`Ticket`] that
/// yields what the body does. A body that panics costs its own operation; its thread lives on.
///
/// A thread cannot be killed. A body that is cancelled sees it in
/// [`Operation::is_cancelled`]; until it returns, it keeps its thread and its slot, and counts as running.
///
/// A handle is cheap to clone. When the last one is dropped, intake ends and what was accepted is still finished; then the
/// threads end by themselves. Nothing waits for them, so a handle can be dropped anywhere.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_fixed_work::{FixedWork, FixedWorkOptions, Operation, SignalSink};
///
/// let hashes = FixedWork::spawn_cpu(
///     FixedWorkOptions::new().workers(2),
///     &SignalSink::default(),
///     |text: String, op: Operation| {
///         let mut hash = 5381_u64;
///         for (at, byte) in text.bytes().enumerate() {
///             if at % 1024 == 0 && op.is_cancelled() {
///                 return Err("cancelled");                // nobody else can end it
///             }
///             hash = hash.wrapping_mul(33) ^ u64::from(byte);
///         }
///         Ok(hash)
///     },
/// );
/// let ticket = hashes.submit("mayfly".to_owned()).await.unwrap();
/// assert!(ticket.await.is_ok());
/// hashes.enqueue("nobody wants the result".to_owned()).await.unwrap();
/// assert_eq!(hashes.drain().await.completed, 2);
/// # }
/// ```
pub struct FixedWork<T, V = (), E = Infallible>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    pub(crate) work: ResultCoordinator<T, V, E>,
    /// Shared, so that handles are cheap to clone.
    shape: Arc<Shape>,
}

/// What holds from the start on.
struct Shape {
    options: FixedWorkOptions,
    workers: usize,
}

/// How many workers there are where bodies wait and nobody said how many.
const WAITING: usize = 16;

impl<T, V, E> FixedWork<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    /// Starts workers for async bodies, in the current Tokio runtime. The body gets the item and its [`Operation`], and
    /// must not block.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(options: FixedWorkOptions, signals: &SignalSink, body: F) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T, Value = V, Error = E>> + Send + 'static,
    {
        let workers = options.workers.unwrap_or(WAITING);
        let work = ResultCoordinator::spawn(options.work_of(workers), signals, body);
        Self::of(work, options, workers)
    }

    /// Starts threads for bodies that compute, at once: as many as the process has cores, unless
    /// [`workers`](FixedWorkOptions::workers) says otherwise.
    ///
    /// The body ends with what an async one does: `()`, a `Result`, or `op.again(item, after)`.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled, and when the system refuses a thread: where the
    /// number of workers is somebody else's choice, use [`try_spawn_cpu`](Self::try_spawn_cpu).
    #[track_caller]
    pub fn spawn_cpu<F, O>(options: FixedWorkOptions, signals: &SignalSink, body: F) -> Self
    where
        F: Fn(T, Operation) -> O + Send + Sync + 'static,
        O: Outcome<T, Value = V, Error = E>,
    {
        started(Self::try_spawn_cpu(options, signals, body))
    }

    /// Like [`spawn_cpu`](Self::spawn_cpu), and says so when the system refuses a thread.
    ///
    /// # Errors
    /// When the system refuses a thread; none is left behind.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn try_spawn_cpu<F, O>(
        options: FixedWorkOptions,
        signals: &SignalSink,
        body: F,
    ) -> Result<Self, SpawnError>
    where
        F: Fn(T, Operation) -> O + Send + Sync + 'static,
        O: Outcome<T, Value = V, Error = E>,
    {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        Self::on_threads(options, cores, signals, body)
    }

    /// Starts threads for bodies that wait in calls that block, at once: 16, unless
    /// [`workers`](FixedWorkOptions::workers) says otherwise.
    ///
    /// The body ends with what an async one does: `()`, a `Result`, or `op.again(item, after)`. It may use
    /// `Handle::current().block_on`.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled, and when the system refuses a thread: where the
    /// number of workers is somebody else's choice, use [`try_spawn_blocking`](Self::try_spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, O>(options: FixedWorkOptions, signals: &SignalSink, body: F) -> Self
    where
        F: Fn(T, Operation) -> O + Send + Sync + 'static,
        O: Outcome<T, Value = V, Error = E>,
    {
        started(Self::try_spawn_blocking(options, signals, body))
    }

    /// Like [`spawn_blocking`](Self::spawn_blocking), and says so when the system refuses a thread.
    ///
    /// # Errors
    /// When the system refuses a thread; none is left behind.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn try_spawn_blocking<F, O>(
        options: FixedWorkOptions,
        signals: &SignalSink,
        body: F,
    ) -> Result<Self, SpawnError>
    where
        F: Fn(T, Operation) -> O + Send + Sync + 'static,
        O: Outcome<T, Value = V, Error = E>,
    {
        Self::on_threads(options, WAITING, signals, body)
    }

    fn on_threads<F, O>(
        options: FixedWorkOptions,
        most: usize,
        signals: &SignalSink,
        body: F,
    ) -> Result<Self, SpawnError>
    where
        F: Fn(T, Operation) -> O + Send + Sync + 'static,
        O: Outcome<T, Value = V, Error = E>,
    {
        let workers = options.workers.unwrap_or(most);
        let crew = threads(&options, workers)?;
        // It is done before it is a future: a worker of a crew may block.
        let body = move |item, op| ready(body(item, op));
        let work = ResultCoordinator::spawn_on(crew, options.work_of(workers), signals, body);
        Ok(Self::of(work, options, workers))
    }

    fn of(work: ResultCoordinator<T, V, E>, options: FixedWorkOptions, workers: usize) -> Self {
        Self { work, shape: Arc::new(Shape { options, workers }) }
    }

    /// Hands an item in, waiting in line for room if there is none. Nobody gets what the body yields.
    ///
    /// # Errors
    /// The item comes back when intake has ended, also while this waits.
    ///
    /// # Cancel safety
    /// The item was accepted if and only if this returned `Ok`. A future that is dropped before drops its item
    /// with it and leaves its place in line to the next; to keep the item, use [`try_enqueue`](Self::try_enqueue).
    pub async fn enqueue(&self, item: T) -> Result<OperationId, EnqueueError<T>> {
        self.work.submit(item).await.map(|ticket| ticket.id())
    }

    /// Hands an item in if there is room now.
    ///
    /// # Errors
    /// The item comes back when the queue is full or intake has ended.
    pub fn try_enqueue(&self, item: T) -> Result<OperationId, TryEnqueueError<T>> {
        self.work.try_submit(item).map(|ticket| ticket.id())
    }

    /// Like [`enqueue`](Self::enqueue), and returns the ticket for what the body yields.
    ///
    /// # Errors
    /// As for [`enqueue`](Self::enqueue).
    ///
    /// # Cancel safety
    /// As for [`enqueue`](Self::enqueue).
    pub async fn submit(&self, item: T) -> Result<Ticket<V, E>, EnqueueError<T>> {
        self.work.submit(item).await
    }

    /// Like [`submit`](Self::submit), under an id that the caller brings: one that it drew beforehand from
    /// [`OperationId::next`], or that it got from elsewhere and answers for.
    ///
    /// # Errors
    /// As for [`submit`](Self::submit), and when another operation under an id that a caller brought has the same one and
    /// has not ended.
    ///
    /// # Cancel safety
    /// As for [`enqueue`](Self::enqueue).
    pub async fn submit_as(&self, id: OperationId, item: T) -> Result<Ticket<V, E>, EnqueueError<T>> {
        self.work.submit_as(id, item).await
    }

    /// Like [`try_enqueue`](Self::try_enqueue), and returns the ticket for what the body yields.
    ///
    /// # Errors
    /// As for [`try_enqueue`](Self::try_enqueue).
    pub fn try_submit(&self, item: T) -> Result<Ticket<V, E>, TryEnqueueError<T>> {
        self.work.try_submit(item)
    }

    /// How many workers there are.
    #[must_use]
    pub fn workers(&self) -> usize {
        self.shape.workers
    }

    /// The options of the start.
    #[must_use]
    pub fn options(&self) -> &FixedWorkOptions {
        &self.shape.options
    }

    /// A handle that does not keep intake open.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle<Self> {
        let (work, shape) = (self.work.downgrade(), Arc::clone(&self.shape));
        WeakHandle::new(move || Some(Self { work: work.upgrade()?, shape: Arc::clone(&shape) }))
    }

    fn followed(&self, options: &FixedWorkOptions) -> Result<CoordinatorOptions, Fixed> {
        match self.shape.options.fixed_difference(options) {
            Some(option) => Err(Fixed::new(option)),
            None => Ok(options.work_of(self.shape.workers)),
        }
    }
}

/// What stands by its word not to fail.
#[track_caller]
fn started<W>(spawned: Result<W, SpawnError>) -> W {
    match spawned {
        Ok(work) => work,
        Err(error) => panic!("{error}: {}", error.source),
    }
}

impl<T, V, E> Reconfigure<FixedWorkOptions> for FixedWork<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    fn check(&self, options: &FixedWorkOptions) -> Result<(), Fixed> {
        self.work.check(&self.followed(options)?)
    }

    fn reconfigure(&self, options: &FixedWorkOptions) -> Result<(), Fixed> {
        self.work.reconfigure(&self.followed(options)?)
    }
}

impl<T, V, E> Clone for FixedWork<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    fn clone(&self) -> Self {
        Self { work: self.work.clone(), shape: Arc::clone(&self.shape) }
    }
}

impl<T, V, E> fmt::Debug for FixedWork<T, V, E>
where
    T: Send + 'static,
    V: Send + 'static,
    E: Display + Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedWork")
            .field("workers", &self.workers())
            .field("stats", &self.work.stats())
            .finish_non_exhaustive()
    }
}
