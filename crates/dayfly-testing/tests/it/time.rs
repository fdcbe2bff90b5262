//! Paused time, and the tasks that run while it stands still.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dayfly_testing::{paused, settle};
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::time::Instant;

#[test]
fn paused_time_costs_none() {
    paused(async {
        let start = Instant::now();
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        assert_eq!(start.elapsed(), Duration::from_secs(3_600));
    });
}

#[test]
fn settling_follows_a_chain_of_hand_overs_and_leaves_the_clock_alone() {
    paused(async {
        let start = Instant::now();
        let late = Handle::current().spawn(tokio::time::sleep(Duration::from_millis(1)));
        let (first, mut before) = oneshot::channel();
        for link in 0..60 {
            let (sender, next) = oneshot::channel();
            drop(Handle::current().spawn(async move {
                let count: u32 = before.await.unwrap();
                assert_eq!(count, link);
                sender.send(count + 1).unwrap();
            }));
            before = next;
        }
        first.send(0).unwrap();
        settle().await;
        assert_eq!(before.try_recv(), Ok(60));
        assert!(!late.is_finished());
        assert_eq!(start.elapsed(), Duration::ZERO);
    });
}

#[test]
fn settling_polls_a_thousand_ready_tasks() {
    paused(async {
        let ran = Arc::new(AtomicUsize::new(0));
        for _ in 0..1_000 {
            let ran = Arc::clone(&ran);
            drop(Handle::current().spawn(async move { ran.fetch_add(1, Ordering::SeqCst) }));
        }
        settle().await;
        assert_eq!(ran.load(Ordering::SeqCst), 1_000);
    });
}

#[test]
fn settling_among_several_threads_is_refused() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let panic = std::panic::catch_unwind(|| runtime.block_on(settle())).unwrap_err();
    let text = panic.downcast_ref::<&str>().unwrap();
    assert_eq!(*text, "settle() can wait for nobody on a runtime with several threads");
}
