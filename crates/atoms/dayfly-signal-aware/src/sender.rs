//! The gate in front of a channel.

use std::fmt::{self, Display};
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use tokio::sync::mpsc::Sender;
use tokio::sync::mpsc::error::TrySendError as Refusal;

use crate::line::Admission;
use crate::wait::Wait;
use crate::{Gate, Refused, SendError, TrySendError};

/// A sender of a Tokio channel with a gate in front of it.
///
/// An item goes in at a moment at which the channel has room and the gate is open: who waits for room looks at the gate
/// again once there is some, and holds no place in the channel while the gate makes it wait. Cheap to clone.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use dayfly_signal::SignalSink;
/// use dayfly_signal_aware::{Gate, GateOptions, GatedSender, Refused, SendError};
/// use tokio::sync::mpsc;
///
/// let signals = SignalSink::default();
/// let gate = Gate::new(GateOptions::new().cancel_on("shutdown"), &signals);
/// let (sender, mut receiver) = mpsc::channel(16);
/// let sender = GatedSender::new(gate, sender);
///
/// sender.send(1).await.unwrap();
/// signals.raise("shutdown");
/// assert_eq!(sender.send(2).await, Err(SendError::Refused(Refused::Cancelled(2))));
/// assert_eq!(receiver.recv().await, Some(1));
/// # }
/// ```
pub struct GatedSender<T> {
    gate: Gate,
    sender: Sender<T>,
}

impl<T> GatedSender<T> {
    /// Puts a gate in front of a sender.
    #[must_use]
    pub const fn new(gate: Gate, sender: Sender<T>) -> Self {
        Self { gate, sender }
    }

    /// Sends an item once the gate is open and the channel has room.
    ///
    /// # Errors
    /// The item comes back when the gate refuses it, and when the channel is closed, also while this waits at the gate.
    ///
    /// # Panics
    /// As [`Gate::pass`].
    ///
    /// # Cancel safety
    /// The item was sent if and only if this returned `Ok`. A future that is dropped before drops its item with it, and
    /// gives its places in line and in the channel up; to keep the item, use [`try_send`](Self::try_send).
    pub async fn send(&self, item: T) -> Result<(), SendError<T>> {
        match self.send_at_once(item) {
            Some(item) => self.send_through(self.gate.wait(), item).await,
            None => Ok(()),
        }
    }

    /// Sends an item of this key, as [`Gate::pass_key`] tells keys apart.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    ///
    /// # Panics
    /// As [`Gate::pass_key`].
    ///
    /// # Cancel safety
    /// As [`send`](Self::send).
    pub async fn send_key(&self, key: impl Display, item: T) -> Result<(), SendError<T>> {
        match self.send_at_once(item) {
            Some(item) => {
                let wait = self.gate.wait_of(&key);
                self.send_through(wait, item).await
            }
            None => Ok(()),
        }
    }

    /// Sends an item if the gate is open and the channel has room now.
    ///
    /// # Errors
    /// The item comes back when the gate refuses or defers it, and when the channel is full or closed.
    pub fn try_send(&self, item: T) -> Result<(), TrySendError<T>> {
        self.try_through(self.gate.wait(), item)
    }

    /// Sends an item of this key if the gate is open for it and the channel has room now.
    ///
    /// # Errors
    /// As [`try_send`](Self::try_send).
    pub fn try_send_key(&self, key: impl Display, item: T) -> Result<(), TrySendError<T>> {
        self.try_through(self.gate.wait_of(&key), item)
    }

    /// The gate.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The sender behind the gate: what goes through it asks no signal.
    #[must_use]
    pub const fn get_ref(&self) -> &Sender<T> {
        &self.sender
    }

    /// Takes the gate away.
    #[must_use]
    pub fn into_inner(self) -> Sender<T> {
        self.sender
    }

    /// What costs least comes first: an open gate and a channel with room. The item comes back otherwise.
    fn send_at_once(&self, item: T) -> Option<T> {
        if !self.gate.post.is_open() {
            return Some(item);
        }
        match self.sender.try_send(item) {
            Ok(()) => {
                let _ = self.gate.count::<(), ()>(Ok(()));
                None
            }
            Err(Refusal::Full(item) | Refusal::Closed(item)) => Some(item),
        }
    }

    async fn send_through(&self, mut wait: Wait, item: T) -> Result<(), SendError<T>> {
        loop {
            match self.passed_or_closed(&mut wait).await {
                Some(Ok(())) => {}
                Some(Err(refused)) => return self.count_refused(refused, item).map_err(SendError::Refused),
                None => return Err(SendError::Closed(item)),
            }
            let Ok(place) = self.sender.reserve().await else { return Err(SendError::Closed(item)) };
            // The gate may have shut while this waited for room. The place goes back to who may use it.
            match wait.look() {
                Admission::Pass => {
                    place.send(item);
                    return self.gate.count(Ok(())).map_err(SendError::Refused);
                }
                Admission::Refuse(refused) => {
                    drop(place);
                    return self.count_refused(refused, item).map_err(SendError::Refused);
                }
                Admission::Wait { .. } => drop(place),
            }
        }
    }

    /// Waits at the gate; nothing comes when the channel is closed before it opens.
    async fn passed_or_closed(&self, wait: &mut Wait) -> Option<Result<(), Refused>> {
        let mut closed = pin!(self.sender.closed());
        poll_fn(|context| match wait.poll(context) {
            Poll::Ready(result) => Poll::Ready(Some(result)),
            Poll::Pending => closed.as_mut().poll(context).map(|()| None),
        })
        .await
    }

    fn try_through(&self, mut wait: Wait, item: T) -> Result<(), TrySendError<T>> {
        match wait.look() {
            Admission::Pass => {}
            Admission::Refuse(refused) => {
                return self.count_refused(refused, item).map_err(TrySendError::Refused);
            }
            Admission::Wait { .. } => return Err(TrySendError::Deferred(item)),
        }
        match self.sender.try_send(item) {
            Ok(()) => self.gate.count(Ok(())).map_err(TrySendError::Refused),
            Err(Refusal::Full(item)) => Err(TrySendError::Full(item)),
            Err(Refusal::Closed(item)) => Err(TrySendError::Closed(item)),
        }
    }

    fn count_refused(&self, refused: Refused, item: T) -> Result<(), Refused<T>> {
        self.gate.count(Err(refused.of(item)))
    }
}

impl<T> Clone for GatedSender<T> {
    fn clone(&self) -> Self {
        Self { gate: self.gate.clone(), sender: self.sender.clone() }
    }
}

impl<T> fmt::Debug for GatedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GatedSender")
            .field("gate", &self.gate)
            .field("is_closed", &self.sender.is_closed())
            .finish_non_exhaustive()
    }
}
