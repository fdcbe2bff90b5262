//! Callbacks: they run in the raiser's call, one event after the other, and never under the sink's lock.
//!
//! What a callback raises changes the sink at once and is delivered after the event that is being delivered: each
//! thread has one queue, whatever the number of sinks. It is caused by that event, so the depth limit ends every loop.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::{Signal, SignalSink};

pub(crate) type Callback = Arc<dyn Fn(&Signal) + Send + Sync>;

/// Keeps a callback registered until it is dropped.
///
/// A delivery that is under way when it is dropped may still reach the callback.
#[must_use = "the callback is removed when the listener is dropped"]
pub struct Listener {
    pub(crate) sink: SignalSink,
    pub(crate) at: usize,
}

/// An event on its way to one callback.
pub(crate) struct Delivery {
    pub(crate) sink: SignalSink,
    pub(crate) signal: Signal,
    pub(crate) callback: Callback,
}

/// What this thread is delivering.
#[derive(Default)]
struct Desk {
    current: Option<Signal>,
    /// How many deliveries led to the one under way, itself included; 0 for none. Not every event has its cause in its
    /// chain: a retraction, a hold and a clearing have none, and `raise_caused` names another. So it is counted here too,
    /// but for forwarding, which ends by itself.
    depth: u32,
    waiting: VecDeque<(Delivery, u32)>,
}

thread_local! {
    static DESK: RefCell<Desk> = RefCell::default();
    /// Whether the desk is busy: every raise asks, and a plain flag is the cheapest answer.
    static IS_BUSY: Cell<bool> = const { Cell::new(false) };
}

/// The event that a callback on this thread is being told, if one is.
pub(crate) fn current() -> Option<Signal> {
    if IS_BUSY.get() { desk_current() } else { None }
}

#[cold]
fn desk_current() -> Option<Signal> {
    // While a thread ends its desk is gone, and nothing is delivered there.
    DESK.try_with(|desk| desk.borrow().current.clone()).ok().flatten()
}

/// Delivers, or leaves it to the delivery that is under way on this thread.
pub(crate) fn deliver(deliveries: Vec<Delivery>) {
    let Some(Delivery { sink, signal, .. }) = deliveries.first() else { return };
    let led_here = DESK.try_with(|desk| desk.borrow().depth).unwrap_or(0);
    let depth = led_here + u32::from(signal.visited.is_none());
    if led_here > 0 && depth > sink.lock().options.max_depth {
        let (sink, name) = (sink.clone(), signal.name().to_owned());
        // The last reference to a callback may run foreign code.
        for delivery in deliveries {
            contained(|| drop(delivery));
        }
        let why = format!("no callback is told of `{name}`: {led_here} events led to it already");
        return sink.note("sink.blocked", &why);
    }
    let taken = DESK.try_with(|desk| {
        let mut desk = desk.borrow_mut();
        desk.waiting.extend(deliveries.into_iter().map(|delivery| (delivery, depth)));
        desk.current.is_some()
    });
    // Somebody delivers already, or the thread is at its very end and its desk is gone.
    if !taken.unwrap_or(true) {
        deliver_what_waits();
    }
}

fn deliver_what_waits() {
    let next = || {
        DESK.with_borrow_mut(|desk| {
            let next = desk.waiting.pop_front();
            desk.current = next.as_ref().map(|(delivery, _)| delivery.signal.clone());
            desk.depth = next.as_ref().map_or(0, |(_, depth)| *depth);
            IS_BUSY.set(next.is_some());
            next
        })
    };
    while let Some((Delivery { sink, signal, callback }, _)) = next() {
        let is_told = contained(|| callback(&signal)).is_some();
        // The last reference to a callback may run foreign code too, so it goes while the desk still counts as busy, and
        // a panic of it must not leave the desk busy for ever.
        let is_gone = contained(|| drop(callback)).is_some();
        if !(is_told && is_gone) {
            sink.note("sink.callback.panicked", signal.name());
        }
    }
}

/// Runs foreign code. What it panics with is foreign too, and what the drop of that panics with is let be.
pub(crate) fn contained<R>(foreign: impl FnOnce() -> R) -> Option<R> {
    let panic = match catch_unwind(AssertUnwindSafe(foreign)) {
        Ok(result) => return Some(result),
        Err(panic) => panic,
    };
    if let Err(again) = catch_unwind(AssertUnwindSafe(|| drop(panic))) {
        std::mem::forget(again);
    }
    None
}

impl fmt::Debug for Listener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listener").finish_non_exhaustive()
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        // The callback may own anything: it is dropped after the lock.
        let interest = self.sink.lock().unlisten(self.at);
        drop(interest);
    }
}
