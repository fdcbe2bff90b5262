//! One passage: it looks, stands in line while it has to, and leaves the line when it is dropped.

use std::fmt::Display;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::time::{Instant, Sleep, sleep_until};

use crate::Refused;
use crate::line::{Admission, Place};
use crate::post::Post;

/// Somebody in front of the gate. It may pass more than once; until it is renewed it counts as having
/// arrived when it first looked.
pub(crate) struct Wait {
    post: Arc<Post>,
    key: Option<Arc<str>>,
    arrived: Option<Instant>,
    place: Option<Place>,
    /// Kept from one wait to the next; it is needed where a signal may age out, or a bound is set.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Wait {
    /// Somebody without a key.
    pub(crate) const fn new(post: Arc<Post>) -> Self {
        Self::of(post, None)
    }

    /// Somebody with a key, whose text is made only where a keyed signal could name it.
    pub(crate) fn with_key(post: Arc<Post>, key: &impl Display) -> Self {
        let key = post.options.is_keyed().then(|| Arc::from(key.to_string()));
        Self::of(post, key)
    }

    const fn of(post: Arc<Post>, key: Option<Arc<str>>) -> Self {
        Self { post, key, arrived: None, place: None, timer: None }
    }

    /// What it may do now, without waiting.
    pub(crate) fn look(&mut self) -> Admission {
        if self.post.is_open() {
            return Admission::Pass;
        }
        let arrived = *self.arrived.get_or_insert_with(Instant::now);
        self.post.look(self.key.as_deref(), arrived)
    }

    /// Waits until it may pass or is refused.
    pub(crate) fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Refused>> {
        match self.place {
            Some(place) => self.post.set_waker(place, context.waker().clone()),
            None => match self.look() {
                Admission::Pass => return Poll::Ready(Ok(())),
                Admission::Refuse(refused) => return Poll::Ready(Err(refused)),
                Admission::Wait { .. } => {
                    self.place = Some(self.post.enter(self.key.clone(), context.waker().clone()));
                }
            },
        }
        // Whoever stands in line looks once more: a change before it stood there has woken nobody.
        let result = loop {
            match self.look() {
                Admission::Pass => break Ok(()),
                Admission::Refuse(refused) => break Err(refused),
                Admission::Wait { until: None } => return Poll::Pending,
                Admission::Wait { until: Some(time) } => ready!(self.poll_timer(time, context)),
            }
        };
        self.leave();
        Poll::Ready(result)
    }

    /// The next passage is another's: its time begins when it looks.
    #[cfg(feature = "tower")]
    pub(crate) fn renew(&mut self) {
        self.leave();
        self.arrived = None;
    }

    fn poll_timer(&mut self, time: Instant, context: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(time)));
        if timer.deadline() != time {
            timer.as_mut().reset(time);
        }
        timer.as_mut().poll(context)
    }

    fn leave(&mut self) {
        if let Some(place) = self.place.take() {
            self.post.leave(place);
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.leave();
    }
}
