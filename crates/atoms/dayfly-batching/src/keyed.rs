//! Batches of items that belong together.

use std::convert::Infallible;
use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::sync::{Arc, Weak};

use dayfly::SignalSink;
use hashbrown::DefaultHashBuilder;

use crate::control::{Handle, control};
use crate::engine::{Engine, Offer};
use crate::{Answer, Batch, BatchRules, BatcherOptions};

/// Gathers items into batches of one key each: per table, per partition, per customer.
///
/// The bounds of a batch are those of a [`Batcher`](crate::Batcher), for each key by itself; the queue and the slots are
/// one for all. A key has one batch in flight at a time and in order, different keys have up to
/// [`max_in_flight`](BatcherOptions::max_in_flight); keys with batches that are due take turns. At most
/// [`max_keys`](BatcherOptions::max_keys) keys have a batch that still fills: the first item of one key more flushes the
/// batch that was begun first. What is kept of a key goes with its last item.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_batching::{Batch, BatcherOptions, KeyedBatcher};
/// use dayfly::SignalSink;
///
/// struct Row { table: &'static str, id: u32 }
///
/// let rows = KeyedBatcher::spawn(
///     BatcherOptions::new().max_in_flight(4),
///     &SignalSink::default(),
///     |row: &Row| row.table,
///     |table: &'static str, rows: Batch<Row>| async move {
///         println!("{} rows into {table}", rows.len());
///         Ok::<_, std::io::Error>(rows.iter().map(|row| row.id).collect::<Vec<_>>())
///     },
/// );
/// assert_eq!(rows.submit(Row { table: "orders", id: 7 }).await.unwrap(), 7);
/// # }
/// ```
pub struct KeyedBatcher<K, T, V = (), E = Infallible>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    handle: Arc<Handle<T, K, V, E>>,
    key_of: Arc<KeyOf<K, T>>,
}

/// Says which key an item belongs to.
struct KeyOf<K, T> {
    key_of: Box<dyn Fn(&T) -> K + Send + Sync>,
    hasher: DefaultHashBuilder,
}

impl<K, T, V, E> KeyedBatcher<K, T, V, E>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    /// Starts a batcher on the current Tokio runtime. What a handler may return stands at [`Answer`].
    ///
    /// `key_of` is asked once for each item, in the producer's call, and once more for each batch, for the handler. A key
    /// is hashed in the producer's call and compared under a lock.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    pub fn spawn<F, Fut>(
        options: BatcherOptions,
        signals: &SignalSink,
        key_of: impl Fn(&T) -> K + Send + Sync + 'static,
        handler: F,
    ) -> Self
    where
        F: Fn(K, Batch<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Answer<Value = V, Error = E>> + Send + 'static,
    {
        Self::spawn_with(options, signals, key_of, BatchRules::new(), handler)
    }

    /// Starts a batcher that weighs its items, sees boundaries, coalesces or recovers failures.
    ///
    /// # Panics
    /// When it is called outside of a Tokio runtime with time enabled.
    #[expect(clippy::needless_pass_by_value, reason = "as every `spawn` of the house")]
    pub fn spawn_with<F, Fut>(
        options: BatcherOptions,
        signals: &SignalSink,
        key_of: impl Fn(&T) -> K + Send + Sync + 'static,
        rules: BatchRules<T, V, E>,
        handler: F,
    ) -> Self
    where
        F: Fn(K, Batch<T>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output: Answer<Value = V, Error = E>> + Send + 'static,
    {
        let key_of = Arc::new(KeyOf { key_of: Box::new(key_of), hasher: DefaultHashBuilder::default() });
        let of_batch = Arc::clone(&key_of);
        // No batch is empty. Its key is made anew, since that of the table may be needed there.
        let handler = move |batch: Batch<T>| handler((of_batch.key_of)(&batch[0]), batch);
        let engine = Engine::spawn(&options, signals, rules, true, handler);
        Self { handle: Arc::new(Handle { engine }), key_of }
    }

    /// A handle that does not keep the batcher open.
    #[must_use]
    pub fn downgrade(&self) -> WeakKeyedBatcher<K, T, V, E> {
        WeakKeyedBatcher { handle: Arc::downgrade(&self.handle), key_of: Arc::clone(&self.key_of) }
    }

    fn offer(&self, item: T) -> Offer<T, K> {
        let key = (self.key_of.key_of)(&item);
        let hash = self.key_of.hasher.hash_one(&key);
        self.handle.engine.rules.offer(key, hash, item)
    }
}

control!([K, T, V, E] KeyedBatcher<K, T, V, E>, [
    K: Eq + Hash + Send + 'static, T: Send + 'static, V: Send + 'static, E: Send + Sync + 'static
]);

impl<K, T, V, E> Clone for KeyedBatcher<K, T, V, E>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        Self { handle: Arc::clone(&self.handle), key_of: Arc::clone(&self.key_of) }
    }
}

impl<K, T, V, E> fmt::Debug for KeyedBatcher<K, T, V, E>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBatcher").field("stats", &self.stats()).finish()
    }
}

/// Leads back to a [`KeyedBatcher`] as long as somebody keeps it open, as [`WeakBatcher`](crate::WeakBatcher) does.
pub struct WeakKeyedBatcher<K, T, V = (), E = Infallible>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    handle: Weak<Handle<T, K, V, E>>,
    key_of: Arc<KeyOf<K, T>>,
}

impl<K, T, V, E> WeakKeyedBatcher<K, T, V, E>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    /// The batcher, if any handle is left. It stays open at least as long as the result lives.
    #[must_use]
    pub fn upgrade(&self) -> Option<KeyedBatcher<K, T, V, E>> {
        Some(KeyedBatcher { handle: self.handle.upgrade()?, key_of: Arc::clone(&self.key_of) })
    }
}

impl<K, T, V, E> Clone for WeakKeyedBatcher<K, T, V, E>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn clone(&self) -> Self {
        Self { handle: Weak::clone(&self.handle), key_of: Arc::clone(&self.key_of) }
    }
}

impl<K, T, V, E> fmt::Debug for WeakKeyedBatcher<K, T, V, E>
where
    K: Eq + Hash + Send + 'static,
    T: Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakKeyedBatcher").finish_non_exhaustive()
    }
}
