//! Where a body's operation hands its pass in when it is dropped: the worker that polls the body takes it from here and
//! gives it to the next operation. Also where a raise finds the worker's reading of the clock.
//!
//! One for each thread, and only open while a worker polls a body on it.

use std::cell::Cell;

use tokio::time::Instant;

use crate::pass::AnyPass;
use crate::sync::thread_local;

thread_local! {
    static DESK: Desk = const { Desk { reading: Cell::new(None), pass: Cell::new(None) } };
}

struct Desk {
    /// Present while a worker polls a body.
    reading: Cell<Option<Instant>>,
    pass: Cell<Option<Box<dyn AnyPass>>>,
}

/// Opens the desk for the time of one call. Whatever was open before is again afterwards.
pub(crate) fn open<R>(now: Instant, call: impl FnOnce() -> R) -> R {
    struct Closing(Option<Instant>);

    impl Drop for Closing {
        fn drop(&mut self) {
            DESK.with(|desk| desk.reading.set(self.0));
        }
    }

    let _closing = Closing(DESK.with(|desk| desk.reading.replace(Some(now))));
    call()
}

/// The worker that has opened the desk has read the clock anew.
pub(crate) fn set_reading(now: Instant) {
    DESK.with(|desk| desk.reading.set(Some(now)));
}

/// The reading of the worker that polls a body on this thread.
pub(crate) fn reading() -> Option<Instant> {
    DESK.try_with(|desk| desk.reading.get()).ok().flatten()
}

/// Hands a pass in. Where no worker waits for it, it is dropped.
pub(crate) fn hand_in(pass: Box<dyn AnyPass>) {
    let surplus = DESK.try_with(|desk| match desk.reading.get() {
        Some(_) => desk.pass.replace(Some(pass)),
        None => Some(pass),
    });
    // Its drop may raise or wake, so it happens when the desk is free again.
    drop(surplus);
}

/// The pass that was handed in last.
pub(crate) fn take() -> Option<Box<dyn AnyPass>> {
    DESK.with(|desk| desk.pass.take())
}
