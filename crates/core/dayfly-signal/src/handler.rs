//! Async handlers: a task of their own, a bound of their own, one event after the other.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::interest::Intake;
use crate::listener::contained;
use crate::sync::{AtomicU64, Ordering};
use crate::{Lagged, Signal, Subscription};

/// An async handler at work. Dropping it ends it, at the handler's next suspension.
#[derive(Debug)]
#[must_use = "the handler ends when this is dropped"]
pub struct AsyncHandler {
    task: JoinHandle<()>,
    finish: Option<oneshot::Sender<()>>,
    counts: Arc<Counts>,
    intake: Arc<Intake>,
}

#[derive(Debug, Default)]
struct Counts {
    handled: AtomicU64,
    panicked: AtomicU64,
}

impl AsyncHandler {
    pub(crate) fn spawn<F, Fut>(events: Subscription, handler: F) -> Self
    where
        F: Fn(Signal) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let counts = Arc::new(Counts::default());
        let intake = events.intake();
        let (finish, finishing) = oneshot::channel();
        let work = work(events, handler, finishing, Arc::clone(&counts));
        let task = tokio::runtime::Handle::current().spawn(work);
        Self { task, finish: Some(finish), counts, intake }
    }

    /// Events whose handling has ended, also by a panic.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.counts.handled.load(Ordering::Relaxed)
    }

    /// Events that were dropped because the handler did not keep up.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.intake.dropped.load(Ordering::Relaxed)
    }

    /// Events at which the handler panicked.
    #[must_use]
    pub fn panicked(&self) -> u64 {
        self.counts.panicked.load(Ordering::Relaxed)
    }

    /// Takes no more events, handles those that wait, and returns when that is done.
    ///
    /// # Cancel safety
    /// Dropping the future ends the handler, as dropping the handler does; events that still wait are not handled.
    pub async fn finish(mut self) {
        // First, so that what still waits is all there ever will be.
        self.intake.is_closed.store(true, Ordering::Release);
        drop(self.finish.take());
        // The task contains the handler's panics; it ends early only with its runtime.
        drop((&mut self.task).await);
    }
}

impl Drop for AsyncHandler {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn work<F, Fut>(
    mut events: Subscription,
    handler: F,
    finishing: oneshot::Receiver<()>,
    counts: Arc<Counts>,
) where
    F: Fn(Signal) -> Fut,
    Fut: Future<Output = ()>,
{
    let mut open = Some(finishing);
    loop {
        let next = match &mut open {
            Some(finishing) => next_before(&mut events, finishing).await,
            None => events.try_recv().transpose(),
        };
        match next {
            // Nothing comes in any more; what came between the last look and the end still waits.
            None if open.is_some() => open = None,
            None => return,
            Some(Err(Lagged(_))) => {}
            Some(Ok(signal)) => {
                if !ends_well(contained(|| handler(signal.clone()))).await {
                    counts.panicked.fetch_add(1, Ordering::Relaxed);
                    events.sink.note("sink.callback.panicked", signal.name());
                }
                counts.handled.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// The next event, or nothing once the end was asked for and none is there.
async fn next_before(
    events: &mut Subscription,
    finishing: &mut oneshot::Receiver<()>,
) -> Option<Result<Signal, Lagged>> {
    poll_fn(|context| match events.poll_recv(context) {
        Poll::Ready(next) => Poll::Ready(Some(next)),
        Poll::Pending => pin!(&mut *finishing).poll(context).map(|_| None),
    })
    .await
}

/// Waits for a handler that has begun, if it has. Says whether all went without a panic.
async fn ends_well(begun: Option<impl Future<Output = ()>>) -> bool {
    let mut future = pin!(begun);
    let ended = poll_fn(|context| match future.as_mut().as_pin_mut() {
        Some(begun) => match contained(|| begun.poll(context)) {
            Some(poll) => poll.map(|()| true),
            None => Poll::Ready(false),
        },
        None => Poll::Ready(false),
    })
    .await;
    // What the future owned may panic as it goes.
    contained(|| future.set(None)).is_some() && ended
}
