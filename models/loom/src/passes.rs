//! What an operation and the engine have in common, handed from one operation to the next.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use loom::future::block_on;
use loom::thread;

use crate::explore::{Model, Size};
use crate::pass::Shared;

pub(crate) const MODELS: &[Model] = &[
    Model { name: "pass_cancellation_is_not_missed", run: cancellation, size: Size::Small },
    Model { name: "pass_late_cancellation_spares_the_next", run: late_cancellation, size: Size::Large(5, 3) },
    Model { name: "pass_late_kill_spares_the_next", run: late_kill, size: Size::Small },
    Model { name: "pass_kill_reaches_a_body_that_never_ends", run: kill_reaches, size: Size::Small },
];

/// A body that waits to be cancelled is told, whenever that happens.
fn cancellation() {
    let shared = Arc::new(Shared::default());
    let other = Arc::clone(&shared);
    let cancelling = thread::spawn(move || other.cancel(1));
    block_on(shared.cancelled(1));
    cancelling.join().expect("it cancels");
}

/// One of generation 1 wakes who waits in generation 2, and that is all: only its own cancellation ends the wait.
fn late_cancellation() {
    let shared = Arc::new(Shared::default());
    let other = Arc::clone(&shared);
    let cancelling = thread::spawn(move || {
        other.cancel(1);
        assert!(!other.is_cancelled(2));
        other.cancel(2);
    });
    block_on(shared.cancelled(2));
    assert!(shared.is_cancelled(2));
    cancelling.join().expect("it cancels");
}

/// Whoever kills operation 1 while its slot goes over to operation 2 does not hit that.
fn late_kill() {
    let shared = Arc::new(Shared::default());
    shared.belongs_to(Waker::noop());
    let other = Arc::clone(&shared);
    let killing = thread::spawn(move || other.kill(1));
    // The worker: 1 ends, be it killed or not, and 2 begins.
    let was_killed = shared.is_killed(1);
    shared.finish(1);
    assert!(!shared.is_killed(2) && !shared.is_cancelled(2) && !shared.is_finished(2));
    killing.join().expect("it kills");
    assert!(shared.is_killed(1) && shared.is_cancelled(1) && shared.is_finished(1));
    assert!(!shared.is_killed(2) && !shared.is_cancelled(2), "killed before its end: {was_killed}");
}

/// A body that does nothing but wait is polled again once it is killed, and is seen to be.
fn kill_reaches() {
    let shared = Arc::new(Shared::default());
    let (worker, killer) = (Arc::clone(&shared), Arc::clone(&shared));
    let working = thread::spawn(move || {
        block_on(poll_fn(|context| {
            worker.belongs_to(context.waker());
            if worker.is_killed(1) { Poll::Ready(()) } else { Poll::Pending }
        }));
        worker.finish(1);
    });
    // As in the engine: marked under the lock, the rest when it is free.
    killer.doom(1);
    killer.kill(1);
    working.join().expect("it ends");
    assert!(shared.is_finished(1));
}
