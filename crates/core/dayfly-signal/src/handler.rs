//! Async handlers: a task of their own, a bound of their own, one event after the other.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;

use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::listener::contained;
use crate::{Lagged, Signal, Subscription};

/// An async handler at work. Dropping it ends it, at the handler's next suspension.
#[derive(Debug)]
#[must_use = "the handler ends when this is dropped"]
pub struct AsyncHandler {
    task: JoinHandle<()>,
    finish: Option<oneshot::Sender<()>>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    handled: AtomicU64,
    dropped: AtomicU64,
    panicked: AtomicU64,
}

impl AsyncHandler {
    pub(crate) fn spawn<F, Fut>(events: Subscription, handler: F) -> Self
    where
        F: Fn(Signal) -> Fut + Send + 'static,
        Fut: Future<Output = ()> + Send + 'static,
    {
        let counts = Arc::new(Counts::default());
        let (finish, finishing) = oneshot::channel();
        let work = work(events, handler, finishing, Arc::clone(&counts));
        let task = tokio::runtime::Handle::current().spawn(work);
        Self { task, finish: Some(finish), counts }
    }

    /// Events whose handling has ended, also by a panic.
    #[must_use]
    pub fn handled(&self) -> u64 {
        self.counts.handled.load(Ordering::Relaxed)
    }

    /// Events that were dropped because the handler did not keep up, as far as it has noticed.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.counts.dropped.load(Ordering::Relaxed)
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
    mut finishing: oneshot::Receiver<()>,
    counts: Arc<Counts>,
) where
    F: Fn(Signal) -> Fut,
    Fut: Future<Output = ()>,
{
    loop {
        // What waits comes before the end, so that `finish` loses nothing.
        let next = poll_fn(|context| match events.poll_recv(context) {
            Poll::Ready(next) => Poll::Ready(Some(next)),
            Poll::Pending => pin!(&mut finishing).poll(context).map(|_| None),
        });
        match next.await {
            None => return,
            Some(Err(Lagged(lost))) => {
                counts.dropped.fetch_add(lost, Ordering::Relaxed);
            }
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
