//! Permits that are taken and given back past a lock.

use std::sync::Arc;

use loom::sync::MutexGuard;
use loom::thread;

use crate::explore::{Model, Size};
use crate::lane::{Lane, MOST};
use crate::sync::{AtomicUsize, Mutex, Ordering, locked};

pub(crate) const MODELS: &[Model] = &[
    Model { name: "lane_one_at_a_time", run: one_at_a_time, size: Size::Large(5, 3) },
    Model { name: "lane_who_waits_is_called", run: who_waits_is_called, size: Size::Large(5, 3) },
    Model { name: "lane_looked_at_meanwhile", run: looked_at, size: Size::Large(4, 2) },
];

/// A limiter with nothing around it: whoever finds no room is noted, and called by whoever gives back.
struct Limiter {
    lane: Lane,
    state: Mutex<State>,
    /// Written by whoever has the only permit, without any order of its own.
    written: AtomicUsize,
}

#[derive(Default)]
struct State {
    free: usize,
    waiting: usize,
    called: usize,
}

impl Limiter {
    fn new(limit: usize) -> Arc<Self> {
        let this = Self { lane: Lane::shut(), state: Mutex::default(), written: AtomicUsize::new(0) };
        let mut state = this.lock();
        state.free = limit;
        this.unlock(state);
        Arc::new(this)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = locked(&self.state);
        state.free += self.lane.close();
        state
    }

    fn unlock(&self, mut state: MutexGuard<'_, State>) {
        if state.waiting == 0 {
            self.lane.open(std::mem::take(&mut state.free).min(MOST));
        }
    }

    /// Whether there was room; if not, it waits.
    fn take(&self) -> bool {
        if self.lane.take(1) {
            return true;
        }
        let mut state = self.lock();
        let has_room = state.free > 0;
        if has_room {
            state.free -= 1;
        } else {
            state.waiting += 1;
        }
        self.unlock(state);
        has_room
    }

    fn give_back(&self) {
        if self.lane.give_back(1) {
            return;
        }
        let mut state = self.lock();
        if state.waiting > 0 {
            state.waiting -= 1;
            state.called += 1;
        } else {
            state.free += 1;
        }
        self.unlock(state);
    }

    /// What only one may do at a time: nothing that was written before is missed.
    fn write(&self) {
        let written = self.written.load(Ordering::Relaxed);
        self.written.store(written + 1, Ordering::Relaxed);
    }

    /// How many are free and how many wait when all is quiet, and how many were called.
    fn end(&self) -> (usize, usize, usize) {
        let state = self.lock();
        (state.free, state.waiting, state.called)
    }
}

/// Each sees what the one before it has done, whichever way the permit went.
fn one_at_a_time() {
    let limiter = Limiter::new(1);
    let work = |limiter: Arc<Limiter>| {
        move || {
            let has_come = limiter.take();
            if has_come {
                limiter.write();
                limiter.give_back();
            }
            usize::from(has_come)
        }
    };
    let others = [thread::spawn(work(limiter.clone())), thread::spawn(work(limiter.clone()))];
    let own = work(limiter.clone())();
    let came = own + others.map(|other| other.join().expect("it ends")).iter().sum::<usize>();
    let (free, waiting, called) = limiter.end();
    assert_eq!(limiter.written.load(Ordering::Relaxed), came, "nothing is written over");
    assert_eq!((free + called, came + called + waiting), (1, 3), "the permit has one owner, or none");
    assert!(free == 0 || waiting == 0, "nobody waits for what is free");
}

/// A permit that comes back is given to whoever waits, however close both are.
fn who_waits_is_called() {
    let limiter = Limiter::new(1);
    assert!(limiter.take());
    let other = limiter.clone();
    let newcomer = thread::spawn(move || other.take());
    let other = limiter.clone();
    let looker = thread::spawn(move || other.end().0 <= 1);
    limiter.give_back();
    let has_come = newcomer.join().expect("it ends");
    assert!(looker.join().expect("it ends"));
    let expected = if has_come { (0, 0, 0) } else { (0, 0, 1) };
    assert_eq!(limiter.end(), expected, "the permit has an owner, and nobody waits");
}

/// Whoever looks finds as many permits as there are, taken or free.
fn looked_at() {
    let limiter = Limiter::new(2);
    let work = |limiter: Arc<Limiter>| {
        move || {
            assert!(limiter.take(), "there is one for each");
            limiter.give_back();
        }
    };
    let other = thread::spawn(work(limiter.clone()));
    let looker = {
        let limiter = limiter.clone();
        thread::spawn(move || {
            let state = limiter.lock();
            assert!(state.free <= 2);
            limiter.unlock(state);
        })
    };
    work(limiter.clone())();
    other.join().expect("it ends");
    looker.join().expect("it ends");
    assert_eq!(limiter.end(), (2, 0, 0));
}
