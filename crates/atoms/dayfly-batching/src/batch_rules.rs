//! What a batcher asks the application: what an item weighs, whether it ends its batch, whether two are the same, and
//! where failed items go.

use std::fmt;
use std::hash::{BuildHasher, Hash};
use std::pin::Pin;
use std::sync::Arc;

use hashbrown::DefaultHashBuilder;

use crate::FailedBatch;
use crate::engine::Offer;

/// The closures of a batcher, for [`Batcher::spawn_with`](crate::Batcher::spawn_with) and
/// [`KeyedBatcher::spawn_with`](crate::KeyedBatcher::spawn_with). All are optional.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_batching::{Batch, Batcher, BatchRules, BatcherOptions, FailedBatch};
/// use dayfly::SignalSink;
///
/// let (out, mut dead_letters) = tokio::sync::mpsc::channel(8);
/// let rules = BatchRules::new()
///     .name("lines")
///     .weight(|line: &String| line.len() as u64)          // with `max_weight`, bytes of one batch
///     .boundary(|line: &String| line.ends_with(';'))      // such a line is the last of its batch
///     .on_failure(move |failed: FailedBatch<String, &str>| {
///         let out = out.clone();
///         async move { drop(out.send(failed.items).await) }
///     });
/// let lines = Batcher::spawn_with(
///     BatcherOptions::new().max_weight(1_000),
///     &SignalSink::default(),
///     rules,
///     |_lines: Batch<String>| async { Err::<(), _>("the disk is full") },
/// );
/// lines.push("select 1;".to_owned()).await.unwrap();
/// assert_eq!(dead_letters.recv().await.unwrap(), ["select 1;"]);
/// # }
/// ```
#[must_use]
pub struct BatchRules<T, V, E> {
    pub(crate) name: Option<String>,
    pub(crate) weight: Option<Weight<T>>,
    pub(crate) boundary: Option<Boundary<T>>,
    pub(crate) sameness: Option<Sameness<T, V>>,
    pub(crate) on_failure: Option<OnFailure<T, E>>,
}

type Weight<T> = Box<dyn Fn(&T) -> u64 + Send + Sync>;
type IsSame<T> = Box<dyn Fn(&T, &T) -> bool + Send + Sync>;
type Boundary<T> = Box<dyn Fn(&T) -> bool + Send + Sync>;
pub(crate) type OnFailure<T, E> =
    Box<dyn Fn(FailedBatch<T, E>) -> Pin<Box<dyn Future<Output = ()> + Send>> + Send + Sync>;

/// When two items are the same, and how both get its value.
pub(crate) struct Sameness<T, V> {
    pub(crate) hash: Box<dyn Fn(&T) -> u64 + Send + Sync>,
    pub(crate) is_same: IsSame<T>,
    pub(crate) copy: fn(&V) -> V,
}

impl<T, V, E> BatchRules<T, V, E> {
    /// No rules: each item weighs 1, ends nothing and is like no other; items that fail are dropped.
    pub const fn new() -> Self {
        Self { name: None, weight: None, boundary: None, sameness: None, on_failure: None }
    }

    /// Names the batcher: its signals have the name as their key.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Says what an item weighs, for [`max_weight`](crate::BatcherOptions::max_weight). It is asked once for each item, in
    /// the producer's call.
    pub fn weight(mut self, weight: impl Fn(&T) -> u64 + Send + Sync + 'static) -> Self {
        self.weight = Some(Box::new(weight));
        self
    }

    /// Says which items end their batch: such an item is the last one of it, and the batch is flushed at once. It is
    /// asked once for each item, in the producer's call.
    pub fn boundary(mut self, ends: impl Fn(&T) -> bool + Send + Sync + 'static) -> Self {
        self.boundary = Some(Box::new(ends));
        self
    }

    /// Items of one identity are one in their batch: the handler gets the first, and everybody who submitted one gets a
    /// clone of its outcome. What is told from each other by its batch already, because a batch was flushed in between,
    /// is handled again.
    ///
    /// An item that joins another takes no room and weighs nothing. Identities are made and hashed in the producer's call,
    /// and made and compared once more, under a lock, when hashes are the same.
    pub fn coalesce<I: Eq + Hash>(mut self, identity: impl Fn(&T) -> I + Send + Sync + 'static) -> Self
    where
        T: 'static,
        V: Clone,
    {
        let identity = Arc::new(identity);
        let (of_item, builder) = (Arc::clone(&identity), DefaultHashBuilder::default());
        self.sameness = Some(Sameness {
            hash: Box::new(move |item| builder.hash_one(of_item(item))),
            is_same: Box::new(move |one, other| identity(one) == identity(other)),
            copy: V::clone,
        });
        self
    }

    /// Says what to do with the items of a batch that failed, panicked or was cancelled: put them elsewhere, or push them
    /// again through a [weak handle](crate::Batcher::downgrade) and `try_push`.
    ///
    /// It runs in the batch's slot, once those who wait for the items have been answered; a panic of it is contained, and
    /// `cancel` waits for its end. When the handler had taken the items it is called with none. When the runtime shuts
    /// down it is not called.
    pub fn on_failure<F, Fut>(mut self, recover: F) -> Self
    where
        F: Fn(FailedBatch<T, E>) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        self.on_failure = Some(Box::new(move |failed| Box::pin(recover(failed))));
        self
    }

    /// Asks everything that there is to ask of an item.
    pub(crate) fn offer<K>(&self, key: K, hash: u64, item: T) -> Offer<T, K> {
        Offer {
            key,
            hash,
            weight: self.weight.as_ref().map_or(1, |weight| weight(&item)),
            ends: self.boundary.as_ref().is_some_and(|ends| ends(&item)),
            identity: self.sameness.as_ref().map(|sameness| (sameness.hash)(&item)),
            item,
        }
    }
}

impl<T, V, E> Default for BatchRules<T, V, E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, V, E> fmt::Debug for BatchRules<T, V, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BatchRules")
            .field("name", &self.name)
            .field("weight", &self.weight.is_some())
            .field("boundary", &self.boundary.is_some())
            .field("coalesce", &self.sameness.is_some())
            .field("on_failure", &self.on_failure.is_some())
            .finish()
    }
}
