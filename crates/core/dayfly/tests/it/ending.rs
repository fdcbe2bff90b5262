//! Close, drain, cancel and the last handle: nothing accepted is lost, and everything ends exactly once.

use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions, EnqueueError, Operation, OperationState, SignalSink};
use tokio::time::Instant;

use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

fn passing(options: CoordinatorOptions, doors: &Doors) -> Coordinator<u32> {
    let doors = doors.clone();
    Coordinator::spawn(options, &SignalSink::default(), move |_, _| {
        let doors = doors.clone();
        async move { doors.pass().await }
    })
}

#[tokio::test(start_paused = true)]
async fn cancel_returns_only_after_every_body_has_ended() {
    let doors = Doors::shut();
    let work = passing(WORK.max_concurrency(3), &doors);
    for number in 0..5 {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
    assert_eq!(doors.inside(), 3);
    let start = Instant::now();
    let report = work.cancel().await;
    assert_eq!(doors.inside(), 0);
    assert_eq!((report.accepted, report.cancelled), (5, 5));
    assert_eq!(
        Instant::now() - start,
        Duration::from_secs(5),
        "bodies that do not listen get the grace period"
    );
}

#[tokio::test(start_paused = true)]
async fn a_body_that_sees_its_cancellation_ends_in_its_own_way() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |(), op: Operation| async move {
        op.cancelled().await;
        op.fail::<(), (), _>("interrupted")
    });
    work.enqueue(()).await.unwrap();
    settle().await;
    let start = Instant::now();
    let report = work.cancel().await;
    assert_eq!((report.failed, report.cancelled), (1, 0));
    assert_eq!(Instant::now(), start);
}

