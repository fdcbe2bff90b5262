//! The end: parked keys are waited for, or given up and listed.

use std::sync::Arc;
use std::time::Duration;

use dayfly::{CoordinatorOptions, OperationState, SignalSink};
use dayfly_keyed_sequential::{KeyedSequential, SequentialOptions};
use dayfly_testing::settle;

use crate::support::{Item, World, spawn};

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(2);

/// Key 1 with items 0 (broken) and 1, parked.
async fn parked() -> (KeyedSequential<u32, Item>, World) {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(WORK, &SignalSink::default(), &world);
    work.enqueue((1, 0)).await.unwrap();
    work.enqueue((1, 1)).await.unwrap();
    settle().await;
    (work, world)
}

#[tokio::test(start_paused = true)]
async fn drain_waits_for_parked_keys_and_they_can_still_be_retried() {
    let (work, world) = parked().await;
    let drained = work.drain();
    tokio::time::sleep(Duration::from_secs(24 * 3_600)).await;
    assert_eq!(work.parked_count(), 1);
    assert!(work.try_enqueue((1, 2)).is_err(), "intake has ended");
    world.mend();
    assert!(work.retry(&1));
    let report = drained.await;
    assert_eq!((report.figures.accepted, report.figures.completed, report.forgotten), (2, 2, 0));
    assert!(report.given_up.is_empty());
}

#[tokio::test(start_paused = true)]
async fn while_it_drains_each_call_acts_once_and_the_drain_ends_with_the_last_parked_key() {
    let world = World::breaking(&[(1, 0), (2, 0), (3, 0)]);
    let work = spawn(WORK, &SignalSink::default(), &world);
    for key in 1..=3 {
        work.enqueue((key, 0)).await.unwrap();
        work.enqueue((key, 1)).await.unwrap();
    }
    settle().await;
    let drained = tokio::runtime::Handle::current().spawn(work.drain());
    world.mend();
    assert!(work.retry(&1) && !work.retry(&1), "the second finds it gone");
    assert!(work.skip(&1).is_none() && work.discard(&1).is_empty());
    assert_eq!(work.skip(&2).map(|item| *item), Some((2, 0)));
    assert!(work.skip(&2).is_none() && !work.retry(&2));
    settle().await;
    assert!(!drained.is_finished(), "a key is parked");
    assert_eq!(work.discard(&3).into_iter().map(|item| *item).collect::<Vec<_>>(), [(3, 0), (3, 1)]);
    assert!(work.discard(&3).is_empty());
    let report = drained.await.unwrap();
    assert_eq!((report.figures.completed, report.figures.failed, report.figures.cancelled), (3, 2, 1));
    assert!(report.given_up.is_empty() && work.parked().is_empty());
    assert!(!work.retry(&3) && work.skip(&3).is_none(), "nor afterwards");
}

