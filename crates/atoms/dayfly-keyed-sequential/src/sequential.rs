//! Work in order per key that stops the line.

use std::fmt::{self, Display};
use std::hash::Hash;
use std::sync::Arc;

use dayfly::{
    CoordinatorOptions, KeyedCoordinator, Keys, Operation, OperationSnapshot, Outcome, SignalSink, WeakHandle,
};

use crate::attempt::{Entry, attempt};
use crate::line::{Line, SharedLine};
use crate::watch::ParkedWatch;
use crate::{GivenUp, Parked, SequentialOptions};

/// Runs items through a body in order within each key, and stops a key's line when one of its items fails.
///
/// The key of an item whose body fails or panics is **parked**: nothing of it runs until somebody calls
/// [`retry`](Self::retry), [`skip`](Self::skip) or [`discard`](Self::discard). Other keys go on, at no cost. Parked keys
/// are [listed](Self::parked) with their error, can be [watched](Self::watch_parked), and are shown by a signal
/// ([`parked_signal`](SequentialOptions::parked_signal), with the key as its key) that stays raised as long as the key is
/// parked.
///
/// A handle is cheap to clone. When the last one is dropped, intake ends and what was accepted is still finished; but
/// since nobody is left to unpark a key, the lines of parked keys, and of those that come to it, end: the failed item
/// and everything behind it counts as failed and is given up.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
/// use dayfly_keyed_sequential::{KeyedSequential, SequentialOptions, SignalSink};
///
/// let is_up = Arc::new(AtomicBool::new(false));
/// let database = is_up.clone();
/// let writes = KeyedSequential::spawn(
///     SequentialOptions::new(),
///     &SignalSink::default(),
///     |write: &(u32, &str)| write.0,
///     move |write: Arc<(u32, &str)>, _| {
///         let is_up = database.load(Ordering::SeqCst);
///         async move { if is_up || write.0 != 1 { Ok(()) } else { Err("the database is away") } }
///     },
/// );
/// for write in [(1, "open"), (1, "change"), (2, "open")] {
///     writes.enqueue(write).await.unwrap();
/// }
/// let parked = writes.watch_parked().changed().await.unwrap();
/// assert_eq!((parked[0].key, &*parked[0].error), (1, "the database is away"));
///
/// is_up.store(true, Ordering::SeqCst);
/// writes.retry_all();                             // "open" first, then "change"
/// assert_eq!(writes.drain().await.figures.completed, 3);
/// # }
/// ```
pub struct KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    pub(crate) shared: Arc<Shared<K, T>>,
}

/// What the handles have in common. When the last one goes, nobody is left to unpark keys.
pub(crate) struct Shared<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    pub(crate) work: KeyedCoordinator<K, Entry<T>>,
    pub(crate) line: SharedLine<K, T>,
    /// The options of the start.
    pub(crate) options: SequentialOptions,
}

impl<K, T> Drop for Shared<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    fn drop(&mut self) {
        for parking in self.line.abandon() {
            self.work.hasten(parking.id);
        }
    }
}

impl<K, T> KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Display + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// Starts on the current Tokio runtime.
    ///
    /// `key_of` says which key an item belongs to; it is asked once per item, in the producer's call. The body gets a
    /// share of the item, so that the item outlives an attempt however that ends, and its [`Operation`]. It ends with
    /// `()`, with a `Result`, or with `op.again(item, after)` for another attempt by itself, before which nothing of the
    /// key runs either.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(
        options: SequentialOptions,
        signals: &SignalSink,
        key_of: impl Fn(&T) -> K + Send + Sync + 'static,
        body: F,
    ) -> Self
    where
        F: Fn(Arc<T>, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<Arc<T>>> + Send + 'static,
    {
        Self::spawn_with(options, signals, Keys::of(key_of), body)
    }

    /// Starts with keys that have weights or lanes. With lanes the order holds within each lane of a key; a failed item
    /// stops all of them, and comes before all of them when it is retried.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn_with<F, Fut>(
        options: SequentialOptions,
        signals: &SignalSink,
        keys: Keys<K, T>,
        body: F,
    ) -> Self
    where
        F: Fn(Arc<T>, Operation) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Outcome<Arc<T>>> + Send + 'static,
    {
        let line = Arc::new(Line::new(&options, signals));
        let (of_bodies, of_ends) = (Arc::clone(&line), Arc::clone(&line));
        let body = Arc::new(body);
        let salvage = move |entry: Entry<T>, operation: &OperationSnapshot<K>| {
            of_ends.end(GivenUp {
                id: operation.id,
                key: operation.key.clone(),
                item: entry.item,
                attempts: operation.attempt,
                error: entry.error,
                state: operation.state,
            });
        };
        let work = KeyedCoordinator::spawn_salvaging(
            options.work.clone(),
            signals,
            keys.within(|entry: &Entry<T>| &*entry.item),
            move |entry, op| attempt(entry, op, Arc::clone(&body), Arc::clone(&of_bodies)),
            salvage,
        );
        Self { shared: Arc::new(Shared { work, line, options }) }
    }
}

