//! Work in the order of its arrival within each key.

mod feed;

use std::fmt::{self, Display};
use std::hash::Hash;
use std::sync::Arc;

use dayfly_signal::SignalSink;
use futures_util::FutureExt;

use crate::contain::{brief, contain};
use crate::control::{Handle, control};
use crate::engine::{AttemptEnd, Engine, Manner, Offer};
use crate::intake::intake;
use crate::keys::{Keys, Sorting};
use crate::schedule::{Keyed, KeyedRules};
use crate::{
    CoordinatorOptions, EnqueueError, KeyStats, Operation, OperationId, OperationSnapshot, Outcome,
    TryEnqueueError, WeakHandle,
};

/// Runs items through a body, in order within each key, many keys at once.
///
/// With one operation per key, which is the default, a key's items complete in the order of enqueueing, also when
/// one of them asks for another attempt: the key stays parked until that item has ended, and other keys go on. Keys
/// take turns, so a key with little work never waits for the backlog of another. Memory follows the keys that have
/// work, not those that ever had.
///
/// A key's own methods are foreign code. One that panics in the call that hands an item in panics there, and the item did
/// not go in. Where the coordinator copies or drops a key, the item at hand counts as panicked, or goes on and is not
/// remembered by the window, and nothing else is hurt.
///
/// A handle is cheap to clone. When the last one is dropped, intake ends and what was accepted is still finished.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::time::Duration;
/// use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation, SignalSink};
///
/// struct Order { customer: u32, amount: u32 }
///
/// let signals = SignalSink::default();
/// let orders = KeyedCoordinator::spawn(
///     CoordinatorOptions::new().max_concurrency(8),
///     &signals,
///     |order: &Order| order.customer,
///     |order: Order, op: Operation| async move {
///         match (order.amount, op.attempt()) {
///             (0, _) => op.fail("nothing to pay"),
///             (_, 1) => op.again(order, Duration::from_millis(5)),   // later orders of this customer wait
///             _ => op.done(),
///         }
///     },
/// );
/// for (customer, amount) in [(1, 30), (2, 20), (1, 0)] {
///     orders.enqueue(Order { customer, amount }).await.unwrap();
/// }
/// let report = orders.drain().await;
/// assert_eq!((report.completed, report.failed), (2, 1));
/// # }
/// ```
pub struct KeyedCoordinator<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + 'static,
{
    handle: Arc<Handle<Keyed<T, K>>>,
    sorting: Arc<Sorting<K, T>>,
    /// How many items a feeder may set aside.
    max_aside: usize,
}

impl<K, T> KeyedCoordinator<K, T>
where
    K: Eq + Hash + Clone + Display + Send + Sync + 'static,
    T: Send + 'static,
{
    /// Starts a coordinator on the current Tokio runtime.
    ///
    /// `key_of` says which key an item belongs to; it is asked once per item, in the producer's call. A key's text,
    /// as `Display` writes it, is what a keyed signal has to name to gate this key alone. The body is as for
    /// [`Coordinator::spawn`](crate::Coordinator::spawn).
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(
        options: CoordinatorOptions,
        signals: &SignalSink,
        key_of: impl Fn(&T) -> K + Send + Sync + 'static,
        body: F,
    ) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T>> + Send + 'static,
    {
        Self::spawn_with(options, signals, Keys::of(key_of), body)
    }

    /// Starts a coordinator whose keys have weights or lanes.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn_with<F, Fut>(
        options: CoordinatorOptions,
        signals: &SignalSink,
        keys: Keys<K, T>,
        body: F,
    ) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T>> + Send + 'static,
    {
        Self::spawn_salvaging(options, signals, keys, body, |item, _| drop(item))
    }

    /// Like [`spawn_with`](Self::spawn_with), for items that are too good to be dropped: `salvage` gets every accepted
    /// item that will not run (again), with what its operation was: cancelled or skipped before its start, or
    /// [given up](Self::give_up) or cancelled while it waited for another attempt. It runs in the call that ended the
    /// operation and never under a lock; a panic is contained. An item whose key panics when it is copied is dropped: there
    /// is nothing to tell of its operation.
    ///
    /// What a body has taken over is its own: a body that is dropped on the way drops it.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn_salvaging<F, Fut>(
        options: CoordinatorOptions,
        signals: &SignalSink,
        keys: Keys<K, T>,
        body: F,
        salvage: impl Fn(T, &OperationSnapshot<K>) + Send + Sync + 'static,
    ) -> Self
    where
        F: Fn(T, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<T>> + Send + 'static,
    {
        let (queued_per_key, queue_capacity) = (options.queued_per_key(), options.queue_capacity);
        let manner = Manner {
            // It is asked under a lock too, where a panic would cost more than the key.
            key_text: |key: &K| contain(|| key.to_string()),
            keys_gate: true,
            max_queued: Some(Box::new(move |_| queued_per_key)),
            lanes: Vec::new(),
            lane_of: |_| None,
            discard: Box::new(salvage),
            crew: None,
        };
        let Keys { sorting, weight } = keys;
        let schedule = Keyed::new(KeyedRules {
            per_key: options.max_concurrency_per_key,
            burst: options.burst,
            lanes: sorting.lanes,
            weight,
        });
        let body = move |item, op| body(item, op).map(AttemptEnd::of);
        let engine = Engine::spawn(options, signals, schedule, manner, body);
        Self { handle: Arc::new(Handle { engine }), sorting: Arc::new(sorting), max_aside: queue_capacity }
    }
}

