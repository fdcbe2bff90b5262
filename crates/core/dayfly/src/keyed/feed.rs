//! Feeding by key: a key that stands still holds nobody up.

use std::future::poll_fn;
use std::hash::Hash;
use std::pin::pin;
use std::task::Poll;

use futures_util::stream::FuturesUnordered;
use futures_util::{Stream, StreamExt};

use super::KeyedCoordinator;
use crate::feed::Shelf;
use crate::{FeedError, TryEnqueueError};

/// What a feeder has waited for.
enum Event<W, Y> {
    Waited(W),
    Yielded(Y),
    Closed,
    Over,
}

impl<K, T> KeyedCoordinator<K, T>
where
    K: Eq + Hash + Clone + Send + Sync + 'static,
    T: Send + 'static,
{
    /// Hands in what a stream yields, until it ends. Returns how many items went in.
    ///
    /// Where there is no room for more of an item's key, the item is set aside until there is, and the stream is asked
    /// for more: a key that stands still holds nobody up. At most
    /// [`queue_capacity`](crate::CoordinatorOptions::queue_capacity) items are aside at once, as many as the queue held
    /// at the start, and the items of a key stay in their order. When the stream fails, everything that it has yielded
    /// goes in and is finished first, and then the error is reported; the coordinator stays open.
    ///
    /// # Errors
    /// What the stream says, or that the coordinator was closed, with the items at hand.
    ///
    /// # Cancel safety
    /// What went in stays in. A future that is dropped drops the stream, and the items that are aside.
    pub async fn feed<E: Send>(
        &self,
        stream: impl Stream<Item = Result<T, E>> + Send,
    ) -> Result<u64, FeedError<T, E>> {
        let engine = &self.handle.engine;
        let wait = |key: K, offer| async move { (key, engine.enqueue(offer).await) };
        let (mut stream, mut closed) = (pin!(stream), pin!(engine.closed()));
        // All waits are polled together: a place that was granted to one of them is taken at once.
        let mut waits = FuturesUnordered::new();
        let mut aside = Shelf::new();
        let (mut accepted, mut end, mut has_room) = (0, None, true);
        let closed_with = loop {
            let takes = end.is_none() && has_room && aside.len() < self.max_aside;
            let event = poll_fn(|context| {
                if let Poll::Ready(Some(waited)) = waits.poll_next_unpin(context) {
                    return Poll::Ready(Event::Waited(waited));
                }
                match takes.then(|| stream.as_mut().poll_next(context)) {
                    Some(Poll::Ready(next)) => Poll::Ready(Event::Yielded(next)),
                    Some(Poll::Pending) => closed.as_mut().poll(context).map(|()| Event::Closed),
                    None if waits.is_empty() => Poll::Ready(Event::Over),
                    None => Poll::Pending,
                }
            });
            match event.await {
                Event::Waited((key, Ok(_))) => {
                    accepted += 1;
                    has_room = true;
                    if let Some(next) = aside.next(&key) {
                        waits.push(wait(key, next));
                    }
                }
                Event::Waited((_, Err(refused))) => break Some(vec![refused.into_item()]),
                Event::Closed => break Some(Vec::new()),
                Event::Yielded(Some(Ok(item))) => {
                    let offer = self.offer(item);
                    let key = offer.key.clone();
                    let Some(offer) = aside.put_behind(&key, offer) else { continue };
                    match engine.try_offer(offer) {
                        Ok(_) => accepted += 1,
                        Err(refused) => {
                            // Without room in all there is none for other keys either.
                            has_room = matches!(refused, TryEnqueueError::KeyFull(_));
                            aside.waits(&key);
                            waits.push(wait(key, refused.into_item()));
                        }
                    }
                }
                Event::Yielded(Some(Err(error))) => end = Some(Some(error)),
                Event::Yielded(None) => end = Some(None),
                Event::Over => break None,
            }
        };
        if let Some(mut rest) = closed_with {
            while let Some((_, waited)) = waits.next().await {
                match waited {
                    Ok(_) => accepted += 1,
                    Err(refused) => rest.push(refused.into_item()),
                }
            }
            rest.extend(aside.take_all().map(|offer| offer.item));
            return Err(FeedError::Closed { rest, accepted });
        }
        match end.flatten() {
            None => Ok(accepted),
            Some(error) => {
                self.idle().await;
                Err(FeedError::Stream { error, accepted })
            }
        }
    }
}
