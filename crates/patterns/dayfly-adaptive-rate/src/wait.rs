//! Waiting in line.

use std::pin::Pin;
use std::task::{Context, Poll};

use crate::pacer::WaiterId;
use crate::shared::Shared;

/// Somebody who waits for a start. Its place is given up when it is dropped.
#[derive(Debug)]
pub(crate) struct Wait<'a> {
    shared: &'a Shared,
    place: Option<WaiterId>,
}

impl<'a> Wait<'a> {
    pub(crate) const fn new(shared: &'a Shared, place: WaiterId) -> Self {
        Self { shared, place: Some(place) }
    }
}

impl Future for Wait<'_> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        // Only an async function polls it, and it does so no more once it is done.
        let Some(place) = self.place else { return Poll::Ready(()) };
        if !self.shared.look(place, context.waker()) {
            return Poll::Pending;
        }
        self.place = None;
        Poll::Ready(())
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        if let Some(place) = self.place {
            self.shared.leave(place);
        }
    }
}
