//! What is sound passes, and every moment of it is visited.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly_testing::{DropPoint, drop_at_every_poll, settle};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;

/// Permits in a pool, the last one handed out and given back after a second.
fn contended() -> Arc<Semaphore> {
    let pool = Arc::new(Semaphore::new(1));
    let holder = Arc::clone(&pool);
    drop(Handle::current().spawn(async move {
        let _permit = holder.acquire().await;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }));
    pool
}

#[test]
fn a_sound_hand_over_passes() {
    let report = drop_at_every_poll(
        contended,
        |pool| async move {
            settle().await;
            drop(pool.acquire().await);
        },
        |pool, _| async move {
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert_eq!(pool.available_permits(), 1);
        },
    );
    // 64 steps aside, the wait for the permit, and the last poll; two drops for each poll but the last.
    assert_eq!((report.polls, report.drops), (66, 131));
}

#[test]
fn the_moment_of_the_drop_is_told_to_the_check() {
    let seen = Mutex::new(Vec::new());
    drop_at_every_poll(
        || (),
        |()| tokio::task::yield_now(),
        |(), point| {
            seen.lock().unwrap().push(point);
            async {}
        },
    );
    let expected = [
        DropPoint::Before(1),
        DropPoint::After(1),
        DropPoint::Before(2),
        DropPoint::Completed,
        DropPoint::Completed, // the last run, which only counts the polls once more
    ];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn a_future_dropped_before_its_first_poll_has_done_nothing() {
    let polled = AtomicUsize::new(0);
    let report = drop_at_every_poll(
        || polled.store(0, Ordering::SeqCst),
        |()| async { polled.fetch_add(1, Ordering::SeqCst) },
        |(), point| {
            let expected = usize::from(point != DropPoint::Before(1));
            assert_eq!(polled.load(Ordering::SeqCst), expected);
            async {}
        },
    );
    assert_eq!((report.polls, report.drops), (1, 1));
}

#[test]
fn a_future_that_takes_longer_than_a_day_is_patient_and_not_stuck() {
    let report = drop_at_every_poll(
        || (),
        |()| async {
            for _ in 0..30 {
                tokio::time::sleep(Duration::from_secs(3_600)).await;
            }
        },
        |(), _| async {},
    );
    assert_eq!(report.polls, 31);
}
