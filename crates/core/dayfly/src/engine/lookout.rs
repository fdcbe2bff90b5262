//! A wait for room that holds no place in line.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::line::Ticket;
use super::{Engine, Key};
use crate::schedule::Schedule;

/// Ready when so many places are free, or intake has ended.
struct Lookout<'a, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    engine: &'a Arc<Engine<S>>,
    /// Whose places are meant; those of the whole queue where this is absent.
    key: Option<S::Key>,
    places: usize,
    /// Present once the room knows of this.
    ticket: Option<Ticket>,
}

impl<S> Engine<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    /// Waits until so many places are free, of the key or in all.
    pub(crate) async fn room(self: &Arc<Self>, key: Option<S::Key>, places: usize) {
        if self.lock_inbox().room().is_free(key.as_ref(), places) {
            return;
        }
        // Workers tell of starts when they come by; somebody who has to wait deserves a closer look.
        self.change(|core, _, effects| core.note_starts(effects));
        Lookout { engine: self, key, places, ticket: None }.await;
    }
}

// Nothing is pinned in place.
impl<S> Unpin for Lookout<'_, S> where S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static {}

impl<S> Future for Lookout<'_, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let this = self.get_mut();
        let mut replaced = None;
        let mut inbox = this.engine.lock_inbox();
        let room = inbox.room();
        let ticket = *this.ticket.get_or_insert_with(|| room.draw());
        let polled = room.look_out(this.key.as_ref(), this.places, ticket, context.waker(), &mut replaced);
        drop(inbox);
        // It may be the last waker of a task, and the task may own anything.
        drop(replaced);
        polled
    }
}

impl<S> Drop for Lookout<'_, S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            let forgotten = self.engine.lock_inbox().room().look_away(self.key.as_ref(), self.places, ticket);
            // Without the lock, as above.
            drop(forgotten);
        }
    }
}
