//! Work in the order of its arrival.

use std::fmt;
use std::sync::Arc;

use dayfly_signal::SignalSink;
use futures_util::FutureExt;

use crate::control::{Handle, control};
use crate::engine::{AttemptEnd, Engine, Manner, Offer};
use crate::feed::feed;
use crate::intake::intake;
use crate::schedule::Fifo;
use crate::{CoordinatorOptions, EnqueueError, Operation, OperationId, Outcome, TryEnqueueError, WeakHandle};

/// Runs items through a body, at most so many at once, in the order of their arrival.
///
/// A handle is cheap to clone. When the last one is dropped, intake ends and what was accepted is still finished.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly::{Coordinator, CoordinatorOptions, Operation, SignalSink};
///
/// const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(4).queue_capacity(100);
///
/// let signals = SignalSink::default();
/// let squares = Coordinator::spawn(WORK, &signals, |number: u64, op: Operation| async move {
///     op.raise("square.made");
///     number.checked_mul(number).ok_or("too large")
/// });
/// for number in [2, 3, u64::MAX] {
///     squares.enqueue(number).await.unwrap();
/// }
/// let report = squares.drain().await;
/// assert_eq!((report.completed, report.failed), (2, 1));
/// assert_eq!(squares.failed()[0].error.as_deref(), Some("too large"));
/// # }
/// ```
pub struct Coordinator<T: Send + 'static> {
    handle: Arc<Handle<Fifo<T>>>,
}

impl<T: Send + 'static> Coordinator<T> {
    /// Starts a coordinator on the current Tokio runtime.
    ///
    /// The body gets each item with its [`Operation`]; it ends with `()`, a `Result`, or what
    /// [`Operation::done`], [`fail`](Operation::fail) and [`again`](Operation::again) return.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(options: CoordinatorOptions, signals: &SignalSink, body: F) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T>> + Send + 'static,
    {
        let manner = Manner::plain(|item, _| drop(item));
        let body = move |item, op| body(item, op).map(AttemptEnd::of);
        let engine = Engine::spawn(options, signals, Fifo::new(), manner, body);
        Self { handle: Arc::new(Handle { engine }) }
    }

    /// Hands an item in, waiting in line for room if there is none.
    ///
    /// # Errors
    /// The item comes back when the coordinator is closed, also while this waits.
    ///
    /// # Cancel safety
    /// The item was accepted if and only if this returned `Ok`. A future that is dropped before drops its item
    /// with it and leaves its place in line to the next; to keep the item, use [`try_enqueue`](Self::try_enqueue).
    pub async fn enqueue(&self, item: T) -> Result<OperationId, EnqueueError<T>> {
        self.handle.engine.enqueue(self.offer(item)).await
    }

    /// Hands an item in if there is room now.
    ///
    /// # Errors
    /// The item comes back when the queue is full or the coordinator is closed.
    pub fn try_enqueue(&self, item: T) -> Result<OperationId, TryEnqueueError<T>> {
        self.handle.engine.try_enqueue(self.offer(item))
    }

    /// Like [`enqueue`](Self::enqueue), under an id that the caller brings: one that it drew beforehand from
    /// [`OperationId::next`], or that it got from elsewhere and answers for.
    ///
    /// # Errors
    /// The item comes back when the coordinator is closed, also while this waits, and when another operation under an
    /// id that a caller brought has the same one and has not ended.
    ///
    /// # Cancel safety
    /// As for [`enqueue`](Self::enqueue).
    pub async fn enqueue_as(&self, id: OperationId, item: T) -> Result<OperationId, EnqueueError<T>> {
        self.handle.engine.enqueue(Offer { id: Some(id), ..self.offer(item) }).await
    }

    /// Like [`try_enqueue`](Self::try_enqueue), under an id that the caller brings, as for
    /// [`enqueue_as`](Self::enqueue_as).
    ///
    /// # Errors
    /// As for [`try_enqueue`](Self::try_enqueue), and when the id is in use.
    pub fn try_enqueue_as(&self, id: OperationId, item: T) -> Result<OperationId, TryEnqueueError<T>> {
        self.handle.engine.try_enqueue(Offer { id: Some(id), ..self.offer(item) })
    }

    #[expect(clippy::unused_self, reason = "other shells sort their items")]
    const fn offer(&self, item: T) -> Offer<T, ()> {
        Offer::new((), item)
    }

    /// A handle that does not keep the coordinator open.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle<Self> {
        let handle = Arc::downgrade(&self.handle);
        WeakHandle::new(move || Some(Self { handle: handle.upgrade()? }))
    }
}

control!([T] Coordinator<T>, (), [T: Send + 'static]);
intake!([T] Coordinator<T>, T, [T: Send + 'static]);
feed!(enqueue, [T] Coordinator<T>, T, [T: Send + 'static]);

impl<T: Send + 'static> Clone for Coordinator<T> {
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle) }
    }
}

impl<T: Send + 'static> fmt::Debug for Coordinator<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Coordinator").field("stats", &self.stats()).finish()
    }
}
