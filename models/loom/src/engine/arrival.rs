//! Producers that bring items, and workers that rest when there are none: the inbox, the hubs and the order of looks
//! as in the engine's `serve` and `publish`, around a core that is nothing but a heap of items.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use loom::future::block_on;
use loom::sync::{Mutex, MutexGuard};
use loom::thread::{self, JoinHandle};

use super::inbox::{Inbox, Offer};
use super::ready::{Hub, Ready};
use crate::schedule::Queued;
use crate::sync::locked;

struct Engine {
    core: Mutex<Core>,
    inbox: Mutex<Inbox<u32, ()>>,
    hubs: Vec<Arc<Hub>>,
    items: usize,
}

#[derive(Default)]
struct Core {
    supply: VecDeque<Queued<u32, ()>>,
    done: usize,
}

impl Engine {
    fn new(workers: usize, items: usize) -> Arc<Self> {
        let hubs: Vec<Arc<Hub>> = (0..workers).map(|_| Arc::default()).collect();
        Arc::new(Self {
            core: Mutex::new(Core::default()),
            inbox: Mutex::new(Inbox::new(8, None, hubs.clone().into())),
            hubs,
            items,
        })
    }

    fn inbox(&self) -> MutexGuard<'_, Inbox<u32, ()>> {
        locked(&self.inbox)
    }

    fn offer(&self, item: u32) {
        let accepted = self.inbox().offer(Offer::new((), item));
        if let Ok(accepted) = accepted
            && let Some(worker) = accepted.tell
        {
            self.hubs[worker].nudge();
        }
    }

    /// A visit: takes one item, if there is any. Says whether there was, and whether all have been taken.
    fn serve(&self, worker: usize) -> (bool, bool) {
        let mut core = locked(&self.core);
        self.inbox().swap(&mut core.supply);
        let came = core.supply.pop_front().is_some();
        core.done += usize::from(came);
        let mut inbox = self.inbox();
        inbox.rise(worker);
        let rests = !came && inbox.is_empty();
        let mut told = Vec::new();
        for _ in 0..core.supply.len() + usize::from(!inbox.is_empty()) {
            told.extend(inbox.pick_idle());
        }
        if rests {
            inbox.rest(worker);
        }
        let is_end = core.done == self.items;
        drop((inbox, core));
        if is_end {
            self.hubs.iter().for_each(|hub| hub.nudge());
        }
        for worker in told {
            self.hubs[worker].nudge();
        }
        (rests, is_end)
    }

    /// Turns, as a worker does, until every item has been taken.
    fn work(&self, index: usize) {
        let ready = Ready::new(Arc::clone(&self.hubs[index]));
        let mut rests = false;
        block_on(poll_fn(|context| {
            ready.wake_up(context.waker());
            loop {
                if !rests || self.hubs[index].was_nudged() {
                    let is_end;
                    (rests, is_end) = self.serve(index);
                    if is_end {
                        return Poll::Ready(());
                    }
                }
                if rests && ready.fall_asleep() {
                    return Poll::Pending;
                }
            }
        }));
    }
}

fn offers(engine: &Arc<Engine>, items: u32) -> JoinHandle<()> {
    let engine = Arc::clone(engine);
    thread::spawn(move || (0..items).for_each(|item| engine.offer(item)))
}

/// Every item is taken: a worker that rests is told of the next.
pub(super) fn one_worker() {
    let engine = Engine::new(1, 2);
    let producing = offers(&engine, 2);
    engine.work(0);
    producing.join().expect("it ends");
}

pub(super) fn two_producers() {
    let engine = Engine::new(1, 2);
    let producing = [offers(&engine, 1), offers(&engine, 1)];
    engine.work(0);
    for producing in producing {
        producing.join().expect("it ends");
    }
}

pub(super) fn two_workers() {
    let engine = Engine::new(2, 2);
    let producing = offers(&engine, 2);
    let other = Arc::clone(&engine);
    let working = thread::spawn(move || other.work(1));
    engine.work(0);
    working.join().expect("it ends");
    producing.join().expect("it ends");
}
