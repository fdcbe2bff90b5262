//! Submitted items that run in their caller's thread: nothing that holds for workers is different there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use dayfly::{CoordinatorOptions, Operation, OperationState, ResultCoordinator, SignalSink, TicketError};
use dayfly_testing::{drop_at_every_poll, settle};
use futures_util::FutureExt;
use tokio::runtime;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(2);

type Numbers = ResultCoordinator<u32, u32, String>;

/// Whether a submitted item has run when `submit` returns.
fn runs_at_once(work: &Numbers, number: u32) -> bool {
    let ticket = work.submit(number).now_or_never().expect("there is room").expect("it is open");
    ticket.now_or_never().is_some()
}

/// Bodies are known to be quick once a few have been.
async fn warm(work: &Numbers) {
    for _ in 0..3 {
        work.submit(1).await.unwrap().await.unwrap();
        settle().await;
    }
    assert!(runs_at_once(work, 1), "nothing else is to be done");
}

/// Waits at the doors for 0, panics for 13, and yields the number at once otherwise.
fn numbers(options: CoordinatorOptions, signals: &SignalSink, doors: &Doors) -> Numbers {
    let doors = doors.clone();
    ResultCoordinator::spawn(options, signals, move |number: u32, op: Operation| {
        assert!(number != 14, "before there is a future");
        let doors = doors.clone();
        async move {
            op.raise("number.came");
            assert!(number != 13, "bad luck");
            if number == 0 {
                doors.pass().await;
            }
            Ok(number)
        }
    })
}

