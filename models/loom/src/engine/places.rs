//! Producers that wait for a place.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use loom::future::block_on;
use loom::sync::Mutex;
use loom::thread::{self, JoinHandle};

use super::line::Ticket;
use super::room::{NoRoom, Room};
use crate::sync::locked;

type Shared = Arc<Mutex<Room<u8>>>;

/// The place of the one key.
const KEY: usize = 0;

/// A room whose only place is taken.
fn full(per_key: bool) -> Shared {
    let mut room = Room::new(if per_key { 2 } else { 1 }, per_key.then_some(Box::new(|_: &u8| 1_usize) as _));
    assert_eq!(room.enter(&0), Ok(KEY));
    Arc::new(Mutex::new(room))
}

/// What the engine does: under the lock what has to be, and wake-ups when it is free.
fn with<R>(room: &Shared, change: impl FnOnce(&mut Room<u8>, &mut Vec<Waker>) -> R) -> R {
    let mut wakers = Vec::new();
    let answer = change(&mut locked(room), &mut wakers);
    wakers.into_iter().for_each(Waker::wake);
    answer
}

fn joined(room: &Shared) -> Ticket {
    with(room, |room, wakers| room.join(&0, wakers))
}

fn poll(room: &Shared, ticket: Ticket, context: &Context<'_>) -> Poll<Result<usize, NoRoom>> {
    let mut replaced = None;
    locked(room).poll(ticket, context.waker(), &mut replaced)
}

/// Waits for a place, and takes it.
fn waits(room: &Shared) -> JoinHandle<Result<usize, NoRoom>> {
    let room = Arc::clone(room);
    thread::spawn(move || {
        let ticket = joined(&room);
        block_on(poll_fn(|context| poll(&room, ticket, context)))
    })
}

/// Waits for a place, and goes away after the first look.
fn gives_up(room: &Shared) -> JoinHandle<bool> {
    let room = Arc::clone(room);
    thread::spawn(move || {
        let ticket = joined(&room);
        if poll(&room, ticket, &Context::from_waker(Waker::noop())).is_ready() {
            return true;
        }
        with(&room, |room, wakers| room.give_up(ticket, wakers));
        false
    })
}

fn leave(room: &Shared) {
    with(room, |room, wakers| {
        room.leave(KEY, wakers);
        room.admit(wakers);
    });
}

/// A place that is granted to one who goes away is granted to the next.
pub(super) fn give_up() {
    passed_on(&full(false));
}

/// The same of the places of one key.
pub(super) fn of_one_key() {
    passed_on(&full(true));
}

fn passed_on(room: &Shared) {
    let (impatient, patient) = (gives_up(room), waits(room));
    leave(room);
    if impatient.join().expect("it ends") {
        leave(room);
    }
    assert_eq!(patient.join().expect("it ends"), Ok(KEY), "the place went on");
    assert_eq!(locked(room).occupied(), 1);
}

/// Whoever joins while a place comes free gets it.
pub(super) fn join() {
    let room = full(false);
    let waiting = waits(&room);
    leave(&room);
    assert_eq!(waiting.join().expect("it ends"), Ok(KEY));
}

/// Whoever waits when intake ends is told so, unless a place was free first.
pub(super) fn close() {
    let room = full(false);
    let waiting = waits(&room);
    let other = Arc::clone(&room);
    let leaving = thread::spawn(move || leave(&other));
    with(&room, |room, wakers| room.close(wakers));
    let outcome = waiting.join().expect("it ends");
    leaving.join().expect("it ends");
    assert_eq!(locked(&room).occupied(), usize::from(outcome.is_ok()));
    assert_eq!(locked(&room).enter(&0), Err(NoRoom::Closed));
}
