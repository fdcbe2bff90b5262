//! The keeper is the one task that waits for time: for the batch that is due next, and for the grace of a cancellation.
//! While no batch fills it has no timer.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use tokio::time::{Instant, sleep_until};

use super::Engine;
use super::desk::{Desk, Next};

pub(super) fn start<T, K, V, E>(engine: Arc<Engine<T, K, V, E>>)
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    let runtime = engine.runtime.clone();
    let keeper = Keeper { engine };
    drop(runtime.spawn(keep(keeper)));
}

async fn keep<T, K, V, E>(keeper: Keeper<T, K, V, E>)
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    let engine = &keeper.engine;
    loop {
        let now = Instant::now();
        let next = match engine.change(|desk, todo| desk.tick(now, todo)) {
            Next::Over => return,
            Next::Kill => {
                engine.killed.set();
                continue;
            }
            Next::Wait(next) => next,
        };
        let mut told = pin!(engine.keeper.notified());
        let mut time = pin!(next.map(sleep_until));
        poll_fn(|context| {
            let was_told = told.as_mut().poll(context).is_ready();
            let time_came = time.as_mut().as_pin_mut().is_some_and(|time| time.poll(context).is_ready());
            if was_told || time_came { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// The keeper's presence: when the runtime drops it, nothing else can bring the items to their end.
struct Keeper<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    engine: Arc<Engine<T, K, V, E>>,
}

impl<T, K, V, E> Drop for Keeper<T, K, V, E>
where
    T: Send + 'static,
    K: Eq + Send + 'static,
    V: Send + 'static,
    E: Send + Sync + 'static,
{
    fn drop(&mut self) {
        // After the end there is nothing left to abandon. Before it, the runtime is shutting down.
        self.engine.change(Desk::abandon);
    }
}
