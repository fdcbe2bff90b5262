//! Handing in what a stream yields.

use std::collections::VecDeque;
use std::fmt;
use std::hash::Hash;
use std::pin::pin;

use dayfly_signal::OperationId;
use futures_util::future::{Either, select};
use futures_util::{Stream, StreamExt};
use hashbrown::HashMap;
use thiserror::Error;

/// Why feeding ended before the stream did.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeedError<T, E> {
    /// The stream failed. Everything that was accepted before has ended: this is reported once the coordinator is idle, so
    /// others that go on handing in put it off.
    #[error("the stream failed after {accepted} items")]
    Stream {
        /// What the stream says.
        error: E,
        /// How many items went in.
        accepted: u64,
    },
    /// There is no such lane; nothing was asked of the stream. Only where there are lanes.
    #[error("there is no such lane")]
    UnknownLane,
    /// The coordinator was closed; the items that were at hand come back.
    #[error("the coordinator is closed; {accepted} items went in")]
    Closed {
        /// The items, those of one key in their order.
        rest: Vec<T>,
        /// How many items went in.
        accepted: u64,
    },
}

impl<T, E> FeedError<T, E> {
    /// The same end with another form of the items.
    pub fn map<U>(self, form: impl FnMut(T) -> U) -> FeedError<U, E> {
        match self {
            Self::Stream { error, accepted } => FeedError::Stream { error, accepted },
            Self::UnknownLane => FeedError::UnknownLane,
            Self::Closed { rest, accepted } => {
                FeedError::Closed { rest: rest.into_iter().map(form).collect(), accepted }
            }
        }
    }
}

impl<T, E: fmt::Debug> fmt::Debug for FeedError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream { error, accepted } => {
                f.debug_struct("Stream").field("error", error).field("accepted", accepted).finish()
            }
            Self::UnknownLane => f.write_str("UnknownLane"),
            Self::Closed { rest, accepted } => {
                f.debug_struct("Closed").field("rest", &rest.len()).field("accepted", accepted).finish()
            }
        }
    }
}

/// Items that a feeder has set aside because there is no room for more of their key; one of each key, the first, waits
/// for it.
pub(crate) struct Shelf<K, T> {
    /// What comes behind the waiting ones.
    behind: HashMap<K, VecDeque<T>>,
    len: usize,
}

impl<K: Eq + Hash + Clone, T> Shelf<K, T> {
    pub(crate) fn new() -> Self {
        Self { behind: HashMap::new(), len: 0 }
    }

    /// How many items are aside, the waiting ones included.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// Puts an item behind those of its key. Where there are none it comes back, to go in itself.
    pub(crate) fn put_behind(&mut self, key: &K, item: T) -> Option<T> {
        let Some(behind) = self.behind.get_mut(key) else { return Some(item) };
        behind.push_back(item);
        self.len += 1;
        None
    }

    /// An item waits for room of its key.
    pub(crate) fn waits(&mut self, key: &K) {
        self.behind.entry(key.clone()).or_default();
        self.len += 1;
    }

    /// The waiting item of a key waits no more; the next one of the key, if there is one, is to wait in its place.
    pub(crate) fn next(&mut self, key: &K) -> Option<T> {
        self.len -= 1;
        let next = self.behind.get_mut(key)?.pop_front();
        if next.is_none() {
            self.behind.remove(key);
        }
        next
    }

    /// Everything that is behind.
    pub(crate) fn take_all(&mut self) -> impl Iterator<Item = T> {
        self.len = 0;
        self.behind.drain().flat_map(|(_, behind)| behind)
    }
}

/// Hands in what a stream yields, one after the other. `hand_in` hands an item back that is refused, which ends it.
pub(crate) async fn feed_in_order<T, E, Handed>(
    stream: impl Stream<Item = Result<T, E>> + Send,
    mut hand_in: impl FnMut(T) -> Handed + Send,
    (closed, idle): (impl Future<Output = ()> + Send, impl Future<Output = ()> + Send),
) -> Result<u64, FeedError<T, E>>
where
    Handed: Future<Output = Result<OperationId, T>> + Send,
{
    let (mut stream, mut closed) = (pin!(stream), pin!(closed));
    let mut accepted = 0;
    loop {
        let next = match select(stream.next(), closed.as_mut()).await {
            Either::Left((next, _)) => next,
            Either::Right(((), _)) => return Err(FeedError::Closed { rest: Vec::new(), accepted }),
        };
        let Some(next) = next else { return Ok(accepted) };
        match next {
            Ok(item) => match hand_in(item).await {
                Ok(_) => accepted += 1,
                Err(refused) => return Err(FeedError::Closed { rest: vec![refused], accepted }),
            },
            Err(error) => {
                idle.await;
                return Err(FeedError::Stream { error, accepted });
            }
        }
    }
}

/// Implements feeding for a shell that takes items in by `$enqueue(item)`, which yields an id or hands the item back.
macro_rules! feed {
    ($enqueue:ident, [$($generics:ident),*] $shell:ty, $item:ty, [$($bounds:tt)*]) => {
        impl<$($generics),*> $shell
        where
            $($bounds)*
        {
            /// Hands in what a stream yields, until it ends. Returns how many items went in.
            ///
            /// The stream is asked for the next item only when the one before is in, so what waits outside of the
            /// queue's bound is one item. When the stream fails, everything that was accepted is finished first, and
            /// then the error is reported; the coordinator stays open.
            ///
            /// # Errors
            /// What the stream says, or that the coordinator was closed, with the item at hand if there is one.
            ///
            /// # Cancel safety
            /// What went in stays in. A future that is dropped drops the stream, and the item at hand if there is one.
            pub async fn feed<Broken: Send>(
                &self,
                stream: impl futures_util::Stream<Item = Result<$item, Broken>> + Send,
            ) -> Result<u64, $crate::FeedError<$item, Broken>> {
                let hand_in =
                    |item| async { self.$enqueue(item).await.map_err($crate::EnqueueError::into_item) };
                $crate::feed::feed_in_order(stream, hand_in, (self.closed(), self.idle())).await
            }
        }
    };
}

pub(crate) use feed;
