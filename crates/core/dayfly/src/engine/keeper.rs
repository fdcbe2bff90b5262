//! The keeper is the one task that waits for time and for signals; it lives as long as there is work to come.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;

use dayfly_signal::Watch;
use futures_util::future::OptionFuture;
use tokio::time::sleep_until;

use super::core::Core;
use super::{Engine, Key};
use crate::schedule::Schedule;

pub(super) fn start<S>(engine: Arc<Engine<S>>, watch: Option<Watch>)
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    let runtime = engine.runtime.clone();
    let keeper = Keeper { engine };
    drop(runtime.spawn(keep(keeper, watch)));
}

async fn keep<S>(keeper: Keeper<S>, mut watch: Option<Watch>)
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    let engine = &keeper.engine;
    while !engine.ending.reached.is_set() {
        if let Some(watch) = &mut watch {
            // Seen before the gates look, so that a change in between wakes again.
            watch.mark_seen();
        }
        let next = engine.change(Core::tick);
        let mut told = pin!(engine.keeper.notified());
        let mut signal = pin!(OptionFuture::from(watch.as_mut().map(Watch::changed)));
        let mut time = pin!(OptionFuture::from(next.map(sleep_until)));
        poll_fn(|context| {
            // A future that is absent is never the one that is waited for.
            let signal_came = matches!(signal.as_mut().poll(context), Poll::Ready(Some(())));
            let time_came = matches!(time.as_mut().poll(context), Poll::Ready(Some(())));
            let was_told = told.as_mut().poll(context).is_ready();
            if signal_came || time_came || was_told { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

/// The keeper's presence: when the runtime drops it, nothing else can bring the work to its end.
struct Keeper<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    engine: Arc<Engine<S>>,
}

impl<S> Drop for Keeper<S>
where
    S: Schedule<Item: Send + 'static, Key: Key> + Send + 'static,
{
    fn drop(&mut self) {
        // After the end this changes nothing. Before it, the runtime is shutting down: what has not started never
        // will, and what runs is being dropped.
        self.engine.cancel();
    }
}
