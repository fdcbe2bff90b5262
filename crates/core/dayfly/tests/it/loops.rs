//! Many items at once: bounded loops, feeding, and work that makes more work.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use dayfly::{
    Coordinator, CoordinatorOptions, FeedError, ForEachReport, KeyedCoordinator, LaneOptions, Operation,
    PriorityCoordinator, ResultCoordinator, SignalSink, WeakHandle, for_each, for_each_stream,
};
use dayfly_testing::{drop_at_every_poll, settle};
use futures_util::{StreamExt, stream};

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

#[tokio::test(start_paused = true)]
async fn one_failure_of_ten_is_reported_and_nine_complete() {
    let done = for_each(WORK, &SignalSink::default(), 0..10, |number: u32, _| async move {
        if number == 4 { Err(format!("{number} failed")) } else { Ok(()) }
    })
    .await;
    assert_eq!((done.report.completed, done.report.failed, done.was_cancelled), (9, 1, false));
    assert_eq!(done.failures, [(4, "4 failed".to_owned())]);
}

#[tokio::test(start_paused = true)]
async fn every_failure_is_reported_in_the_order_of_the_items() {
    let done = for_each(WORK.window_size(0), &SignalSink::default(), 0..1_000, |number: u64, _| async move {
        tokio::time::sleep(Duration::from_millis(1_000 - number)).await;
        if number.is_multiple_of(2) { Err(number) } else { Ok(()) }
    })
    .await;
    assert_eq!(done.failures.len(), 500);
    assert!(done.failures.iter().map(|(place, _)| *place).eq((0..1_000).step_by(2)));
    assert!(done.failures.iter().all(|(place, error)| place == error));
}

#[tokio::test(start_paused = true)]
async fn a_limit_of_three_over_twenty_runs_at_most_three() {
    let doors = Doors::shut();
    let body = doors.clone();
    let signals = SignalSink::default();
    let work = for_each(WORK.max_concurrency(3), &signals, 0..20, move |_: u32, _| {
        let doors = body.clone();
        async move {
            let _inside = doors.enter();
            tokio::task::yield_now().await;
        }
    });
    assert_eq!((work.await.report.completed, doors.most()), (20, 3));
}

