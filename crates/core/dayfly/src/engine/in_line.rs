//! A producer that stands in line for room, with its item.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use dayfly_signal::OperationId;

use super::inbox::{Offer, Refusal};
use super::line::Ticket;
use super::{Engine, Key};
use crate::EnqueueError;
use crate::contain::wake_each;
use crate::schedule::Schedule;

/// Yields the id once the item is in, or the item when it cannot go in any more. Dropped before, it leaves the line and
/// passes on what it was granted.
pub(super) struct InLine<'a, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    pub(super) engine: &'a Arc<Engine<S>>,
    /// Present until it is in.
    pub(super) offer: Option<Offer<S::Item, S::Key>>,
    /// Present while this stands in line.
    pub(super) ticket: Option<Ticket>,
}

// Nothing is pinned in place: the item is only ever moved.
impl<S> Unpin for InLine<'_, S> where S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static {}

impl<S> Future for InLine<'_, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    type Output = Result<OperationId, EnqueueError<S::Item>>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        let (mut producers, mut replaced) = (Vec::new(), None);
        let mut inbox = this.engine.lock_inbox();
        let ticket = match (this.ticket, &this.offer) {
            (None, Some(offer)) => *this.ticket.insert(inbox.join(&offer.key, &mut producers)),
            (Some(ticket), _) => ticket,
            // Polled after it was ready, which no caller does.
            (None, None) => return Poll::Pending,
        };
        let polled = inbox.poll(ticket, &mut this.offer, context, &mut replaced);
        producers.append(&mut inbox.take_late());
        drop(inbox);
        // It may be the last waker of a task, and the task may own anything.
        drop(replaced);
        wake_each(producers);
        let Poll::Ready(outcome) = polled else { return Poll::Pending };
        this.ticket = None;
        match (outcome, this.offer.take()) {
            (Ok(accepted), _) => Poll::Ready(Ok(this.engine.accepted(&accepted))),
            (Err(Refusal::Duplicate), Some(offer)) => Poll::Ready(Err(EnqueueError::Duplicate(offer.item))),
            (Err(Refusal::Room(_)), Some(offer)) => Poll::Ready(Err(EnqueueError::Closed(offer.item))),
            // An offer that is not here is in.
            (Err(_), None) => Poll::Pending,
        }
    }
}

impl<S> Drop for InLine<'_, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket.take() {
            let mut producers = Vec::new();
            self.engine.lock_inbox().give_up(ticket, &mut producers);
            wake_each(producers);
        }
    }
}
