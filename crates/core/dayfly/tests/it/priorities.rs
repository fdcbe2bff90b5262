//! Lanes: the highest that may run is next, and nothing is lost in silence.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{
    CoordinatorOptions, FeedError, LaneEnqueueError, LaneOptions, LanesError, Operation, OperationId,
    OperationState, PriorityCoordinator, Reconfigure, SignalSink, TryLaneEnqueueError,
};
use dayfly_testing::{drop_at_every_poll, settle};
use futures_util::stream;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1).queue_capacity(20_000);

type Log = Arc<Mutex<Vec<u32>>>;

fn logging(
    options: CoordinatorOptions,
    lanes: impl IntoIterator<Item = LaneOptions>,
    signals: &SignalSink,
) -> (PriorityCoordinator<u32>, Log) {
    let log = Log::default();
    let seen = log.clone();
    let work = PriorityCoordinator::spawn(options, lanes, signals, move |number, _| {
        let seen = seen.clone();
        async move {
            tokio::task::yield_now().await;
            seen.lock().unwrap().push(number);
        }
    });
    (work.unwrap(), log)
}

fn lanes() -> [LaneOptions; 2] {
    [LaneOptions::new("high"), LaneOptions::new("low")]
}

#[tokio::test(start_paused = true)]
async fn a_high_item_is_the_next_start_whatever_waits_below() {
    let (work, log) = logging(WORK, lanes(), &SignalSink::default());
    for number in 0..10_000 {
        work.enqueue("low", number).await.unwrap();
    }
    settle().await;
    let started = log.lock().unwrap().len();
    work.enqueue("high", 77_777).await.unwrap();
    work.drain().await;
    let place = log.lock().unwrap().iter().position(|number| *number == 77_777).unwrap();
    assert!(place <= started + 1, "{place} after {started}: only what ran already came first");
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_refuses_with_the_item_and_others_go_on() {
    let lanes = [LaneOptions::new("high"), LaneOptions::new("low").max_queued(1)];
    let (work, _) = logging(WORK, lanes, &SignalSink::default());
    work.pause();
    work.try_enqueue("low", 1).unwrap();
    assert!(matches!(work.try_enqueue("low", 2), Err(TryLaneEnqueueError::LaneFull(2))));
    work.try_enqueue("high", 3).unwrap();
}

#[tokio::test(start_paused = true)]
async fn names_of_lanes_are_checked() {
    let spawn = |names: &[&'static str]| {
        let lanes: Vec<_> = names.iter().map(|name| LaneOptions::new(*name)).collect();
        PriorityCoordinator::spawn(WORK, lanes, &SignalSink::default(), |(), _| async {}).err()
    };
    assert_eq!(spawn(&[]), Some(LanesError::Empty));
    assert_eq!(spawn(&["a", " "]), Some(LanesError::Blank { index: 1 }));
    assert_eq!(spawn(&["a", "b", "a"]), Some(LanesError::Duplicate { name: "a".into() }));
    let (work, _) = logging(WORK, lanes(), &SignalSink::default());
    assert!(matches!(work.enqueue("none", 5).await, Err(LaneEnqueueError::UnknownLane(5))));
    assert!(matches!(work.try_enqueue("none", 5), Err(TryLaneEnqueueError::UnknownLane(5))));
}

#[tokio::test(start_paused = true)]
async fn a_lanes_own_concurrency_is_never_exceeded() {
    let doors = Doors::shut();
    let body = doors.clone();
    let lanes = [LaneOptions::new("high"), LaneOptions::new("low").max_concurrency(1)];
    let work =
        PriorityCoordinator::spawn(WORK.max_concurrency(4), lanes, &SignalSink::default(), move |(), _| {
            let doors = body.clone();
            async move { doors.pass().await }
        })
        .unwrap();
    for _ in 0..5 {
        work.enqueue("low", ()).await.unwrap();
    }
    settle().await;
    for _ in 0..5 {
        assert_eq!(doors.inside(), 1);
        doors.let_out(1);
        settle().await;
    }
    assert_eq!((work.drain().await.completed, doors.most()), (5, 1));
}

#[tokio::test(start_paused = true)]
async fn a_deferred_lane_lets_the_others_pass_and_wakes_by_itself() {
    let signals = SignalSink::default();
    let lanes = [LaneOptions::new("high").defer_on("busy"), LaneOptions::new("low").cancel_on("stop")];
    let (work, log) = logging(WORK, lanes, &signals);
    let busy = signals.hold("busy");
    work.enqueue("high", 1).await.unwrap();
    work.enqueue("low", 2).await.unwrap();
    settle().await;
    assert_eq!(*log.lock().unwrap(), [2]);
    drop(busy);
    settle().await;
    assert_eq!(*log.lock().unwrap(), [2, 1]);

    signals.raise("stop");
    let skipped = work.enqueue("low", 3).await.unwrap();
    work.enqueue("high", 4).await.unwrap();
    let report = work.drain().await;
    assert_eq!((report.completed, report.skipped), (3, 1));
    let skipped = work.get(skipped).unwrap();
    assert_eq!((skipped.state, skipped.key.name()), (OperationState::Skipped, "low"));
}

#[tokio::test(start_paused = true)]
async fn what_waits_long_enough_rises_and_comes_in_the_order_of_arrival() {
    let (work, log) = logging(WORK.age_after(Duration::from_secs(10)), lanes(), &SignalSink::default());
    work.pause();
    work.enqueue("low", 1).await.unwrap();
    tokio::time::advance(Duration::from_secs(10)).await;
    work.enqueue("high", 2).await.unwrap();
    work.enqueue("low", 3).await.unwrap();
    work.resume();
    work.drain().await;
    assert_eq!(*log.lock().unwrap(), [1, 2, 3]);
}

#[tokio::test(start_paused = true)]
async fn an_item_that_is_tried_again_waits_anew_before_it_rises() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&log);
    let options = WORK.age_after(Duration::from_secs(10));
    let body = move |name: &'static str, op: Operation| {
        seen.lock().unwrap().push(name);
        async move {
            if name == "retried" && op.attempt() == 1 {
                op.again(name, Duration::from_secs(60))
            } else {
                op.done::<_, String>()
            }
        }
    };
    let work = PriorityCoordinator::spawn(options, lanes(), &SignalSink::default(), body).unwrap();
    let race = async |seconds, other| {
        work.enqueue("low", "retried").await.unwrap();
        settle().await;
        work.pause();
        tokio::time::advance(Duration::from_secs(seconds)).await;
        work.enqueue("high", other).await.unwrap();
        work.resume();
        work.idle().await;
    };
    race(61, "first").await;
    assert_eq!(
        *log.lock().unwrap(),
        ["retried", "first", "retried"],
        "it is a minute old, and a second in the lane"
    );

    race(70, "second").await;
    assert_eq!(log.lock().unwrap()[3..], ["retried", "retried", "second"]);
}

