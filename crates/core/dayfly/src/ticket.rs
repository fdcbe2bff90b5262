//! What a submitted operation yields, for whoever submitted it.

use std::pin::Pin;
use std::sync::{Arc, Weak};
use std::task::{Context, Poll};

use dayfly_signal::OperationId;
use thiserror::Error;
use tokio::sync::oneshot;

use crate::engine::Answer;

/// Why a ticket yields no value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TicketError<E> {
    /// The body failed.
    #[error("the operation failed")]
    Failed(E),
    /// The operation was cancelled, before its start or while it ran.
    #[error("the operation was cancelled")]
    Cancelled,
    /// A cancel signal kept the operation from starting.
    #[error("the operation was skipped")]
    Skipped,
    /// The body panicked.
    #[error("the operation panicked")]
    Panicked,
}

/// The claim to what one operation yields: a future of its value, its failure, or its cancellation.
///
/// It yields exactly once, also when the window has moved on. It does not keep the coordinator open.
///
/// # Cancel safety
/// Dropping it does not touch the operation, unless [`kill_on_drop`](Self::kill_on_drop) was asked for. What the operation
/// yields is lost with it, since nobody else gets that.
#[derive(Debug)]
#[must_use = "a ticket is a future: await it, or drop it to let the operation go on by itself"]
pub struct Ticket<V, E> {
    id: OperationId,
    answer: oneshot::Receiver<Yield<V, E>>,
    killer: Weak<dyn Kill>,
    kill_on_drop: bool,
}

pub(crate) type Yield<V, E> = Result<V, TicketError<E>>;

/// What can end an operation by its id.
pub(crate) trait Kill: Send + Sync {
    fn kill_one(self: Arc<Self>, id: OperationId);
}

impl<V, E> Ticket<V, E> {
    pub(crate) fn new(
        id: OperationId,
        answer: oneshot::Receiver<Yield<V, E>>,
        killer: Weak<dyn Kill>,
    ) -> Self {
        Self { id, answer, killer, kill_on_drop: false }
    }

    /// The operation.
    #[must_use]
    pub const fn id(&self) -> OperationId {
        self.id
    }

    /// Ends the operation when the ticket is dropped before it has yielded.
    pub const fn kill_on_drop(mut self) -> Self {
        self.kill_on_drop = true;
        self
    }
}

impl<V, E> Future for Ticket<V, E> {
    type Output = Result<V, TicketError<E>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| {
            self.kill_on_drop = false;
            // Nobody answers when the operation was dropped in the middle: killed, or with its runtime.
            answer.unwrap_or(Err(TicketError::Cancelled))
        })
    }
}

impl<V, E> Drop for Ticket<V, E> {
    fn drop(&mut self) {
        if self.kill_on_drop
            && let Some(killer) = self.killer.upgrade()
        {
            killer.kill_one(self.id);
        }
    }
}

/// An item with the ticket's other half.
pub(crate) struct Ticketed<T, V, E> {
    pub(crate) item: T,
    pub(crate) reply: Reply<V, E>,
}

/// The ticket's other half; empty once it has been taken.
pub(crate) struct Reply<V, E>(Option<oneshot::Sender<Yield<V, E>>>);

impl<T, V, E> Ticketed<T, V, E> {
    /// An item with what its ticket will wait for.
    pub(crate) fn new(item: T) -> (Self, oneshot::Receiver<Yield<V, E>>) {
        let (sender, receiver) = oneshot::channel();
        (Self { item, reply: Reply(Some(sender)) }, receiver)
    }
}

impl<V, E> Reply<V, E> {
    pub(crate) fn take(&mut self) -> Self {
        Self(self.0.take())
    }

    pub(crate) fn answered(self, answer: Yield<V, E>) -> Answered<V, E> {
        Answered { reply: self, answer }
    }
}

/// What a ticket yields, on its way there.
pub(crate) struct Answered<V, E> {
    reply: Reply<V, E>,
    answer: Yield<V, E>,
}

impl<V: Send, E: Send> Answer for Answered<V, E> {
    fn give(self) {
        if let Some(sender) = self.reply.0 {
            // Whether anybody still holds the ticket is not this side's concern.
            drop(sender.send(self.answer));
        }
    }
}
