//! Handing in many items at once. Written once, for the shells whose items need no more than themselves.

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

// Items need not be `Debug` for the error to be, so that `unwrap` and `?` always work.
impl<T> fmt::Debug for EnqueueManyError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnqueueManyError")
            .field("accepted", &self.accepted)
            .field("rest", &self.rest.len())
            .finish()
    }
}

/// How many items go in under one lock.
pub(crate) const AT_ONCE: usize = 32;

/// Implements the intake of many items for a shell with `offer(item)`.
macro_rules! intake {
    ([$($generics:ident),*] $shell:ty, $item:ty, [$($bounds:tt)*]) => {
        impl<$($generics),*> $shell
        where
            $($bounds)*
        {
            /// Hands all items in, in their order, waiting for room as [`enqueue`](Self::enqueue) does. Returns how
            /// many went in.
            ///
            /// Cheaper for each item than [`enqueue`](Self::enqueue): a handful of them goes in at once.
            ///
            /// # Errors
            /// When the coordinator is closed meanwhile: how many went in, and the rest, for which the iterator is gone
            /// through to its end.
            ///
            /// # Cancel safety
            /// What went in stays in. A future that is dropped drops the items that did not.
            pub async fn enqueue_many(
                &self,
                items: impl IntoIterator<Item = $item, IntoIter: Send> + Send,
            ) -> Result<u64, $crate::EnqueueManyError<$item>> {
                let mut items = items.into_iter();
                let mut accepted = 0;
                let mut offers = std::collections::VecDeque::new();
                loop {
                    offers.extend(items.by_ref().take($crate::intake::AT_ONCE).map(|item| self.offer(item)));
                    if offers.is_empty() {
                        return Ok(accepted);
                    }
                    accepted += self.handle.engine.offer_many(&mut offers);
                    // What is left of them has to wait for room, the first one first.
                    while let Some(first) = offers.pop_front() {
                        if let Err(refused) = self.handle.engine.enqueue(first).await {
                            let rest = offers.into_iter().map(|offer| offer.item);
                            let rest = std::iter::once(refused.into_item()).chain(rest).chain(items).collect();
                            return Err($crate::EnqueueManyError { accepted, rest });
                        }
                        accepted += 1 + self.handle.engine.offer_many(&mut offers);
                    }
                }
            }
        }
    };
}

pub(crate) use intake;