impl<K, T> KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// Unparks a key: its failed item runs again first, under the same id, then the rest in order. Says whether the key
    /// was parked.
    ///
    /// It acts when called. The item starts as soon as there is a slot and the gates are open.
    pub fn retry(&self, key: &K) -> bool {
        let Some(parking) = self.shared.line.release(key) else { return false };
        self.shared.work.hasten(parking.id);
        true
    }

    /// Unparks every key that is parked now, as [`retry`](Self::retry) does, and says how many.
    pub fn retry_all(&self) -> usize {
        self.shared.line.keys().iter().filter(|key| self.retry(key)).count()
    }

    /// Unparks a key without its failed item, which is handed back; the key goes on with the next. Nothing if the key was
    /// not parked.
    ///
    /// It acts when called. The operation counts as failed, with its error. Unless the body has kept its share, the item
    /// can be had by `Arc::into_inner` once the operation has ended.
    pub fn skip(&self, key: &K) -> Option<Arc<T>> {
        let parking = self.shared.line.remove(key)?;
        self.shared.work.give_up(parking.id, &parking.error);
        Some(parking.item)
    }

    /// Unparks a key without its failed item and without everything of the key that waits behind it. All of it is handed
    /// back, the failed item first; nothing if the key was not parked.
    ///
    /// It acts when called. The failed item counts as failed, with its error, the others as cancelled. What is accepted
    /// from then on runs.
    pub fn discard(&self, key: &K) -> Vec<Arc<T>> {
        let Some(parking) = self.shared.line.remove(key) else { return Vec::new() };
        // In this order: as long as the failed item holds the key, nothing behind it can start.
        let behind = self.shared.work.take_queued(key);
        self.shared.work.give_up(parking.id, &parking.error);
        std::iter::once(parking.item).chain(behind.into_iter().map(|entry| entry.item)).collect()
    }

    /// The parked keys, those first that are parked for longest.
    #[must_use]
    pub fn parked(&self) -> Vec<Parked<K>> {
        self.shared.line.list()
    }

    /// A key's failed item, if the key is parked.
    #[must_use]
    pub fn parked_key(&self, key: &K) -> Option<Parked<K>> {
        self.shared.line.get(key)
    }

    /// How many keys are parked.
    #[must_use]
    pub fn parked_count(&self) -> usize {
        self.shared.line.len()
    }

    /// Tells of every change of the parked keys from now on; also at once if any are parked already.
    #[must_use]
    pub fn watch_parked(&self) -> ParkedWatch<K, T> {
        let mut changes = self.shared.line.subscribe();
        if self.parked_count() > 0 {
            changes.mark_changed();
        }
        ParkedWatch { line: Arc::downgrade(&self.shared.line), changes }
    }

    /// Items that were accepted and given up, oldest first: they were cancelled, killed or skipped by a signal, or lost
    /// with the runtime. What [`skip`](Self::skip) and [`discard`](Self::discard) have handed back is not among them.
    ///
    /// As many are kept as can be accepted at once ([`most_at_once`](CoordinatorOptions::most_at_once)), the newest; what
    /// is forgotten for that is counted in the report.
    #[must_use]
    pub fn given_up(&self) -> Vec<GivenUp<K, T>> {
        self.shared.line.given_up().0
    }

    /// Takes the items out that [`given_up`](Self::given_up) lists.
    pub fn take_given_up(&self) -> Vec<GivenUp<K, T>> {
        self.shared.line.take_given_up()
    }

    /// A handle that does not keep intake open, nor lines.
    #[must_use]
    pub fn downgrade(&self) -> WeakHandle<Self> {
        let shared = Arc::downgrade(&self.shared);
        WeakHandle::new(move || Some(Self { shared: shared.upgrade()? }))
    }

    /// As many items are listed as given up as can be accepted at once.
    pub(crate) fn list_at_least(&self, options: &CoordinatorOptions) {
        self.shared.line.list_at_least(options.most_at_once());
    }
}

impl<K, T> Clone for KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<K, T> fmt::Debug for KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedSequential")
            .field("parked", &self.parked_count())
            .field("stats", &self.stats())
            .finish()
    }
}