#[tokio::test(start_paused = true)]
async fn drain_for_and_cancel_list_what_was_given_up_and_say_so_to_everybody() {
    for waits in [true, false] {
        let (work, _) = parked().await;
        let report = if waits { work.drain_for(Duration::from_secs(5)).await } else { work.cancel().await };
        let figures = report.figures;
        assert_eq!((figures.accepted, figures.cancelled, figures.failed), (2, 2, 0));
        let listed: Vec<_> = report
            .given_up
            .iter()
            .map(|lost| (lost.item.1, lost.attempts, lost.error.as_deref(), lost.state))
            .collect();
        let cancelled = OperationState::Cancelled;
        assert_eq!(listed, [(0, 1, Some("(1, 0) is broken"), cancelled), (1, 0, None, cancelled)]);
        assert_eq!(work.cancel().await.given_up.len(), 2, "whoever asks is told");
        assert_eq!(work.parked_count(), 0);
        assert!(!work.signals().is_raised("key.parked"));
        assert!(!work.retry(&1) && work.skip(&1).is_none() && work.discard(&1).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_retried_item_that_is_cancelled_before_its_start_is_given_up_with_its_error() {
    let (work, _) = parked().await;
    work.pause();
    assert!(work.retry(&1));
    let report = work.cancel().await;
    assert_eq!(report.given_up.len(), 2);
    assert_eq!(report.given_up[0].error.as_deref(), Some("(1, 0) is broken"));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_fails_because_it_is_cancelled_parks_nothing() {
    let work = KeyedSequential::spawn(
        SequentialOptions::new(),
        &SignalSink::default(),
        |_: &u32| 7,
        |_, op: dayfly::Operation| async move {
            op.cancelled().await;
            Err::<(), _>("stopped halfway")
        },
    );
    work.enqueue(1).await.unwrap();
    settle().await;
    let report = work.cancel().await;
    assert_eq!((work.parked_count(), report.figures.cancelled), (0, 1));
    assert_eq!(report.given_up[0].error.as_deref(), Some("stopped halfway"));
}

#[tokio::test(start_paused = true)]
async fn what_a_signal_skips_is_given_up_and_the_list_is_bounded() {
    let signals = SignalSink::default();
    let world = World::default();
    let work = spawn(WORK.queue_capacity(4).cancel_on("stop"), &signals, &world);
    signals.raise("stop");
    for number in 0..10 {
        work.enqueue((number, 0)).await.unwrap();
        settle().await;
    }
    let report = work.drain().await;
    assert_eq!((report.figures.skipped, report.forgotten), (10, 4));
    let keys: Vec<u32> = report.given_up.iter().map(|lost| lost.key).collect();
    assert_eq!(keys, [4, 5, 6, 7, 8, 9], "as many as can be accepted at once, the newest");
    assert_eq!(report.given_up[0].state, OperationState::Skipped);
}

#[tokio::test(start_paused = true)]
async fn idle_waits_for_parked_keys_and_intake_stays_open() {
    let (work, _) = parked().await;
    let waiting = work.clone();
    let idle = tokio::runtime::Handle::current().spawn(async move { waiting.idle().await });
    settle().await;
    assert!(!idle.is_finished());
    work.skip(&1);
    idle.await.unwrap();
    work.enqueue((3, 0)).await.unwrap();
    assert_eq!(work.drain().await.figures.completed, 2);
}

#[test]
fn what_is_parked_when_the_runtime_goes_is_given_up() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let work = runtime.block_on(async {
        let (work, _) = parked().await;
        let hanging = KeyedSequential::spawn(
            SequentialOptions::new(),
            &SignalSink::default(),
            |_: &u32| 7,
            |_: Arc<u32>, _| std::future::pending::<()>(),
        );
        hanging.enqueue(1).await.unwrap();
        settle().await;
        (work, hanging)
    });
    drop(runtime);
    assert_eq!((work.0.given_up().len(), work.0.parked_count()), (2, 0));
    assert_eq!(work.1.given_up().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn drain_running_gives_up_what_is_parked_and_what_waits_and_lets_run_what_runs() {
    let (work, _world) = parked().await;
    let mut ended = Box::pin(work.drain_running());
    assert!(work.try_enqueue((2, 0)).is_err(), "intake has ended");
    let report = (&mut ended).await;
    assert_eq!((report.figures.accepted, report.figures.completed, report.figures.cancelled), (2, 0, 2));
    let given_up: Vec<_> = report.given_up.iter().map(|gone| (*gone.item, gone.state)).collect();
    assert_eq!(given_up, [((1, 0), OperationState::Cancelled), ((1, 1), OperationState::Cancelled)]);
    assert_eq!(
        work.drain_running_for(Duration::ZERO).await.figures,
        report.figures,
        "a second time changes nothing"
    );
}

#[tokio::test(start_paused = true)]
async fn room_of_a_parked_key_comes_with_its_retry() {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(WORK.max_queued_per_key(2), &SignalSink::default(), &world);
    work.enqueue((1, 0)).await.unwrap();
    settle().await;
    assert_eq!(work.parked_count(), 1);
    while work.try_enqueue((1, 1)).is_ok() {}
    work.room(1).await;
    let mut room = Box::pin(work.room_of(&1, 1));
    assert!(futures_util::poll!(&mut room).is_pending(), "the key's part is full");
    world.mend();
    assert!(work.retry(&1));
    room.await;
    assert!(work.try_enqueue((1, 2)).is_ok());
    assert_eq!(work.drain().await.figures.failed, 0);
}
