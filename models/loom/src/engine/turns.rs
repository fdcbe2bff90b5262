//! A caller that has a worker's turn while the worker's task comes for it: as in `crew.rs`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::Mutex;
use loom::thread;

use super::ready::Hub;
use crate::sync::{AtomicU64, Ordering};

/// A task that misses its turn has it as soon as the caller is done.
pub(super) fn missed_turn() {
    let (hub, worker) = (Arc::<Hub>::default(), Arc::new(Mutex::new(())));
    // loom sees no conflict in two that try one lock. Steps on this, on either side, have it try all orders.
    let steps = Arc::new(AtomicU64::new(0));
    let (others, place, step) = (Arc::clone(&hub), Arc::clone(&worker), Arc::clone(&steps));
    let caller = thread::spawn(move || {
        let Ok(taken) = place.try_lock() else { return };
        step.fetch_add(1, Ordering::Relaxed);
        step.fetch_add(1, Ordering::Relaxed);
        drop(taken);
        assert!(!others.make_up(), "the task is there");
    });
    let take = || {
        steps.load(Ordering::Relaxed);
        worker.try_lock().is_ok()
    };
    block_on(poll_fn(|context| {
        if take() {
            return Poll::Ready(());
        }
        hub.miss_turn(context.waker());
        if take() { Poll::Ready(()) } else { Poll::Pending }
    }));
    caller.join().expect("it ends");
}

/// What a task that is gone leaves behind is looked after exactly by whoever finds the worker free last.
pub(super) fn missed_end() {
    let (hub, worker) = (Arc::<Hub>::default(), Arc::new(Mutex::new(AtomicU64::new(0))));
    let (others, place) = (Arc::clone(&hub), Arc::clone(&worker));
    let lose = |hub: &Hub, worker: &Mutex<AtomicU64>| {
        hub.miss_end();
        if let Ok(lost) = worker.try_lock() {
            lost.fetch_add(1, Ordering::Relaxed);
        }
    };
    let caller = thread::spawn(move || {
        let Ok(taken) = place.try_lock() else { return };
        taken.load(Ordering::Relaxed);
        drop(taken);
        if others.make_up() {
            lose(&others, &place);
        }
    });
    lose(&hub, &worker);
    caller.join().expect("it ends");
    let lost = worker.lock().expect("nobody panics").load(Ordering::Relaxed);
    assert!(lost > 0, "somebody has seen to it");
}
