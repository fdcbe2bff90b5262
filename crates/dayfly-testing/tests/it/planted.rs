//! What was planted is caught, with the moment of the drop in the message.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Poll, Waker};
use std::time::Duration;

use dayfly_testing::{DropPoint, drop_at_every_poll};
use tokio::runtime::Handle;
use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::task::yield_now;

use crate::caught::caught;

#[test]
fn a_permit_lost_at_an_await_is_caught_at_that_poll() {
    let text = caught(|| {
        drop_at_every_poll(
            || Arc::new(AtomicUsize::new(1)),
            |pool| async move {
                yield_now().await;
                pool.fetch_sub(1, Ordering::SeqCst);
                yield_now().await; // the permit is nobody's here
                pool.fetch_add(1, Ordering::SeqCst);
            },
            |pool, _| async move { assert_eq!(pool.load(Ordering::SeqCst), 1, "a permit is lost") },
        )
    });
    assert!(text.starts_with("dropped after poll 2: ") && text.contains("a permit is lost"), "{text}");
}

#[test]
fn a_check_that_waits_for_a_lost_permit_is_reported_and_not_waited_for() {
    let text = caught(|| {
        drop_at_every_poll(
            || Arc::new(Semaphore::new(1)),
            |pool| async move {
                pool.acquire().await.unwrap().forget();
                yield_now().await;
                pool.add_permits(1);
            },
            |pool, _| async move { drop(pool.acquire().await) },
        )
    });
    assert_eq!(text, "dropped after poll 1: the check did not end within a day of paused time");
}

#[test]
fn a_wake_up_that_is_lost_when_its_owner_is_dropped_is_caught() {
    let text = caught(|| {
        drop_at_every_poll(
            || {
                let gate = Arc::new(Notify::new());
                gate.notify_one();
                gate
            },
            |gate| async move {
                gate.notified().await;
                yield_now().await; // the notice was taken and is not passed on
                gate.notify_one();
            },
            |gate, _| async move {
                let next = tokio::time::timeout(Duration::from_secs(1), gate.notified()).await;
                assert!(next.is_ok(), "the next in line is never woken");
            },
        )
    });
    assert_eq!(text, "dropped after poll 1: the next in line is never woken");
}

#[test]
fn a_wake_up_that_is_lost_between_the_wake_and_the_poll_is_caught() {
    // A hand-over as one would write it first: the giver takes the waiter out of the list, the waiter learns of it when
    // it is polled, and nobody thinks of a waiter that is dropped in between.
    let text = caught(|| {
        drop_at_every_poll(
            || {
                let place: Arc<Mutex<(bool, VecDeque<Waker>)>> = Arc::default();
                let giver = Arc::clone(&place);
                drop(Handle::current().spawn(async move {
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    let waiter = giver.lock().unwrap().1.pop_front();
                    match waiter {
                        Some(waiter) => waiter.wake(),
                        None => giver.lock().unwrap().0 = true,
                    }
                }));
                place
            },
            |place| async move {
                let mut waits = false;
                poll_fn(|context| {
                    let (free, line) = &mut *place.lock().unwrap();
                    if std::mem::take(free) || waits {
                        *free = true;
                        return Poll::Ready(());
                    }
                    waits = true;
                    line.push_back(context.waker().clone());
                    Poll::Pending
                })
                .await;
            },
            |place, point| async move {
                tokio::time::sleep(Duration::from_secs(2)).await;
                // Dropped while it waited, it was handed the place in vain: the same fault, one moment earlier.
                let expected = point == DropPoint::After(1) || place.lock().unwrap().0;
                assert!(expected, "the place was handed to nobody");
            },
        )
    });
    assert_eq!(text, "dropped before poll 2: the place was handed to nobody");
}

#[test]
fn an_item_that_is_lost_with_its_future_is_caught() {
    let text = caught(|| {
        drop_at_every_poll(
            || {
                let (sender, receiver) = mpsc::channel(3);
                (0..3).for_each(|item| sender.try_send(item).unwrap());
                (Arc::new(tokio::sync::Mutex::new(receiver)), Arc::<Mutex<Vec<u32>>>::default())
            },
            |(items, arrived)| async move {
                while let Some(item) = items.lock().await.recv().await {
                    yield_now().await; // the item is in this future and nowhere else
                    arrived.lock().unwrap().push(item);
                }
            },
            |(items, arrived), _| async move {
                let mut arrived = arrived.lock().unwrap().clone();
                while let Some(item) = items.lock().await.recv().await {
                    arrived.push(item);
                }
                assert_eq!(arrived, [0, 1, 2], "an item is lost");
            },
        )
    });
    let words = ["dropped after poll 1: ", "an item is lost", "left: [1, 2]"];
    assert!(words.iter().all(|words| text.contains(words)), "{text}");
}