#[tokio::test(start_paused = true)]
async fn what_is_killed_in_its_lane_leaves_its_place_to_others() {
    let lanes = [LaneOptions::new("high"), LaneOptions::new("low").max_queued(1)];
    let (work, log) = logging(WORK, lanes, &SignalSink::default());
    work.pause();
    let killed = work.try_enqueue("low", 1).unwrap();
    assert!(matches!(work.try_enqueue("low", 2), Err(TryLaneEnqueueError::LaneFull(2))));
    assert!(work.kill(killed));
    assert!(!work.kill(killed), "it has ended");
    work.try_enqueue("low", 3).unwrap();
    work.resume();
    let report = work.drain().await;
    assert_eq!((report.completed, report.cancelled), (1, 1));
    assert_eq!(*log.lock().unwrap(), [3]);
    assert_eq!(work.get(killed).unwrap().state, OperationState::Cancelled);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_a_lane_has_is_refused_in_every_lane() {
    let (work, log) = logging(WORK, lanes(), &SignalSink::default());
    work.pause();
    let id = OperationId::next();
    assert_eq!(work.enqueue_as(id, "low", 1).await.unwrap(), id);
    assert!(matches!(work.enqueue_as(id, "high", 2).await, Err(LaneEnqueueError::Duplicate(2))));
    assert!(matches!(work.enqueue_as(id, "none", 3).await, Err(LaneEnqueueError::UnknownLane(3))));
    work.resume();
    work.drain().await;
    assert_eq!(*log.lock().unwrap(), [1]);
    assert!(matches!(work.enqueue("low", 4).await, Err(LaneEnqueueError::Closed(4))));
    assert!(matches!(work.try_enqueue("low", 5), Err(TryLaneEnqueueError::Closed(5))));
}

#[test]
fn enqueueing_into_a_lane_can_be_dropped_at_every_moment() {
    let report = drop_at_every_poll(
        || {
            let lanes = [LaneOptions::new("high").max_queued(1), LaneOptions::new("low")];
            logging(WORK.queue_capacity(2), lanes, &SignalSink::default())
        },
        |(work, _)| async move {
            for number in 0..5 {
                work.enqueue("high", number).await.unwrap();
                work.enqueue("low", number).await.unwrap();
            }
        },
        |(work, log), _| async move {
            work.enqueue("high", 100).await.unwrap();
            let report = work.drain().await;
            assert_eq!(report.completed, report.accepted);
            assert_eq!(log.lock().unwrap().len() as u64, report.accepted);
        },
    );
    assert!(report.drops > 4, "{report:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_fed_into_its_lane_under_the_bound_of_the_lane() {
    let lanes = [LaneOptions::new("high"), LaneOptions::new("low").max_queued(2)];
    let (work, log) = logging(WORK, lanes, &SignalSink::default());
    let items = stream::iter((0..10).map(Ok::<_, String>).chain([Err("torn".to_owned())]));
    let error = work.feed("low", items).await.unwrap_err();
    assert_eq!(error, FeedError::Stream { error: "torn".to_owned(), accepted: 10 });
    assert_eq!(*log.lock().unwrap(), (0..10).collect::<Vec<_>>(), "what ran before has ended, in its order");
    let nowhere = work.feed("nowhere", stream::iter([Ok::<_, String>(1)])).await;
    assert_eq!(nowhere, Err(FeedError::UnknownLane));
    work.close();
    let closed = work.feed("high", stream::iter([Ok::<_, String>(7)])).await;
    assert_eq!(closed, Err(FeedError::Closed { rest: vec![7], accepted: 0 }));
}

#[tokio::test(start_paused = true)]
async fn a_lane_without_a_bound_of_its_own_has_that_of_the_whole_queue() {
    let (work, _) = logging(WORK.queue_capacity(1), lanes(), &SignalSink::default());
    work.pause();
    work.try_enqueue("low", 1).unwrap();
    for lane in ["low", "high"] {
        assert!(
            matches!(work.try_enqueue(lane, 2), Err(TryLaneEnqueueError::Full(2))),
            "{lane} is not full itself"
        );
    }
    work.reconfigure(&WORK.queue_capacity(3)).unwrap();
    work.try_enqueue("low", 2).unwrap();
    work.try_enqueue("low", 3).unwrap();
    assert!(matches!(work.try_enqueue("low", 4), Err(TryLaneEnqueueError::Full(4))));
}

#[tokio::test(start_paused = true)]
async fn the_order_of_arrival_is_not_that_of_ids_which_callers_bring() {
    let (work, log) = logging(WORK.age_after(Duration::from_secs(10)), lanes(), &SignalSink::default());
    work.pause();
    let drawn_early = OperationId::next();
    work.enqueue("low", 1).await.unwrap();
    tokio::time::advance(Duration::from_secs(11)).await;
    work.enqueue_as(drawn_early, "high", 2).await.unwrap();
    work.resume();
    work.drain().await;
    assert_eq!(*log.lock().unwrap(), [1, 2]);
}
