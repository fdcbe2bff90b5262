//! A caller that has a worker's turn while the worker's task comes for it: as in `crew.rs`.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::Mutex;
use loom::thread;

use super::ready::Hub;

/// A task that misses its turn has it as soon as the caller is done.
pub(super) fn missed_turn() {
    let (hub, worker) = (Arc::<Hub>::default(), Arc::new(Mutex::new(())));
    let (others, place) = (Arc::clone(&hub), Arc::clone(&worker));
    let caller = thread::spawn(move || {
        let Ok(taken) = place.try_lock() else { return };
        drop(taken);
        assert!(!others.make_up(), "the task is there");
    });
    block_on(poll_fn(|context| {
        if worker.try_lock().is_ok() {
            return Poll::Ready(());
        }
        hub.miss_turn(context.waker());
        if worker.try_lock().is_ok() { Poll::Ready(()) } else { Poll::Pending }
    }));
    caller.join().expect("it ends");
}

/// What a task that is gone leaves behind is looked after exactly by whoever finds the worker free last.
pub(super) fn missed_end() {
    let (hub, worker) = (Arc::<Hub>::default(), Arc::new(Mutex::new(0)));
    let (others, place) = (Arc::clone(&hub), Arc::clone(&worker));
    let lose = |hub: &Hub, worker: &Mutex<u32>| {
        hub.miss_end();
        if let Ok(mut lost) = worker.try_lock() {
            *lost += 1;
        }
    };
    let caller = thread::spawn(move || {
        let Ok(taken) = place.try_lock() else { return };
        drop(taken);
        if others.make_up() {
            lose(&others, &place);
        }
    });
    lose(&hub, &worker);
    caller.join().expect("it ends");
    assert!(*worker.lock().expect("nobody panics") > 0, "somebody has seen to it");
}