impl<K, T> KeyedCoordinator<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + 'static,
{
    /// Hands an item in, waiting in line for room of its key and for room in all.
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

    /// Hands an item in if there is room now, for its key and in all.
    ///
    /// # Errors
    /// The item comes back when the queue or the key's part of it is full, or the coordinator is closed.
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

    /// Like [`room`](Self::room), for a key's part of the queue: what [`max_queued_per_key`] bounds. It says nothing of room
    /// in all.
    ///
    /// So a feeder that goes past a key without room comes back to it when there is some, for as many items at a time as
    /// it likes.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use dayfly::{CoordinatorOptions, KeyedCoordinator, SignalSink, TryEnqueueError};
    ///
    /// const WORK: CoordinatorOptions = CoordinatorOptions::new().max_queued_per_key(2);
    ///
    /// let work = KeyedCoordinator::spawn(WORK, &SignalSink::default(), |key: &u32| *key, |_: u32, _| async {});
    /// while work.try_enqueue(7) != Err(TryEnqueueError::KeyFull(7)) {}
    /// work.try_enqueue(8).unwrap();
    /// work.room_of(&7, 2).await;
    /// work.try_enqueue(7).unwrap();
    /// # }
    /// ```
    ///
    /// # Cancel safety
    /// Nothing is lost: dropping the future only ends the wait.
    ///
    /// [`max_queued_per_key`]: crate::CoordinatorOptions::max_queued_per_key
    pub async fn room_of(&self, key: &K, operations: usize) {
        self.handle.engine.room(Some(key.clone()), operations).await;
    }

    /// Starts nothing of this key until [`resume_key`](Self::resume_key); other keys go on. What runs goes on, and work
    /// of the key is still taken in.
    pub fn pause_key(&self, key: K) {
        self.handle.engine.reschedule(|schedule| schedule.pause_key(key));
    }

    /// Ends the pause of a key. Says whether it was paused.
    pub fn resume_key(&self, key: &K) -> bool {
        self.handle.engine.reschedule(|schedule| schedule.resume_key(key))
    }

    /// The figures of one key; zeros when it has no work.
    #[must_use]
    pub fn key_stats(&self, key: &K) -> KeyStats {
        self.handle.engine.ask(|schedule, room| KeyStats {
            paused: schedule.is_paused(key),
            ..room.place_of(key).map_or_else(KeyStats::default, |at| schedule.key_stats(at))
        })
    }

    /// The `n` keys with the most work, the most first. Costs a look at every key that has work.
    #[must_use]
    pub fn hottest(&self, n: usize) -> Vec<(K, KeyStats)> {
        self.handle.engine.ask(|schedule, room| {
            let known = schedule.hottest(n).into_iter().filter_map(|at| Some((at, room.key_of(at)?)));
            let stats = |at, key| KeyStats { paused: schedule.is_paused(key), ..schedule.key_stats(at) };
            known.map(|(at, key)| (key.clone(), stats(at, key))).collect()
        })
    }

    /// Ends an operation that waits for its next attempt as failed, with this error; one that runs now ends so if it asks
    /// for another attempt, also when it is [hastened](Self::hasten) after this. Says whether it waits or runs.
    pub fn give_up(&self, id: OperationId, error: &impl Display) -> bool {
        self.handle.engine.give_up(id, &brief(error))
    }

    /// Takes everything of a key out that has not started and does not wait for another attempt, and hands it back in the
    /// order in which it would have started. It counts as cancelled.
    ///
    /// What a worker has claimed for its very next starts is in its hands already. Of a key whose one place is taken,
    /// by an operation that runs or waits for its next attempt, there is nothing of that kind.
    pub fn take_queued(&self, key: &K) -> Vec<T> {
        self.handle
            .engine
            .take_out(|schedule, room| room.place_of(key).map(|at| schedule.take_key(at)).unwrap_or_default())
    }

    fn offer(&self, item: T) -> Offer<T, K> {
        self.sorting.sort(item)
    }

    /// A handle that does not keep the coordinator open.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle<Self> {
        let handle = Arc::downgrade(&self.handle);
        let (sorting, max_aside) = (Arc::clone(&self.sorting), self.max_aside);
        WeakHandle::new(move || {
            Some(Self { handle: handle.upgrade()?, sorting: Arc::clone(&sorting), max_aside })
        })
    }
}

control!([K, T] KeyedCoordinator<K, T>, K, [K: Eq + Hash + Clone + Send + Sync + 'static, T: Send + 'static]);

intake!([K, T] KeyedCoordinator<K, T>, T, [K: Eq + Hash + Clone + Send + Sync + 'static, T: Send + 'static]);

impl<K, T> Clone for KeyedCoordinator<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + 'static,
{
    fn clone(&self) -> Self {
        Self {
            handle: Arc::clone(&self.handle),
            sorting: Arc::clone(&self.sorting),
            max_aside: self.max_aside,
        }
    }
}

impl<K, T> fmt::Debug for KeyedCoordinator<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedCoordinator").field("stats", &self.stats()).finish()
    }
}
