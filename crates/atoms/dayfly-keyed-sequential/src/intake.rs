//! How items come in: as into a keyed coordinator.

use std::hash::Hash;

use dayfly::{EnqueueError, EnqueueManyError, FeedError, OperationId, TryEnqueueError};
use futures_util::{Stream, TryStreamExt};

use crate::KeyedSequential;
use crate::attempt::Entry;

impl<K, T> KeyedSequential<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + Sync + 'static,
{
    /// Hands an item in, waiting in line for room of its key and for room in all. Room of a parked key comes when the key
    /// is unparked.
    ///
    /// # Errors
    /// The item comes back when intake has ended, also while this waits.
    ///
    /// # Cancel safety
    /// The item was accepted if and only if this returned `Ok`. A future that is dropped before drops its item
    /// with it and leaves its place in line to the next; to keep the item, use [`try_enqueue`](Self::try_enqueue).
    pub async fn enqueue(&self, item: T) -> Result<OperationId, EnqueueError<T>> {
        let accepted = self.shared.work.enqueue(Entry::new(item)).await;
        accepted.map_err(|refused| refused.map(Entry::into_item))
    }

    /// Hands an item in if there is room now, for its key and in all.
    ///
    /// # Errors
    /// The item comes back when the queue or the key's part of it is full, or intake has ended.
    pub fn try_enqueue(&self, item: T) -> Result<OperationId, TryEnqueueError<T>> {
        let accepted = self.shared.work.try_enqueue(Entry::new(item));
        accepted.map_err(|refused| refused.map(Entry::into_item))
    }

    /// Like [`enqueue`](Self::enqueue), under an id that the caller brings: one that it drew beforehand from
    /// [`OperationId::next`], or that it got from elsewhere and answers for.
    ///
    /// # Errors
    /// The item comes back when intake has ended, also while this waits, and when another operation under an id that a
    /// caller brought has the same one and has not ended.
    ///
    /// # Cancel safety
    /// As for [`enqueue`](Self::enqueue).
    pub async fn enqueue_as(&self, id: OperationId, item: T) -> Result<OperationId, EnqueueError<T>> {
        let accepted = self.shared.work.enqueue_as(id, Entry::new(item)).await;
        accepted.map_err(|refused| refused.map(Entry::into_item))
    }

    /// Like [`try_enqueue`](Self::try_enqueue), under an id that the caller brings, as for
    /// [`enqueue_as`](Self::enqueue_as).
    ///
    /// # Errors
    /// As for [`try_enqueue`](Self::try_enqueue), and when the id is in use.
    pub fn try_enqueue_as(&self, id: OperationId, item: T) -> Result<OperationId, TryEnqueueError<T>> {
        let accepted = self.shared.work.try_enqueue_as(id, Entry::new(item));
        accepted.map_err(|refused| refused.map(Entry::into_item))
    }

    /// Hands all items in, in their order, waiting for room as [`enqueue`](Self::enqueue) does. Returns how many went in.
    ///
    /// # Errors
    /// When intake has ended meanwhile: how many went in, and the rest.
    ///
    /// # Cancel safety
    /// What went in stays in. A future that is dropped drops the items that did not.
    pub async fn enqueue_many(
        &self,
        items: impl IntoIterator<Item = T, IntoIter: Send> + Send,
    ) -> Result<u64, EnqueueManyError<T>> {
        let accepted = self.shared.work.enqueue_many(items.into_iter().map(Entry::new)).await;
        accepted.map_err(|EnqueueManyError { accepted, rest }| EnqueueManyError {
            accepted,
            rest: rest.into_iter().map(Entry::into_item).collect(),
        })
    }

    /// Hands in what a stream yields, until it ends. Returns how many items went in.
    ///
    /// Where there is no room for more of an item's key, the item is set aside until there is, and the stream is asked for
    /// more: a parked key holds nobody up until as many items are aside as a key may have queued. When the stream fails,
    /// everything that it has yielded goes in and is finished first, which takes until no key is parked.
    ///
    /// # Errors
    /// What the stream says, or that intake has ended, with the items at hand.
    ///
    /// # Cancel safety
    /// What went in stays in. A future that is dropped drops the stream, and the items that are aside.
    pub async fn feed<E: Send>(
        &self,
        stream: impl Stream<Item = Result<T, E>> + Send,
    ) -> Result<u64, FeedError<T, E>> {
        let fed = self.shared.work.feed(stream.map_ok(Entry::new)).await;
        fed.map_err(|ended| ended.map(Entry::into_item))
    }
}
