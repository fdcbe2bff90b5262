//! A worker that falls asleep while others wake it.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Poll, Waker};

use loom::future::block_on;
use loom::thread::{self, JoinHandle};

use super::ready::{Hub, Ready};
use crate::sync::{AtomicU64, Ordering};

/// Turns until `done` says of the slots that were woken so far that there is nothing more to wait for.
fn work(ready: &Ready, hub: &Hub, mut done: impl FnMut(u64, bool) -> bool) {
    let (mut woken, mut was_nudged) = (0, false);
    block_on(poll_fn(|context| {
        ready.wake_up(context.waker());
        loop {
            for block in 0..2 {
                woken |= ready.take(block) << (8 * block);
            }
            was_nudged |= hub.was_nudged();
            if done(woken, was_nudged) {
                return Poll::Ready(());
            }
            if ready.fall_asleep() {
                return Poll::Pending;
            }
        }
    }));
}

fn wakes(waker: Waker) -> JoinHandle<()> {
    thread::spawn(move || waker.wake())
}

fn nudges(hub: &Arc<Hub>) -> JoinHandle<()> {
    let hub = Arc::clone(hub);
    thread::spawn(move || hub.nudge())
}

fn ended<const N: usize>(others: [JoinHandle<()>; N]) {
    for other in others {
        other.join().expect("it ends");
    }
}

pub(super) fn one_waker() {
    let hub = Arc::<Hub>::default();
    let mut ready = Ready::new(Arc::clone(&hub));
    let waking = wakes(ready.waker(0));
    work(&ready, &hub, |woken, _| woken == 1);
    ended([waking]);
}

pub(super) fn two_slots() {
    let hub = Arc::<Hub>::default();
    let mut ready = Ready::new(Arc::clone(&hub));
    let waking = [wakes(ready.waker(0)), wakes(ready.waker(1))];
    work(&ready, &hub, |woken, _| woken == 0b11);
    ended(waking);
}

pub(super) fn two_blocks() {
    let hub = Arc::<Hub>::default();
    let mut ready = Ready::new(Arc::clone(&hub));
    let waking = [wakes(ready.waker(3)), wakes(ready.waker(64))];
    work(&ready, &hub, |woken, _| woken == 0b1_0000_1000);
    ended(waking);
}

/// Two wake one body: it is polled after the last of them, and sees what both did before.
pub(super) fn one_slot() {
    let hub = Arc::<Hub>::default();
    let mut ready = Ready::new(Arc::clone(&hub));
    let done = Arc::new(AtomicU64::new(0));
    let waking = [0b01, 0b10].map(|bit| {
        let (waker, done) = (ready.waker(0), Arc::clone(&done));
        thread::spawn(move || {
            done.fetch_or(bit, Ordering::Relaxed);
            waker.wake();
        })
    });
    work(&ready, &hub, |_, _| done.load(Ordering::Relaxed) == 0b11);
    ended(waking);
}

/// A slot that is woken, polled, and woken again while its worker is on its way to sleep.
pub(super) fn during_a_turn() {
    let hub = Arc::<Hub>::default();
    let mut ready = Ready::new(Arc::clone(&hub));
    let done = Arc::new(AtomicU64::new(0));
    let (waker, other) = (ready.waker(0), Arc::clone(&done));
    let waking = thread::spawn(move || {
        for step in 1..=2 {
            other.store(step, Ordering::Relaxed);
            waker.wake_by_ref();
        }
    });
    work(&ready, &hub, |woken, _| woken == 1 && done.load(Ordering::Relaxed) == 2);
    ended([waking]);
}

pub(super) fn nudge() {
    let hub = Arc::<Hub>::default();
    let ready = Ready::new(Arc::clone(&hub));
    let nudging = nudges(&hub);
    work(&ready, &hub, |_, was_nudged| was_nudged);
    ended([nudging]);
}

pub(super) fn nudge_and_wake() {
    let hub = Arc::<Hub>::default();
    let mut ready = Ready::new(Arc::clone(&hub));
    let others = [wakes(ready.waker(0)), nudges(&hub)];
    work(&ready, &hub, |woken, was_nudged| woken == 1 && was_nudged);
    ended(others);
}

/// Two have something to do for a worker that does not exist yet: it is started once, and sees both.
pub(super) fn start_once() {
    let hub = Arc::<Hub>::default();
    let (given, started) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let telling = [0b01, 0b10].map(|bit| {
        let (hub, given, started) = (Arc::clone(&hub), Arc::clone(&given), Arc::clone(&started));
        thread::spawn(move || {
            given.fetch_or(bit, Ordering::Relaxed);
            if !hub.must_start() {
                hub.nudge();
                return;
            }
            assert_eq!(started.fetch_add(1, Ordering::Relaxed), 0, "one worker");
            let ready = Ready::new(Arc::clone(&hub));
            work(&ready, &hub, |_, _| given.load(Ordering::Relaxed) == 0b11);
        })
    });
    ended(telling);
    assert!(hub.has_started());
}