#[tokio::test(start_paused = true)]
async fn an_item_that_has_run_at_once_is_remembered_as_any_other() {
    let signals = SignalSink::default();
    let work = numbers(WORK, &signals, &Doors::shut());
    warm(&work).await;
    let told = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&told);
    work.on_finish(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    let before = work.stats();
    let ticket = work.submit(7).now_or_never().unwrap().unwrap();
    let snapshot = work.get(ticket.id()).unwrap();
    assert_eq!((snapshot.state, snapshot.attempt), (OperationState::Completed, 1));
    assert_eq!(snapshot.signals.iter().map(dayfly::Signal::name).collect::<Vec<_>>(), ["number.came"]);
    assert_eq!(snapshot.signals[0].operation(), Some(ticket.id()));
    assert_eq!(told.load(Ordering::Relaxed), 1);
    let after = work.stats();
    assert_eq!((after.accepted, after.completed), (before.accepted + 1, before.completed + 1));
    assert_eq!((after.running, after.pending), (0, 0));
    assert_eq!(ticket.await, Ok(7));
    let report = work.drain().await;
    assert_eq!(report.completed, report.accepted);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_suspends_goes_on_without_its_caller() {
    let doors = Doors::shut();
    let work = numbers(WORK, &SignalSink::default(), &doors);
    warm(&work).await;
    drop(work.submit(0).now_or_never().unwrap().unwrap());
    assert_eq!((doors.inside(), work.stats().running), (1, 1));
    doors.let_out(1);
    let report = work.drain().await;
    assert_eq!((report.completed, report.cancelled), (report.accepted, 0));
}

#[tokio::test(start_paused = true)]
async fn nothing_runs_in_the_caller_while_something_else_runs_or_waits() {
    let doors = Doors::shut();
    let work = numbers(WORK, &SignalSink::default(), &doors);
    warm(&work).await;
    let waits = work.submit(0).now_or_never().unwrap().unwrap();
    assert!(!runs_at_once(&work, 1), "a body runs");
    settle().await;
    doors.let_out(1);
    assert_eq!(waits.await, Ok(0));
    assert!(runs_at_once(&work, 1));
}

#[tokio::test(start_paused = true)]
async fn the_limit_and_the_order_hold() {
    let doors = Doors::shut();
    let work = numbers(WORK.max_concurrency(1), &SignalSink::default(), &doors);
    warm(&work).await;
    let tickets = [0, 0, 0].map(|number| work.submit(number).now_or_never().unwrap().unwrap());
    for (ended, ticket) in tickets.into_iter().enumerate() {
        settle().await;
        assert_eq!((doors.inside(), work.stats().pending), (1, 2 - ended as u64));
        doors.let_out(1);
        assert_eq!(ticket.await, Ok(0));
    }
    work.set_max_concurrency(2);
    assert!(runs_at_once(&work, 1));
}

#[tokio::test(start_paused = true)]
async fn gates_and_pauses_hold() {
    let signals = SignalSink::default();
    let work = numbers(WORK.defer_on("later").cancel_on("stop"), &signals, &Doors::shut());
    warm(&work).await;
    work.pause();
    let paused = work.submit(2).now_or_never().unwrap().unwrap();
    settle().await;
    assert_eq!(work.stats().pending, 1);
    work.resume();
    assert_eq!(paused.await, Ok(2));

    signals.raise("later");
    let deferred = work.submit(3).now_or_never().unwrap().unwrap();
    settle().await;
    assert_eq!(work.stats().pending, 1);
    signals.retract("later");
    assert_eq!(deferred.await, Ok(3));

    signals.raise("stop");
    assert_eq!(work.submit(4).await.unwrap().await, Err(TicketError::Skipped));
    signals.retract("stop");
    settle().await;
    assert!(runs_at_once(&work, 5));
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_its_own_operations_only() {
    let work = numbers(WORK, &SignalSink::default(), &Doors::shut());
    warm(&work).await;
    for bad in [13, 14] {
        let ticket = work.submit(bad).now_or_never().unwrap().unwrap();
        assert_eq!(ticket.now_or_never(), Some(Err(TicketError::Panicked)));
        assert!(runs_at_once(&work, 1), "the caller and the worker go on");
    }
    assert_eq!(work.drain().await.panicked, 2);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_one_can_be_killed_and_cancelled() {
    let doors = Doors::shut();
    let work = numbers(WORK.cancel_grace(Duration::from_secs(1)), &SignalSink::default(), &doors);
    warm(&work).await;
    let killed = work.submit(0).now_or_never().unwrap().unwrap();
    assert!(work.kill(killed.id()));
    assert_eq!(killed.await, Err(TicketError::Cancelled));
    settle().await;
    let cancelled = work.submit(0).now_or_never().unwrap().unwrap();
    assert_eq!(doors.inside(), 1);
    let report = work.cancel().await;
    assert_eq!(cancelled.await, Err(TicketError::Cancelled));
    assert_eq!((report.cancelled, doors.inside()), (2, 0));
    assert_eq!(work.submit(1).await.err().map(dayfly::EnqueueError::into_item), Some(1));
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_tried_again_has_one_answer() {
    let work =
        ResultCoordinator::spawn(WORK, &SignalSink::default(), |number: u32, op: Operation| async move {
            match op.attempt() {
                1 => op.again(number + 1, Duration::from_secs(1)),
                _ => op.done_with::<_, _, String>(number),
            }
        });
    for number in 0..8 {
        assert_eq!(work.submit(number).await.unwrap().await, Ok(number + 1));
    }
    let report = work.drain().await;
    assert_eq!((report.accepted, report.completed), (8, 8));
}

#[tokio::test(start_paused = true)]
async fn a_body_may_submit_to_its_own_coordinator() {
    let signals = SignalSink::default();
    let work = Arc::new_cyclic(|own: &std::sync::Weak<Numbers>| {
        let own = own.clone();
        ResultCoordinator::spawn(WORK, &signals, move |number: u32, _| {
            let own = own.clone();
            async move {
                if number == 0 {
                    return Ok(0);
                }
                let work = own.upgrade().ok_or("it is gone")?;
                let ticket = work.submit(number - 1).await.map_err(|_| "it is closed")?;
                Ok::<_, String>(number + ticket.await.map_err(|_| "it failed")?)
            }
        })
    });
    for _ in 0..5 {
        assert_eq!(work.submit(0).await.unwrap().await, Ok(0));
        settle().await;
        assert_eq!(work.submit(1).await.unwrap().await, Ok(1));
    }
}

#[tokio::test(start_paused = true)]
async fn a_caller_without_end_lets_others_run() {
    let work = numbers(WORK, &SignalSink::default(), &Doors::shut());
    warm(&work).await;
    let mut other = JoinSet::new();
    other.spawn(async {});
    for _ in 0..1_000 {
        work.submit(1).await.unwrap().await.unwrap();
    }
    assert!(other.try_join_next().is_some());
}

#[test]
fn a_caller_outside_of_the_runtime_leaves_bodies_to_it() {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let (work, end) = runtime.block_on(async {
        let work = ResultCoordinator::spawn(WORK, &SignalSink::default(), |(), _| async {
            Ok::<_, String>(thread::current().id())
        });
        for _ in 0..3 {
            assert_eq!(work.submit(()).await.unwrap().await, Ok(thread::current().id()));
            settle().await;
        }
        (work, Arc::new(Notify::new()))
    });
    let told = Arc::clone(&end);
    let home = thread::spawn(move || runtime.block_on(told.notified()));
    for _ in 0..20 {
        let ran_on = block_on(async { work.submit(()).await.unwrap().await }.boxed());
        assert_eq!(ran_on, Ok(home.thread().id()));
    }
    end.notify_one();
    home.join().unwrap();
}

/// An executor that knows nothing of Tokio.
fn block_on<F: Future + Unpin>(mut future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut context = std::task::Context::from_waker(&waker);
    loop {
        if let std::task::Poll::Ready(output) = future.poll_unpin(&mut context) {
            return output;
        }
        thread::park();
    }
}

#[test]
fn a_runtime_that_ends_ends_what_is_suspended() {
    let runtime = runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let doors = Doors::shut();
    let (work, ticket) = runtime.block_on(async {
        let work = numbers(WORK, &SignalSink::default(), &doors);
        warm(&work).await;
        let ticket = work.submit(0).now_or_never().unwrap().unwrap();
        (work, ticket)
    });
    assert_eq!(doors.inside(), 1);
    drop(runtime);
    assert_eq!(doors.inside(), 0, "its body is dropped");
    assert_eq!(ticket.now_or_never(), Some(Err(TicketError::Cancelled)));
    assert!(matches!(work.submit(1).now_or_never(), Some(Err(dayfly::EnqueueError::Closed(1)))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_callers_on_many_threads_lose_nothing() {
    const CALLERS: u32 = 16;
    const CALLS: u32 = 500;
    let running = Arc::new(AtomicUsize::new(0));
    let work = {
        let running = Arc::clone(&running);
        ResultCoordinator::spawn(WORK, &SignalSink::default(), move |number: u32, _| {
            let running = Arc::clone(&running);
            async move {
                assert!(running.fetch_add(1, Ordering::SeqCst) < 2, "never more than the limit");
                if number.is_multiple_of(3) {
                    tokio::task::yield_now().await;
                }
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, String>(number)
            }
        })
    };
    let mut callers = JoinSet::new();
    for caller in 0..CALLERS {
        let work = work.clone();
        callers.spawn(async move {
            for call in 0..CALLS {
                let number = caller * CALLS + call;
                assert_eq!(work.submit(number).await.unwrap().await, Ok(number));
            }
        });
    }
    callers.join_all().await;
    let report = work.drain().await;
    assert_eq!((report.accepted, report.completed), (u64::from(CALLERS * CALLS), report.accepted));
}

#[test]
fn a_call_can_be_dropped_at_every_moment() {
    let doors = Doors::shut();
    let report = drop_at_every_poll(
        || {
            doors.let_out(1_000);
            numbers(WORK.queue_capacity(1), &SignalSink::default(), &doors)
        },
        |work| async move {
            for number in [1, 1, 0, 1, 0, 1] {
                let ticket = work.submit(number).await.unwrap();
                tokio::task::yield_now().await;
                ticket.await.ok();
            }
        },
        |work, _| async move {
            assert_eq!(work.submit(5).await.unwrap().await, Ok(5));
            let report = work.drain().await;
            assert_eq!(report.completed + report.failed + report.cancelled, report.accepted);
        },
    );
    assert!(report.drops > 6, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn an_error_that_is_borrowed_for_ever_does_not_keep_a_call_out_of_a_task() {
    let work = ResultCoordinator::spawn(WORK, &SignalSink::default(), |number: u32, _| async move {
        if number == 2 { Err("not to be had") } else { Ok(number) }
    });
    let mut call = JoinSet::new();
    call.spawn(async move { work.submit(2).await.unwrap().await });
    assert_eq!(call.join_all().await, [Err(TicketError::Failed("not to be had"))]);
}
