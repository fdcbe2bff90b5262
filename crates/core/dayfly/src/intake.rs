//! Handing in many items: from an iterator, or from a stream. Written once, for the shells whose items need no more
//! than themselves.

use std::fmt;

use thiserror::Error;

/// The coordinator was closed before all items were in; the rest comes back.
#[derive(Clone, PartialEq, Eq, Error)]
#[error("the coordinator is closed; {accepted} items went in")]
pub struct EnqueueManyError<T> {
    /// How many items went in.
    pub accepted: u64,
    /// The others, in their order.
    pub rest: Vec<T>,
}

/// Why feeding ended before the stream did.
#[derive(Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeedError<T, E> {
    /// The stream failed. Everything that was accepted before has ended.
    #[error("the stream failed after {accepted} items")]
    Stream {
        /// What the stream says.
        error: E,
        /// How many items went in.
        accepted: u64,
    },
    /// The coordinator was closed; the item that was at hand comes back.
    #[error("the coordinator is closed; {accepted} items went in")]
    Closed {
        /// The item.
        item: T,
        /// How many items went in.
        accepted: u64,
    },
}

// Items need not be `Debug` for the error to be, so that `unwrap` and `?` always work.
impl<T> fmt::Debug for EnqueueManyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnqueueManyError")
            .field("accepted", &self.accepted)
            .field("rest", &self.rest.len())
            .finish()
    }
}

impl<T, E: fmt::Debug> fmt::Debug for FeedError<T, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stream { error, accepted } => {
                f.debug_struct("Stream").field("error", error).field("accepted", accepted).finish()
            }
            Self::Closed { accepted, .. } => {
                f.debug_struct("Closed").field("accepted", accepted).finish_non_exhaustive()
            }
        }
    }
}

/// Implements the intake of many items for a shell with `enqueue(item)`.
macro_rules! intake {
    ([$($generics:ident),*] $shell:ty, $item:ty, [$($bounds:tt)*]) => {
        impl<$($generics),*> $shell
        where
            $($bounds)*
        {
            /// Hands all items in, in their order, waiting for room as [`enqueue`](Self::enqueue) does. Returns how
            /// many went in.
            ///
            /// # Errors
            /// When the coordinator is closed meanwhile: how many went in, and the rest.
            ///
            /// # Cancel safety
            /// What went in stays in. A future that is dropped drops the items that did not.
            pub async fn enqueue_many(
                &self,
                items: impl IntoIterator<Item = $item, IntoIter: Send> + Send,
            ) -> Result<u64, $crate::EnqueueManyError<$item>> {
                let mut items = items.into_iter();
                let mut accepted = 0;
                while let Some(item) = items.next() {
                    match self.enqueue(item).await {
                        Ok(_) => accepted += 1,
                        Err(refused) => {
                            let rest = std::iter::once(refused.into_item()).chain(items).collect();
                            return Err($crate::EnqueueManyError { accepted, rest });
                        }
                    }
                }
                Ok(accepted)
            }

            /// Hands in what a stream yields, until it ends. Returns how many items went in.
            ///
            /// The stream is asked for the next item only when the one before is in, so what waits outside of the
            /// queue's bound is one item. When the stream fails, everything that was accepted is finished first, and
            /// then the error is reported; the coordinator stays open.
            ///
            /// # Errors
            /// What the stream says, or that the coordinator was closed, with the item at hand.
            ///
            /// # Cancel safety
            /// What went in stays in. A future that is dropped drops the stream, and the item at hand if there is one.
            pub async fn feed<E: Send>(
                &self,
                stream: impl futures_util::Stream<Item = Result<$item, E>> + Send,
            ) -> Result<u64, $crate::FeedError<$item, E>> {
                use futures_util::StreamExt;

                let mut stream = std::pin::pin!(stream);
                let mut accepted = 0;
                while let Some(next) = stream.next().await {
                    match next {
                        Ok(item) => match self.enqueue(item).await {
                            Ok(_) => accepted += 1,
                            Err(refused) => {
                                let item = refused.into_item();
                                return Err($crate::FeedError::Closed { item, accepted });
                            }
                        },
                        Err(error) => {
                            self.idle().await;
                            return Err($crate::FeedError::Stream { error, accepted });
                        }
                    }
                }
                Ok(accepted)
            }
        }
    };
}

pub(crate) use intake;