#[test]
fn an_item_that_is_handed_out_twice_is_caught() {
    let text = caught(|| {
        drop_at_every_poll(
            || (Arc::new(Mutex::new(VecDeque::from([7, 8]))), Arc::<Mutex<Vec<u32>>>::default()),
            |(queue, arrived)| async move {
                loop {
                    let Some(item) = queue.lock().unwrap().front().copied() else { break };
                    arrived.lock().unwrap().push(item);
                    yield_now().await; // it has arrived and is in the queue still
                    queue.lock().unwrap().pop_front();
                }
            },
            |(queue, arrived), _| async move {
                let mut arrived = arrived.lock().unwrap().clone();
                arrived.extend(queue.lock().unwrap().drain(..));
                assert_eq!(arrived, [7, 8], "an item was handed out twice");
            },
        )
    });
    let words = ["dropped after poll 1: ", "an item was handed out twice", "left: [7, 7, 8]"];
    assert!(words.iter().all(|words| text.contains(words)), "{text}");
}

#[test]
fn a_check_that_fails_after_completion_does_not_blame_a_drop() {
    let text = caught(|| {
        drop_at_every_poll(
            || (),
            |()| yield_now(),
            |(), point| async move { assert!(point != DropPoint::Completed, "the end is wrong") },
        )
    });
    assert_eq!(text, "dropped after it completed: the end is wrong");
}

/// Something that cannot be dropped in peace.
struct Touchy;

impl Drop for Touchy {
    fn drop(&mut self) {
        panic!("dropping broke");
    }
}

#[test]
fn a_panic_in_the_future_names_the_poll_and_one_in_its_drop_the_drop() {
    let polled = |()| async {
        yield_now().await;
        panic!("it broke");
    };
    let text = caught(|| drop_at_every_poll(|| (), polled, |(), _| async {}));
    assert_eq!(text, "since poll 2: it broke");

    let touchy = |()| async {
        yield_now().await;
        let _touchy = Touchy;
        yield_now().await;
    };
    let text = caught(|| drop_at_every_poll(|| (), touchy, |(), _| async {}));
    assert_eq!(text, "dropped after poll 2: dropping broke");
}

#[test]
fn a_panic_while_setting_up_blames_no_drop() {
    let text = caught(|| drop_at_every_poll(|| panic!("no state"), |()| async {}, |(), _| async {}));
    assert_eq!(text, "while setting up: no state");
}

#[test]
fn a_future_that_nothing_wakes_is_reported() {
    let text = caught(|| drop_at_every_poll(|| (), |()| std::future::pending::<()>(), |(), _| async {}));
    assert_eq!(text, "since poll 1: nothing woke the future for a day of paused time");
}

#[test]
fn a_future_that_keeps_the_waker_of_an_earlier_poll_is_reported() {
    // It works as long as one task polls it. Moved to another, or polled in a `select!`, it would hang.
    let keeps_its_first = |()| async {
        let mut first = None;
        let mut polls = 0;
        poll_fn(|context| {
            polls += 1;
            let waker = first.get_or_insert_with(|| context.waker().clone());
            waker.wake_by_ref();
            if polls < 3 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
    };
    let text = caught(|| drop_at_every_poll(|| (), keeps_its_first, |(), _| async {}));
    assert_eq!(text, "since poll 2: nothing woke the future for a day of paused time");
}

#[test]
fn a_future_that_never_completes_is_reported() {
    let endless = |()| async {
        loop {
            yield_now().await;
        }
    };
    let text = caught(|| drop_at_every_poll(|| (), endless, |(), _| async {}));
    assert_eq!(text, "the future never completed within 1000 polls");
}

#[test]
fn a_scenario_that_needs_fewer_polls_in_a_later_run_is_reported() {
    // Three polls in the first runs and one from the fourth on: the moments after that would be left out.
    let runs = AtomicUsize::new(0);
    let hasty = |()| {
        let yields = if runs.fetch_add(1, Ordering::SeqCst) < 3 { 2 } else { 0 };
        async move {
            for _ in 0..yields {
                yield_now().await;
            }
        }
    };
    let text = caught(|| drop_at_every_poll(|| (), hasty, |(), _| async {}));
    assert_eq!(
        text,
        "the scenario differs from run to run: the future needs 2 polls or more in one, 1 in another"
    );
}

#[test]
fn a_scenario_that_needs_more_polls_in_a_later_run_is_reported() {
    // One poll when it is counted first, two in the last run.
    let runs = AtomicUsize::new(0);
    let slower = |()| {
        let run = runs.fetch_add(1, Ordering::SeqCst);
        async move {
            if run >= 2 {
                yield_now().await;
            }
        }
    };
    let text = caught(|| drop_at_every_poll(|| (), slower, |(), _| async {}));
    assert_eq!(
        text,
        "the scenario differs from run to run: the future needs 1 polls or more in one, 2 in another"
    );
}