#[tokio::test(start_paused = true)]
async fn items_are_taken_only_as_there_is_room() {
    let (signals, taken) = (SignalSink::default(), Arc::new(AtomicUsize::new(0)));
    let seen = taken.clone();
    let items = (0..1_000_u32).inspect(move |_| {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let doors = Doors::shut();
    let body = doors.clone();
    let mut work =
        Box::pin(for_each(WORK.max_concurrency(2).queue_capacity(3), &signals, items, move |_, _| {
            let doors = body.clone();
            async move { doors.pass().await }
        }));
    for _ in 0..10 {
        assert!(futures_util::poll!(&mut work).is_pending());
        settle().await;
    }
    assert_eq!(taken.load(Ordering::SeqCst), 2 + 3, "running and queued; none is at hand that has no room");
    doors.let_out(1_000);
    assert_eq!(work.await.report.completed, 1_000);
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_loop_returns_when_nothing_runs_any_more() {
    let signals = SignalSink::default();
    let doors = Doors::shut();
    let body = doors.clone();
    let endless = stream::iter(0_u64..);
    let options = WORK.max_concurrency(3).cancel_on("stop").cancel_grace(Duration::from_secs(2));
    let work = for_each_stream(options, &signals, endless, move |_, _| {
        let doors = body.clone();
        async move { doors.pass().await }
    });
    let stop = async {
        settle().await;
        assert_eq!(doors.inside(), 3);
        signals.raise("stop");
    };
    let (done, ()) = tokio::join!(work, stop);
    assert!(done.was_cancelled);
    assert_eq!(doors.inside(), 0);
    // What had not started is skipped for the signal, or cancelled with the loop, whichever comes first.
    assert_eq!(done.report.cancelled + done.report.skipped, done.report.accepted);
}

#[tokio::test(start_paused = true)]
async fn a_loop_whose_body_raises_the_cancel_signal_was_cancelled_though_nothing_is_left_to_wait_for() {
    let signals = SignalSink::default();
    let options = WORK.max_concurrency(1).cancel_on("stop");
    let done = for_each(options.clone(), &signals, 0..3, |number: u32, op: Operation| async move {
        if number == 0 {
            op.raise("stop");
        }
    });
    let done = done.await;
    assert_eq!((done.report.completed, done.report.skipped, done.was_cancelled), (1, 2, true));

    signals.clear();
    let done = for_each(options, &signals, 0..3, |number: u32, op: Operation| async move {
        if number == 2 {
            op.raise("stop");
        }
    });
    let done = done.await;
    assert_eq!((done.report.completed, done.was_cancelled), (3, false), "the items ended before it did");
}

#[tokio::test(start_paused = true)]
async fn a_loop_over_items_that_are_always_there_takes_none_after_the_cancel_signal() {
    let (signals, taken) = (SignalSink::default(), Arc::new(AtomicUsize::new(0)));
    let (source, seen) = (signals.clone(), taken.clone());
    // Nothing else has a turn while items are there and the queue has room: the signal comes from the items themselves.
    let items = (0_u64..).inspect(move |number| {
        seen.fetch_add(1, Ordering::SeqCst);
        if *number == 10 {
            source.raise("stop");
        }
    });
    let options = WORK.queue_capacity(1_000_000).cancel_on("stop");
    let done = for_each(options.clone(), &signals, items, |_, _| async {}).await;
    assert!(done.was_cancelled);
    assert_eq!((taken.load(Ordering::SeqCst), done.report.accepted), (11, 11));

    let late = for_each(options, &signals, 0.., |_: u64, _| async {}).await;
    assert!(late.was_cancelled);
    assert_eq!(late.report.accepted, 0, "the signal was there before the loop");
}

#[tokio::test(start_paused = true)]
async fn a_loop_over_items_that_are_always_there_lets_other_tasks_run() {
    let signals = SignalSink::default();
    let source = signals.clone();
    let other = async move {
        settle().await;
        source.raise("stop");
    };
    // Unconstrained, so that the loop itself has to step aside.
    let options = WORK.queue_capacity(1_000_000).cancel_on("stop");
    let items = (0_u64..).take(500_000);
    let work = for_each(options, &signals, items, |_, _| async {});
    let (done, ()) = tokio::join!(tokio::task::unconstrained(work), other);
    assert!(done.was_cancelled);
    assert!(done.report.accepted < 100_000, "{:?}", done.report);
}

#[tokio::test(start_paused = true)]
async fn an_error_whose_text_panics_is_reported_as_a_failure() {
    #[derive(Debug, PartialEq)]
    struct Wordless;

    impl std::fmt::Display for Wordless {
        fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            panic!("this error has no text")
        }
    }

    let done = for_each(WORK, &SignalSink::default(), 0..3, |number: u32, _| async move {
        if number == 1 { Err(Wordless) } else { Ok(()) }
    })
    .await;
    assert_eq!((done.report.completed, done.report.failed, done.failures), (2, 1, vec![(1, Wordless)]));
}

#[tokio::test(start_paused = true)]
async fn a_dropped_loop_ends_its_work() {
    let doors = Doors::shut();
    let body = doors.clone();
    let options = WORK.cancel_grace(Duration::ZERO);
    let signals = SignalSink::default();
    let mut work = Box::pin(for_each(options, &signals, 0..100, move |_: u32, _| {
        let doors = body.clone();
        async move { doors.pass().await }
    }));
    assert!(futures_util::poll!(&mut work).is_pending());
    settle().await;
    assert!(doors.inside() > 0);
    drop(work);
    settle().await;
    assert_eq!(doors.inside(), 0);
}

#[tokio::test(start_paused = true)]
async fn many_items_go_in_or_come_back() {
    let work = KeyedCoordinator::spawn(
        WORK.queue_capacity(4),
        &SignalSink::default(),
        |key: &u32| *key,
        |_, _| async {},
    );
    assert_eq!(work.enqueue_many(0..100).await.unwrap(), 100);
    work.idle().await;
    assert_eq!(work.stats().completed, 100);

    work.pause();
    let closer = work.clone();
    let (refused, ()) = tokio::join!(work.enqueue_many(0..10), async {
        settle().await;
        closer.close();
    });
    let refused = refused.unwrap_err();
    assert_eq!((refused.accepted, refused.rest), (4, vec![4, 5, 6, 7, 8, 9]));
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_is_reported_after_what_it_gave_has_run() {
    let work = Coordinator::spawn(WORK.max_concurrency(1), &SignalSink::default(), |_: u32, _| async {
        tokio::time::sleep(Duration::from_secs(1)).await;
    });
    assert_eq!(work.feed(stream::iter((0..3).map(Ok::<_, String>))).await.unwrap(), 3);
    let failing = stream::iter([Ok(3), Ok(4), Err("the source is gone"), Ok(5)]);
    let error = work.feed(failing).await.unwrap_err();
    assert_eq!(error, FeedError::Stream { error: "the source is gone", accepted: 2 });
    assert_eq!(work.stats().completed, 5, "what was accepted has ended");
    work.close();
    let error = work.feed(stream::iter([Ok::<_, String>(7)])).await.unwrap_err();
    assert_eq!(error, FeedError::Closed { rest: vec![7], accepted: 0 });
}

#[tokio::test(start_paused = true)]
async fn a_body_may_hand_work_into_its_own_coordinator() {
    let own: Arc<std::sync::OnceLock<WeakHandle<Coordinator<u32>>>> = Arc::default();
    let body = own.clone();
    let work = Coordinator::spawn(WORK, &SignalSink::default(), move |depth: u32, _: Operation| {
        let own = body.get().cloned();
        async move {
            if depth > 0 {
                let work = own.and_then(|own| own.upgrade()).ok_or("closed")?;
                work.try_enqueue(depth - 1).map_err(|_| "refused")?;
            }
            Ok::<_, &str>(())
        }
    });
    own.set(work.downgrade()).unwrap();
    work.enqueue(10).await.unwrap();
    work.idle().await;
    assert_eq!(work.stats().completed, 11);
    let weak = work.downgrade();
    drop(work);
    assert!(weak.upgrade().is_none());
}

#[test]
fn loops_and_feeds_can_be_dropped_at_every_moment() {
    let report = drop_at_every_poll(
        || {
            let work = Coordinator::spawn(
                WORK.max_concurrency(1).queue_capacity(1),
                &SignalSink::default(),
                |_: u32, _| tokio::time::sleep(Duration::from_secs(1)),
            );
            (work, SignalSink::default())
        },
        |(work, signals)| async move {
            work.enqueue_many(0..3).await.unwrap();
            work.feed(stream::iter([Ok(1), Ok(2), Err("over")])).await.unwrap_err();
            work.idle().await;
            for_each(WORK.max_concurrency(1), &signals, 0..2, |_: u32, _| {
                tokio::time::sleep(Duration::from_secs(1))
            })
            .await;
        },
        |(work, _), _| async move {
            work.enqueue_many(0..3).await.unwrap();
            work.idle().await;
            let report = work.drain().await;
            assert_eq!(report.completed, report.accepted);
        },
    );
    assert!(report.drops > 12, "{report:?}");
}

#[test]
fn feeding_of_lanes_and_of_calls_can_be_dropped_at_every_moment() {
    const ONE: CoordinatorOptions = WORK.max_concurrency(1).queue_capacity(1);

    let second = |_: u32, _| tokio::time::sleep(Duration::from_secs(1));
    let report = drop_at_every_poll(
        || {
            let signals = SignalSink::default();
            let lanes = PriorityCoordinator::spawn(ONE, [LaneOptions::new("only")], &signals, second);
            let calls = ResultCoordinator::spawn(ONE, &signals, |_: u32, _| async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok::<_, String>(())
            });
            (lanes.unwrap(), calls)
        },
        |(lanes, calls)| async move {
            lanes.feed("only", stream::iter([Ok(1), Ok(2), Ok(3), Err("over")])).await.unwrap_err();
            calls.feed(stream::iter([Ok(1), Ok(2), Ok(3), Err("over")])).await.unwrap_err();
        },
        |(lanes, calls), _| async move {
            lanes.enqueue("only", 4).await.unwrap();
            calls.submit(4).await.unwrap().await.unwrap();
            for report in [lanes.drain().await, calls.drain().await] {
                assert_eq!(report.completed, report.accepted);
            }
        },
    );
    assert!(report.drops > 6, "{report:?}");
}

/// Runs a loop of so many items, one at a time with two in the queue, whose intake ends while the first runs.
async fn cut_short(items: u32) -> (usize, ForEachReport<Infallible>) {
    let (signals, taken) = (SignalSink::default(), AtomicUsize::new(0));
    let (seen, doors) = (&taken, Doors::shut());
    let items = (0..items).inspect(|_| {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    let options = WORK.max_concurrency(1).queue_capacity(2).drain_on("enough");
    let body = doors.clone();
    let work = for_each(options, &signals, items, move |_, _| {
        let doors = body.clone();
        async move { doors.pass().await }
    });
    let enough = async {
        settle().await;
        signals.raise("enough");
        settle().await;
        doors.let_out(10);
    };
    let (done, ()) = tokio::join!(work, enough);
    (taken.into_inner(), done)
}

#[tokio::test(start_paused = true)]
async fn a_loop_whose_intake_ends_takes_no_item_that_it_cannot_hand_in() {
    let (taken, done) = cut_short(10).await;
    assert!(done.was_cancelled, "the loop ended before its items");
    assert_eq!((taken, done.report.accepted, done.report.completed), (3, 3, 3));
    let (taken, done) = cut_short(3).await;
    assert!(!done.was_cancelled, "the items ended with it");
    assert_eq!((taken, done.report.accepted, done.report.completed), (3, 3, 3));
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_an_item_to_hand_in_does_not_wait_when_intake_ends() {
    let signals = SignalSink::default();
    let plain = Coordinator::spawn(WORK, &signals, |_: u32, _| async {});
    let keyed = KeyedCoordinator::spawn(WORK, &signals, |number: &u32| *number, |_, _| async {});
    let results = ResultCoordinator::spawn(WORK, &signals, |_: u32, _| async { Ok::<_, String>(()) });
    let lanes = [LaneOptions::new("only")];
    let priority = PriorityCoordinator::spawn(WORK, lanes, &signals, |_: u32, _| async {}).unwrap();
    // One item, and then none for ever.
    let items = || stream::iter([Ok::<_, String>(1)]).chain(stream::pending());
    let ends = async {
        settle().await;
        plain.close();
        keyed.close();
        results.close();
        priority.close();
    };
    let feeds = async {
        tokio::join!(
            plain.feed(items()),
            keyed.feed(items()),
            results.feed(items()),
            priority.feed("only", items())
        )
    };
    let (fed, (), ()) = tokio::join!(feeds, ends, plain.closed());
    let end = Err(FeedError::Closed { rest: Vec::new(), accepted: 1 });
    assert_eq!(<[_; 4]>::from(fed), [(); 4].map(|()| end.clone()));

    let options = WORK.drain_on("enough");
    let work =
        for_each_stream(options, &signals, stream::iter([1]).chain(stream::pending()), |_: u32, _| async {});
    let enough = async {
        settle().await;
        signals.raise("enough");
    };
    let (done, ()) = tokio::join!(work, enough);
    assert_eq!((done.report.completed, done.was_cancelled), (1, true));
}
