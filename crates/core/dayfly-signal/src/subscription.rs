//! Receiving every event, in order, as far as the reader keeps up.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use futures_core::Stream;

use crate::interest::{Intake, Interested};
use crate::{Signal, SignalSink};

/// The events that its patterns mean, in the order of their ids; a `Stream` that never ends.
///
/// At most [`subscription_capacity`](crate::SignalOptions::subscription_capacity) events wait for the reader; a slower
/// one loses the oldest and is told how many, in their place. It keeps the sink alive.
#[derive(Debug)]
pub struct Subscription {
    pub(crate) sink: SignalSink,
    pub(crate) at: usize,
}

/// So many events were dropped because the reader did not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lagged(pub u64);

impl fmt::Display for Lagged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the subscription lagged behind and lost {} events", self.0)
    }
}

impl std::error::Error for Lagged {}

/// What stands between a subscription and its reader at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Backlog {
    /// Events that wait to be received.
    pub waiting: usize,
    /// Events that were dropped, and that the reader has not been told of yet.
    pub lost: u64,
}

impl Subscription {
    /// What waits for the reader now, and what it has not been told of.
    #[must_use]
    pub fn backlog(&self) -> Backlog {
        match self.sink.lock().interest(self.at) {
            Interested::Subscription(mailbox) => {
                Backlog { waiting: mailbox.waiting.len(), lost: mailbox.lagged }
            }
            _ => Backlog::default(),
        }
    }

    /// Sets how many events may wait for the reader, at once: of those that wait beyond it the oldest are dropped and
    /// reported as lag.
    ///
    /// # Panics
    /// When `events` is zero.
    pub fn set_capacity(&self, events: usize) {
        assert!(events > 0, "the capacity of a subscription must be at least 1");
        let excess: Vec<Signal> = match self.sink.lock().interest(self.at) {
            Interested::Subscription(mailbox) => mailbox.bound(events),
            _ => Vec::new(),
        };
        // What is dropped may own payloads: that happens after the lock.
        drop(excess);
    }

    pub(crate) fn intake(&self) -> Arc<Intake> {
        match self.sink.lock().interest(self.at) {
            Interested::Subscription(mailbox) => Arc::clone(&mailbox.intake),
            _ => Arc::default(),
        }
    }

    /// The next event, or how many were lost before it.
    ///
    /// # Errors
    /// [`Lagged`] when events were dropped; the next call goes on with the oldest that was kept.
    ///
    /// # Cancel safety
    /// Nothing is lost: an event leaves the subscription only when this returns it.
    pub async fn recv(&mut self) -> Result<Signal, Lagged> {
        poll_fn(|context| self.poll_recv(context)).await
    }

    /// The next event if one waits.
    ///
    /// # Errors
    /// [`Lagged`] when events were dropped.
    pub fn try_recv(&mut self) -> Result<Option<Signal>, Lagged> {
        match self.sink.lock().interest(self.at) {
            Interested::Subscription(mailbox) => mailbox.take(),
            _ => Ok(None),
        }
    }

    pub(crate) fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Result<Signal, Lagged>> {
        let mut sink = self.sink.lock();
        let Interested::Subscription(mailbox) = sink.interest(self.at) else { return Poll::Pending };
        if let Some(next) = mailbox.take().transpose() {
            return Poll::Ready(next);
        }
        // The waker that is replaced may be the last of its task: it is dropped after the lock.
        let replaced = mailbox.waker.replace(context.waker().clone());
        drop(sink);
        drop(replaced);
        Poll::Pending
    }
}

impl Stream for Subscription {
    type Item = Result<Signal, Lagged>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_recv(context).map(Some)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        // The interest may own a waker and payloads: they are dropped after the lock.
        let interest = self.sink.lock().unlisten(self.at);
        drop(interest);
    }
}
