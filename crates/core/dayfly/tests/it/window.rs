//! What the window remembers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{
    Coordinator, CoordinatorOptions, KeyedCoordinator, Operation, OperationId, OperationState, SignalSink,
};

use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

#[tokio::test(start_paused = true)]
async fn running_operations_are_never_evicted() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = Coordinator::spawn(WORK.window_size(1), &SignalSink::default(), move |stays: bool, _| {
        let doors = body.clone();
        async move {
            if stays {
                doors.pass().await;
            }
        }
    });
    let stays = work.enqueue(true).await.unwrap();
    let first = work.enqueue(false).await.unwrap();
    let second = work.enqueue(false).await.unwrap();
    settle().await;
    assert!(work.get(first).is_none());
    assert_eq!(work.get(second).unwrap().state, OperationState::Completed);
    assert_eq!(work.window().iter().map(|op| op.id).collect::<Vec<_>>(), [stays, second]);
    assert_eq!(work.running().len(), 1);
    doors.let_out(1);
    work.drain().await;
}

#[tokio::test(start_paused = true)]
async fn age_counts_from_the_finish_and_is_applied_at_read() {
    let options = WORK.max_age(Duration::from_secs(60));
    let work = Coordinator::spawn(options, &SignalSink::default(), |wait: u64, _| async move {
        tokio::time::sleep(Duration::from_secs(wait)).await;
    });
    let slow = work.enqueue(100).await.unwrap();
    let quick = work.enqueue(10).await.unwrap();
    work.drain().await;
    assert!(work.get(quick).is_none() && work.get(slow).is_some());
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(work.window().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_does_not_change_afterwards() {
    let doors = Doors::shut();
    let body = doors.clone();
    let work = KeyedCoordinator::spawn(
        WORK,
        &SignalSink::default(),
        |key: &&'static str| *key,
        move |_, op: Operation| {
            let doors = body.clone();
            async move {
                op.raise("first");
                doors.pass().await;
                for number in 0..10 {
                    op.raise(&format!("later:{number}"));
                }
                assert_eq!(op.key().as_deref(), Some("k"));
            }
        },
    );
    let id = work.enqueue("k").await.unwrap();
    settle().await;
    let before = work.get(id).unwrap();
    doors.let_out(1);
    let report = work.drain().await;
    assert_eq!(report.completed, 1);
    let names = |signals: &[dayfly::Signal]| signals.iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(
        (before.state, before.key, names(&before.signals)),
        (OperationState::Running, "k", vec!["first".into()])
    );
    let after = work.get(id).unwrap();
    let last: Vec<String> = (2..10).map(|number| format!("later:{number}")).collect();
    assert_eq!((after.state, names(&after.signals)), (OperationState::Completed, last));
    assert!(after.finished_at.is_some());
}

#[tokio::test(start_paused = true)]
async fn an_operation_takes_back_what_an_earlier_attempt_raised() {
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK, &signals, |(), op: Operation| async move {
        if op.attempt() == 1 {
            op.raise("busy");
            return op.again((), Duration::from_secs(1));
        }
        assert!(op.retract("busy"));
        op.done::<_, String>()
    });
    work.enqueue(()).await.unwrap();
    assert_eq!(work.drain().await.completed, 1);
    assert!(!signals.is_raised("busy"));
}

type Log = Arc<Mutex<Vec<(&'static str, OperationId)>>>;

fn announcing(work: &Coordinator<u32>, log: &Log) {
    let (finished, evicted) = (log.clone(), log.clone());
    work.on_finish(move |operation| finished.lock().unwrap().push(("finished", operation.id)));
    work.on_evict(move |operation| evicted.lock().unwrap().push(("evicted", operation.id)));
}

#[tokio::test(start_paused = true)]
async fn finished_and_evicted_are_announced_once_each() {
    let work = Coordinator::spawn(WORK.window_size(1), &SignalSink::default(), |_: u32, _| async {});
    let log = Log::default();
    announcing(&work, &log);
    let first = work.enqueue(1).await.unwrap();
    work.cancel().await;
    drop(work);
    assert_eq!(*log.lock().unwrap(), [("finished", first)]);

    let work = Coordinator::spawn(WORK.window_size(1), &SignalSink::default(), |_: u32, _| async {});
    log.lock().unwrap().clear();
    announcing(&work, &log);
    let (first, second) = (work.enqueue(1).await.unwrap(), work.enqueue(2).await.unwrap());
    work.drain().await;
    let expected = [("finished", first), ("finished", second), ("evicted", first)];
    assert_eq!(*log.lock().unwrap(), expected);
}

#[tokio::test(start_paused = true)]
async fn an_observer_that_panics_is_contained() {
    let signals = SignalSink::default();
    let work = Coordinator::spawn(WORK, &signals, |_: u32, _| async {});
    let log = Log::default();
    work.on_finish(|_| panic!("an observer that cannot cope"));
    announcing(&work, &log);
    work.enqueue(1).await.unwrap();
    assert_eq!((work.drain().await.completed, log.lock().unwrap().len()), (1, 1));
    assert!(signals.has("sink.callback.panicked"));
}

#[tokio::test(start_paused = true)]
async fn a_pinned_operation_stays_until_it_is_unpinned() {
    let options = WORK.window_size(1).max_pinned(1).max_age(Duration::from_secs(60));
    let work = Coordinator::spawn(options, &SignalSink::default(), |_: u32, _| async {});
    let log = Log::default();
    announcing(&work, &log);
    let first = work.enqueue(1).await.unwrap();
    settle().await;
    work.pin(first).unwrap();
    work.pin(first).unwrap();
    let second = work.enqueue(2).await.unwrap();
    settle().await;
    assert_eq!(work.pin(second), Err(dayfly::PinError::Full { max_pinned: 1 }));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(work.window().iter().map(|op| op.id).collect::<Vec<_>>(), [first]);
    assert!(work.get(first).is_some());
    assert_eq!(work.pin(second), Err(dayfly::PinError::Unknown));
    assert!(work.unpin(first) && !work.unpin(first));
    assert!(work.get(first).is_none());
    let evicted: Vec<_> =
        log.lock().unwrap().iter().filter(|(what, _)| *what == "evicted").copied().collect();
    assert_eq!(evicted, [("evicted", second), ("evicted", first)]);
}

#[tokio::test(start_paused = true)]
async fn an_evicted_operation_leaves_an_echo_for_a_minute() {
    let work = Coordinator::spawn(
        WORK.window_size(0),
        &SignalSink::default(),
        |number: u32, op: Operation| async move {
            op.raise(&format!("note:{number}"));
        },
    );
    for number in 0..300 {
        work.enqueue(number).await.unwrap();
    }
    work.drain().await;
    let echoes = work.echoes();
    assert_eq!(echoes.len(), 256);
    assert_eq!(echoes[0].signal.payload(), Some("44"));
    assert_eq!(echoes[255].signal.operation(), Some(echoes[255].operation));
    tokio::time::advance(Duration::from_secs(60)).await;
    assert!(work.echoes().is_empty());
}

#[tokio::test(start_paused = true)]
async fn echoes_that_nobody_wants_are_not_kept() {
    let options = WORK.window_size(0).echo_capacity(0);
    let work = Coordinator::spawn(options, &SignalSink::default(), |(), op: Operation| async move {
        op.raise("note");
    });
    work.enqueue(()).await.unwrap();
    work.drain().await;
    assert_eq!((work.echoes().len(), work.window().len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn without_an_age_only_the_size_of_the_window_counts() {
    let options = WORK.max_age(Duration::from_secs(1)).without_max_age().window_size(2);
    let work = Coordinator::spawn(options, &SignalSink::default(), |_: u32, _| async {});
    for number in 0..3 {
        work.enqueue(number).await.unwrap();
    }
    work.drain().await;
    tokio::time::advance(Duration::from_secs(1_000_000)).await;
    assert_eq!(work.window().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_pinned_operation_leaves_the_window_once_when_its_id_is_used_again() {
    let options = WORK.window_size(0).max_concurrency(1);
    let work = Coordinator::spawn(options, &SignalSink::default(), |number: u64, op: Operation| async move {
        op.raise(&format!("ran:{number}"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    });
    let left = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&left);
    work.on_evict(move |operation| seen.lock().unwrap().push(operation.signals[0].to_string()));
    let id = OperationId::from_u64(u64::MAX - 77).unwrap();
    for number in 1..=3 {
        work.enqueue_as(id, number).await.unwrap();
        settle().await;
        work.pin(id).unwrap();
        work.idle().await;
    }
    assert_eq!(work.get(id).unwrap().signals[0].payload(), Some("3"));
    assert_eq!(*left.lock().unwrap(), ["ran:1", "ran:2"], "the newer one has its place");
    assert_eq!(work.echoes().len(), 2);
    assert!(work.unpin(id));
    assert_eq!(left.lock().unwrap().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_window_is_listed_by_id_whatever_the_order_of_the_ends() {
    let work = Coordinator::spawn(WORK, &SignalSink::default(), |seconds: u64, _| async move {
        tokio::time::sleep(Duration::from_secs(seconds)).await;
    });
    let mut ids = Vec::new();
    for seconds in [3, 1, 50, 2] {
        ids.push(work.enqueue(seconds).await.unwrap());
    }
    tokio::time::sleep(Duration::from_secs(10)).await;
    let listed: Vec<_> = work.window().into_iter().map(|operation| operation.id).collect();
    assert_eq!(listed, ids, "those that have ended and the one that runs");
    work.drain().await;
}

#[tokio::test(start_paused = true)]
async fn what_aged_out_unseen_leaves_its_echo_from_then_on() {
    let options = WORK.max_age(Duration::from_secs(10));
    let work = Coordinator::spawn(options, &SignalSink::default(), |(), op: Operation| async move {
        op.raise("note");
    });
    work.enqueue(()).await.unwrap();
    work.idle().await;
    tokio::time::advance(Duration::from_secs(69)).await;
    assert_eq!(work.echoes().len(), 1, "it left the window 59 s ago");
    work.enqueue(()).await.unwrap();
    work.idle().await;
    tokio::time::advance(Duration::from_secs(600)).await;
    assert!(work.echoes().is_empty(), "the second left it 590 s ago, whoever looks now");
}

#[tokio::test(start_paused = true)]
async fn echoes_age_each_for_itself_whoever_left_before() {
    let options = WORK.max_age(Duration::from_secs(10)).max_concurrency(1);
    let work =
        Coordinator::spawn(options, &SignalSink::default(), |name: &'static str, op: Operation| async move {
            op.raise(name);
        });
    let pinned = work.enqueue("pinned").await.unwrap();
    work.enqueue("aged").await.unwrap();
    work.idle().await;
    work.pin(pinned).unwrap();
    tokio::time::advance(Duration::from_secs(50)).await;
    assert!(work.unpin(pinned), "it leaves only now, and the other one left 40 s ago");
    let left = |work: &Coordinator<_>| {
        work.echoes().iter().map(|echo| echo.signal.name().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(left(&work), ["aged", "pinned"]);
    tokio::time::advance(Duration::from_secs(20)).await;
    assert_eq!(left(&work), ["pinned"]);
    tokio::time::advance(Duration::from_secs(40)).await;
    assert!(left(&work).is_empty());
}
