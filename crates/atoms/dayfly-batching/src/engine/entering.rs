//! Producers: one that waits for room, and one that then waits for its item's outcome.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Engine;
use super::desk::{Offer, Why};
use super::todo::Todo;
use crate::replies::{Reply, Token};
use crate::room::{NoRoom, Ticket};
use crate::{PushError, SubmitError, TryPushError};

/// An item that could not go in, and why.
pub(crate) struct Refused<T, K> {
    pub(super) why: Why,
    pub(crate) offer: Offer<T, K>,
}

impl<T, K> Refused<T, K> {
    pub(crate) fn into_error(self) -> TryPushError<T> {
        let item = self.offer.item;
        match self.why {
            Why::Room(NoRoom::Full) => TryPushError::Full(item),
            Why::Room(NoRoom::Closed) => TryPushError::Closed(item),
            Why::TooHeavy => TryPushError::TooHeavy(item),
        }
    }

    /// For who has waited for room: the queue was not full.
    pub(crate) fn into_push_error(self) -> PushError<T> {
        match self.why {
            Why::Room(_) => PushError::Closed(self.offer.item),
            Why::TooHeavy => PushError::TooHeavy(self.offer.item),
        }
    }
}

/// A producer that waits for room. Dropped before it is in, it leaves the line and passes on what it was granted.
pub(crate) struct Entering<'a, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    engine: &'a Arc<Engine<T, K, V, E>>,
    /// Present until it is in.
    offer: Option<Offer<T, K>>,
    /// Present while this stands in line.
    ticket: Option<Ticket>,
}

// Nothing is pinned in place: the item is only ever moved.
impl<T, K, V, E> Unpin for Entering<'_, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
}

impl<'a, T, K, V, E> Entering<'a, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    pub(crate) const fn new(engine: &'a Arc<Engine<T, K, V, E>>, offer: Offer<T, K>) -> Self {
        Self { engine, offer: Some(offer), ticket: None }
    }

    /// With a token, if the producer wants the item's outcome.
    fn poll_enter(
        &mut self,
        context: &Context<'_>,
        wants_reply: bool,
    ) -> Poll<Result<Option<Token>, PushError<T>>> {
        // Polled after it was ready, which no caller does.
        let Some(offer) = self.offer.take() else { return Poll::Pending };
        let waiting = wants_reply.then_some(context);
        let sameness = self.engine.rules.sameness.as_ref();
        let (mut todo, mut replaced) = (Todo::new(), None);
        let mut desk = self.engine.lock();
        let offer = match self.ticket {
            Some(_) => offer,
            None => match desk.offer_quickly(offer, waiting) {
                Ok((token, key)) => {
                    drop(desk);
                    drop(key);
                    return Poll::Ready(Ok(token));
                }
                Err(offer) => offer,
            },
        };
        let entered = match self.ticket {
            None => desk.offer(offer, waiting, sameness, &mut todo),
            Some(ticket) => match desk.poll_line(ticket, context, &mut replaced) {
                Poll::Ready(room) => {
                    self.ticket = None;
                    match room {
                        Ok(()) => desk.enter_with_room(offer, waiting, sameness, &mut todo),
                        Err(why) => Err(Refused { why: Why::Room(why), offer }),
                    }
                }
                Poll::Pending => {
                    self.offer = Some(offer);
                    drop(desk);
                    drop(replaced);
                    return Poll::Pending;
                }
            },
        };
        let entered = match entered {
            Err(refused) if refused.is_full() => {
                // In the same critical section: room that comes free now finds this producer in line.
                self.ticket = Some(desk.join(context));
                self.offer = Some(refused.offer);
                None
            }
            Err(refused) => Some(Err(refused.into_push_error())),
            Ok(token) => Some(Ok(token)),
        };
        drop(desk);
        self.engine.carry_out(&mut todo);
        entered.map_or(Poll::Pending, Poll::Ready)
    }
}

impl<T, K, V, E> Future for Entering<'_, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    type Output = Result<(), PushError<T>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_enter(context, false).map_ok(|_| ())
    }
}

impl<T, K, V, E> Drop for Entering<'_, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            self.engine.change(|desk, todo| desk.give_up(ticket, todo));
        }
    }
}

/// A producer that waits for room and then for its item's outcome. Dropped in between, it takes the item out again.
pub(crate) struct Submitting<'a, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    entering: Entering<'a, T, K, V, E>,
    /// Present while the item is in and its outcome is not known.
    token: Option<Token>,
}

impl<'a, T, K, V, E> Submitting<'a, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    pub(crate) const fn new(engine: &'a Arc<Engine<T, K, V, E>>, offer: Offer<T, K>) -> Self {
        Self { entering: Entering::new(engine, offer), token: None }
    }
}

impl<T, K, V, E> Future for Submitting<'_, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    type Output = Result<V, SubmitError<T, E>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let Some(token) = this.token else {
            return match this.entering.poll_enter(context, true) {
                Poll::Pending => Poll::Pending,
                Poll::Ready(Ok(token)) => {
                    // Its waker went in with the item, so there is no need to look.
                    this.token = token;
                    Poll::Pending
                }
                Poll::Ready(Err(PushError::Closed(item))) => Poll::Ready(Err(SubmitError::Closed(item))),
                Poll::Ready(Err(PushError::TooHeavy(item))) => Poll::Ready(Err(SubmitError::TooHeavy(item))),
            };
        };
        let Poll::Ready(reply) = this.entering.engine.poll_reply(token, context) else {
            return Poll::Pending;
        };
        this.token = None;
        Poll::Ready(match reply {
            Reply::Done(value) => Ok(value),
            Reply::Failed(error) => Err(SubmitError::Failed(error)),
            Reply::Panicked => Err(SubmitError::Panicked),
            Reply::Miscounted { items, answers } => Err(SubmitError::Miscounted { items, answers }),
            Reply::Cancelled => Err(SubmitError::Cancelled),
        })
    }
}

impl<T, K, V, E> Drop for Submitting<'_, T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn drop(&mut self) {
        if let Some(token) = self.token.take() {
            self.entering.engine.leave(token);
        }
    }
}
