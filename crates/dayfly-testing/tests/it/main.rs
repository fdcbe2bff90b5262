//! The harness passes what is sound and catches what was planted.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dayfly_testing::{DropPoint, drop_at_every_poll, paused, settle};
use tokio::sync::Semaphore;

/// Permits in a pool, the last one handed out and given back after a second.
fn contended() -> Arc<Semaphore> {
    let pool = Arc::new(Semaphore::new(1));
    let holder = Arc::clone(&pool);
    drop(tokio::runtime::Handle::current().spawn(async move {
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
fn a_permit_lost_at_an_await_is_caught_at_that_poll() {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        drop_at_every_poll(
            || Arc::new(AtomicUsize::new(1)),
            |pool| async move {
                tokio::task::yield_now().await;
                pool.fetch_sub(1, Ordering::SeqCst);
                tokio::task::yield_now().await; // the permit is nobody's here
                pool.fetch_add(1, Ordering::SeqCst);
            },
            |pool, _| async move { assert_eq!(pool.load(Ordering::SeqCst), 1, "a permit is lost") },
        )
    }));
    let panic = outcome.unwrap_err();
    let text = panic.downcast_ref::<String>().unwrap();
    assert!(text.starts_with("dropped after poll 2: ") && text.contains("a permit is lost"), "{text}");
}

#[test]
fn a_wake_up_that_is_lost_when_its_owner_is_dropped_is_caught() {
    let outcome = catch_unwind(AssertUnwindSafe(|| {
        drop_at_every_poll(
            || {
                let gate = Arc::new(tokio::sync::Notify::new());
                gate.notify_one();
                gate
            },
            |gate| async move {
                gate.notified().await;
                tokio::task::yield_now().await; // the notice was taken and is not passed on
                gate.notify_one();
            },
            |gate, _| async move {
                let next = tokio::time::timeout(Duration::from_secs(1), gate.notified()).await;
                assert!(next.is_ok(), "the next in line is never woken");
            },
        )
    }));
    let panic = outcome.unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().starts_with("dropped after poll 1: "));
}

#[test]
fn a_future_that_nothing_wakes_is_reported() {
    let hang = || drop_at_every_poll(|| (), |()| std::future::pending::<()>(), |(), _| async {});
    let panic = catch_unwind(hang).unwrap_err();
    assert!(panic.downcast_ref::<String>().unwrap().contains("nothing woke the future"));
}

#[test]
fn a_future_that_never_completes_is_reported() {
    let endless = || {
        drop_at_every_poll(
            || (),
            |()| async {
                loop {
                    tokio::task::yield_now().await;
                }
            },
            |(), _| async {},
        )
    };
    let panic = catch_unwind(endless).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "the future never completed within 1000 polls");
}

#[test]
fn the_moment_of_the_drop_is_told_to_the_check() {
    let seen = std::sync::Mutex::new(Vec::new());
    drop_at_every_poll(
        || (),
        |()| tokio::task::yield_now(),
        |(), point| {
            seen.lock().unwrap().push(point);
            async {}
        },
    );
    let expected = [DropPoint::Before(1), DropPoint::After(1), DropPoint::Before(2), DropPoint::Completed];
    assert_eq!(*seen.lock().unwrap(), expected);
}

#[test]
fn paused_time_costs_none() {
    paused(async {
        let start = tokio::time::Instant::now();
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(3_600));
    });
}