#[tokio::test]
async fn a_thousand_rounds_of_enqueue_close_drain_all_return() {
    for _ in 0..1_000 {
        let work = Coordinator::spawn(WORK, &SignalSink::default(), |(), _| async {});
        work.enqueue(()).await.unwrap();
        work.close();
        assert_eq!(work.drain().await.completed, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_rounds_on_two_threads_all_return() {
    for _ in 0..1_000 {
        let work = Coordinator::spawn(WORK.max_concurrency(2), &SignalSink::default(), |(), _| async {});
        for _ in 0..3 {
            work.enqueue(()).await.unwrap();
        }
        assert_eq!(work.drain().await.completed, 3);
    }
}

#[tokio::test(start_paused = true)]
async fn close_gives_waiting_producers_their_items_back_and_runs_what_is_queued() {
    let doors = Doors::shut();
    let work = passing(WORK.max_concurrency(1).queue_capacity(2), &doors);
    for number in 0..2 {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
    work.enqueue(2).await.unwrap();
    let mut producers = tokio::task::JoinSet::new();
    for number in 10..13 {
        let work = work.clone();
        producers.spawn(async move { work.enqueue(number).await });
    }
    settle().await;
    work.close();
    let mut back: Vec<u32> =
        producers.join_all().await.into_iter().map(|refused| refused.unwrap_err().into_item()).collect();
    back.sort_unstable();
    assert_eq!(back, [10, 11, 12]);
    assert!(matches!(work.enqueue(9).await, Err(EnqueueError::Closed(9))));
    doors.let_out(3);
    assert_eq!(work.drain().await.completed, 3);
}

#[tokio::test(start_paused = true)]
async fn closing_and_draining_twice_succeed_at_once() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |(), _| async {});
    work.enqueue(()).await.unwrap();
    work.close();
    work.close();
    let first = work.drain().await;
    assert_eq!(work.drain().await, first);
    assert_eq!(work.cancel().await, first, "after the end there is nothing to cancel");
}

#[tokio::test(start_paused = true)]
async fn drain_acts_when_called_and_dropping_it_undoes_nothing() {
    let doors = Doors::shut();
    let work = passing(WORK, &doors);
    work.enqueue(1).await.unwrap();
    drop(work.drain());
    assert!(work.enqueue(2).await.is_err());
    drop(work.drain_for(Duration::from_secs(7)));
    let start = Instant::now();
    let report = work.drain().await;
    assert_eq!(report.cancelled, 1);
    assert_eq!(Instant::now() - start, Duration::from_secs(7 + 5), "the limit, then the grace period");
}

#[tokio::test(start_paused = true)]
async fn drain_waits_for_paused_work() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |(), _| async {});
    work.pause();
    work.enqueue(()).await.unwrap();
    let drained = work.drain();
    let resumed = async {
        settle().await;
        work.resume();
    };
    assert_eq!(tokio::join!(drained, resumed).0.completed, 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_closes_and_lifts_a_pause() {
    let doors = Doors::shut();
    let work = passing(WORK, &doors);
    work.pause();
    work.enqueue(1).await.unwrap();
    let other = work.clone();
    drop(work);
    settle().await;
    assert_eq!(doors.inside(), 0);
    drop(other);
    settle().await;
    assert_eq!(doors.inside(), 1);
}

#[tokio::test(start_paused = true)]
async fn kill_removes_what_waits_and_drops_what_runs() {
    let doors = Doors::shut();
    let work = passing(WORK.max_concurrency(1), &doors);
    let runs = work.enqueue(1).await.unwrap();
    settle().await;
    let waits = work.enqueue(2).await.unwrap();
    assert!(work.kill(waits) && !work.kill(waits));
    assert!(work.kill(runs));
    settle().await;
    assert_eq!(doors.inside(), 0);
    assert_eq!(work.get(runs).unwrap().state, OperationState::Cancelled);
    assert_eq!(work.get(waits).unwrap().state, OperationState::Cancelled);
    let report = work.drain().await;
    assert_eq!((report.accepted, report.cancelled), (2, 2));
}

#[tokio::test(start_paused = true)]
async fn a_killed_body_is_polled_once_more_to_see_why() {
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK, &signals, |(), op: Operation| async move {
        op.cancelled().await;
        op.raise("saw.it");
        std::future::pending::<()>().await;
    });
    let id = work.enqueue(()).await.unwrap();
    settle().await;
    work.kill(id);
    assert_eq!(work.drain().await.cancelled, 1);
    assert!(signals.is_raised("saw.it"));
}

#[test]
fn a_runtime_that_shuts_down_ends_everything_once() {
    let (work, report) = {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let doors = Doors::shut();
        let _inside = runtime.enter();
        let work = passing(WORK.max_concurrency(2), &doors);
        runtime.block_on(async {
            for number in 0..5 {
                work.enqueue(number).await.unwrap();
            }
            settle().await;
        });
        let report = work.drain();
        (work, report)
    };
    let stats = work.stats();
    assert_eq!((stats.cancelled, stats.running, stats.pending), (5, 0, 0));
    let other = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(other.block_on(report).cancelled, 5);
}

#[tokio::test(start_paused = true)]
async fn figures_are_read_until_the_end_by_who_does_not_keep_it_open() {
    let work =
        Coordinator::spawn(CoordinatorOptions::new(), &SignalSink::default(), |item: u32, _| async move {
            if item == 0 { Err("zero") } else { Ok(()) }
        });
    let figures = work.stats_handle();
    for item in 0..3 {
        work.enqueue(item).await.unwrap();
    }
    assert!(!figures.stats().closed);
    drop(work);
    assert!(figures.stats().closed, "the last handle closes, whoever reads the figures");
    settle().await;
    let stats = figures.stats();
    assert_eq!((stats.completed, stats.failed, stats.pending, stats.running), (2, 1, 0, 0));
}

#[tokio::test(start_paused = true)]
async fn draining_what_runs_ends_the_rest_and_interrupts_nobody() {
    let doors = Doors::shut();
    let work = passing(WORK.max_concurrency(2), &doors);
    for number in 0..6 {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
    let end = work.drain_running();
    assert_eq!((work.stats().cancelled, work.stats().running), (4, 2), "it acts when it is called");
    assert!(matches!(work.try_enqueue(9), Err(dayfly::TryEnqueueError::Closed(9))));
    assert_eq!(doors.inside(), 2);
    let start = Instant::now();
    let later = async {
        tokio::time::sleep(Duration::from_secs(3_600)).await;
        doors.let_out(2);
    };
    let (report, ()) = tokio::join!(end, later);
    assert_eq!((report.accepted, report.completed, report.cancelled), (6, 2, 4));
    assert_eq!(start.elapsed(), Duration::from_secs(3_600), "however long that takes");
    assert_eq!(work.drain_running().await, report);
    assert_eq!(work.cancel().await, report);
}

#[tokio::test(start_paused = true)]
async fn draining_what_runs_tries_nothing_again() {
    let signals = SignalSink::default();
    let work =
        Coordinator::spawn(WORK.max_concurrency(3), &signals, |number: u32, op: Operation| async move {
            if number == 1 || op.attempt() == 1 && number == 0 {
                return op.again::<_, (), std::convert::Infallible>(number, Duration::from_secs(60));
            }
            tokio::time::sleep(Duration::from_secs(2)).await;
            assert!(!op.is_cancelled());
            op.again(number, Duration::ZERO)
        });
    for number in 0..3 {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
    assert_eq!((work.stats().waiting, work.stats().running), (2, 1));
    let start = Instant::now();
    let report = work.drain_running().await;
    assert_eq!(
        (report.cancelled, start.elapsed().as_secs()),
        (3, 2),
        "the waiting ones, and the one that asks to"
    );
}

#[tokio::test(start_paused = true)]
async fn draining_what_runs_for_a_time_keeps_its_limit_and_a_cancel_still_interrupts() {
    for is_cancelled in [false, true] {
        let doors = Doors::shut();
        let work = passing(WORK.max_concurrency(1), &doors);
        for number in 0..2 {
            work.enqueue(number).await.unwrap();
        }
        settle().await;
        let start = Instant::now();
        drop(work.drain_running_for(Duration::from_secs(7)));
        drop(work.drain_running_for(Duration::MAX));
        let report = if is_cancelled { work.cancel().await } else { work.drain().await };
        let waited = if is_cancelled { 5 } else { 7 + 5 };
        assert_eq!(
            (report.cancelled, start.elapsed().as_secs()),
            (2, waited),
            "the limit, then the grace period"
        );
        assert_eq!(doors.inside(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn draining_what_runs_is_not_kept_by_a_pause_or_a_gate() {
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK.defer_on("busy"), &signals, |(), _| async {});
    let _busy = signals.hold("busy");
    work.pause();
    work.enqueue(()).await.unwrap();
    settle().await;
    assert_eq!(work.drain_running().await.cancelled, 1);
}

#[tokio::test(start_paused = true)]
async fn drain_waits_for_deferred_work_and_for_what_is_to_be_tried_again() {
    let signals = SignalSink::default();
    let hold = signals.hold("busy");
    let options = WORK.defer_on("busy");
    let work = Coordinator::spawn(options, &signals, |number: u32, op: Operation| async move {
        match op.attempt() {
            1 => op.again(number, Duration::from_secs(3_600)),
            _ => op.done::<_, String>(),
        }
    });
    work.enqueue(1).await.unwrap();
    let mut drained = Box::pin(work.drain());
    tokio::time::sleep(Duration::from_secs(3_600)).await;
    assert!(futures_util::poll!(&mut drained).is_pending(), "a deferral is no end");
    let start = Instant::now();
    drop(hold);
    assert_eq!(drained.await.completed, 1);
    assert_eq!(start.elapsed(), Duration::from_secs(3_600));
}

#[tokio::test(start_paused = true)]
async fn an_end_by_force_is_announced_once() {
    let doors = Doors::shut();
    let work = passing(WORK.max_concurrency(1), &doors);
    let ended = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let seen = ended.clone();
    work.on_finish(move |operation| seen.lock().unwrap().push((operation.id, operation.state)));
    let (runs, waits) = (work.enqueue(1).await.unwrap(), work.enqueue(2).await.unwrap());
    settle().await;
    assert!(work.kill(waits) && work.kill(runs));
    work.kill(runs);
    settle().await;
    work.kill(runs);
    work.cancel().await;
    let expected = [(waits, OperationState::Cancelled), (runs, OperationState::Cancelled)];
    assert_eq!(*ended.lock().unwrap(), expected);
}
