//! How keys share: weights, lanes, saved turns, and a feeder that no key holds up.

use std::sync::{Arc, Mutex};

use dayfly::{CoordinatorOptions, FeedError, KeyedCoordinator, Keys, SignalSink};
use dayfly_testing::settle;
use futures_util::stream;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1);

type Item = (u32, usize, u32);
type Log = Arc<Mutex<Vec<Item>>>;

/// Items of (key, lane, number), each noted when it runs.
fn noting(options: CoordinatorOptions, keys: Keys<u32, Item>) -> (KeyedCoordinator<u32, Item>, Log) {
    let log = Log::default();
    let seen = log.clone();
    let work = KeyedCoordinator::spawn_with(options, &SignalSink::default(), keys, move |item, _| {
        seen.lock().unwrap().push(item);
        async {}
    });
    (work, log)
}

fn keys() -> Keys<u32, Item> {
    Keys::of(|item: &Item| item.0)
}

#[tokio::test(start_paused = true)]
async fn a_key_has_as_many_turns_in_a_round_as_it_weighs() {
    let (work, log) = noting(WORK, keys().weight(|key| *key as usize));
    work.pause();
    for number in 0..6 {
        for key in [3, 1] {
            work.enqueue((key, 0, number)).await.unwrap();
        }
    }
    work.resume();
    work.drain().await;
    let order: Vec<u32> = log.lock().unwrap().iter().map(|item| item.0).collect();
    assert_eq!(order, [3, 3, 3, 1, 3, 3, 3, 1, 1, 1, 1, 1]);
}

#[tokio::test(start_paused = true)]
async fn a_weight_of_zero_is_one() {
    let (work, log) = noting(WORK.max_concurrency(1), keys().weight(|_| 0));
    work.pause();
    for item in [(1, 0, 0), (1, 0, 1), (1, 0, 2), (2, 0, 0), (2, 0, 1)] {
        work.enqueue(item).await.unwrap();
    }
    work.resume();
    work.drain().await;
    let keys: Vec<u32> = log.lock().unwrap().iter().map(|item| item.0).collect();
    assert_eq!(keys, [1, 2, 1, 2, 1], "one turn in a round");
}

#[tokio::test(start_paused = true)]
async fn what_is_in_a_higher_lane_starts_before_what_is_in_a_lower_one_of_any_key() {
    let (work, log) = noting(WORK, keys().lanes(2, |item| item.1));
    work.pause();
    // A lane beyond the last is the last.
    for item in [(1, 1, 0), (1, 9, 1), (2, 1, 2), (1, 0, 3), (2, 0, 4), (1, 0, 5)] {
        work.enqueue(item).await.unwrap();
    }
    work.resume();
    work.drain().await;
    let order: Vec<u32> = log.lock().unwrap().iter().map(|item| item.2).collect();
    assert_eq!(order, [3, 4, 5, 0, 2, 1]);
}

#[test]
#[should_panic(expected = "a key needs at least one lane")]
fn keys_without_a_lane_are_a_programmers_error() {
    let _ = keys().lanes(0, |_| 0);
}

#[tokio::test(start_paused = true)]
async fn saved_turns_are_had_in_addition() {
    // Key 1 weighs two, has one item at first and so saves a turn, which its next round has in addition.
    let options = WORK.max_concurrency_per_key(2).burst(1);
    let (work, log) = noting(options, keys().weight(|key| if *key == 1 { 2 } else { 1 }));
    work.pause();
    for number in 0..4 {
        work.enqueue((1, 0, number)).await.unwrap();
        work.enqueue((2, 0, number)).await.unwrap();
    }
    work.resume();
    work.drain().await;
    let order: Vec<u32> = log.lock().unwrap().iter().map(|item| item.0).collect();
    assert_eq!(order, [1, 1, 2, 1, 1, 2, 2, 2]);
}

/// A coordinator with room for two of each key, whose key 1 stands still until the doors let it out.
fn standing(doors: &Doors) -> (KeyedCoordinator<u32, Item>, Log) {
    let log = Log::default();
    let (seen, doors) = (log.clone(), doors.clone());
    let options = WORK.max_concurrency(8).queue_capacity(8).max_queued_per_key(2);
    let work = KeyedCoordinator::spawn(
        options,
        &SignalSink::default(),
        |item: &Item| item.0,
        move |item: Item, _| {
            let (seen, doors) = (seen.clone(), doors.clone());
            async move {
                if item.0 == 1 {
                    doors.pass().await;
                }
                seen.lock().unwrap().push(item);
            }
        },
    );
    (work, log)
}

#[tokio::test(start_paused = true)]
async fn a_feeder_sets_aside_what_has_no_room_of_its_key_and_goes_on_with_the_others() {
    let doors = Doors::shut();
    let (work, log) = standing(&doors);
    // One runs, two are queued, one more is aside; then others come.
    let mut items: Vec<Item> = (0..4).map(|number| (1, 0, number)).collect();
    items.extend((0..20).map(|number| (2, 0, number)));
    let feeder = tokio::runtime::Handle::current().spawn({
        let work = work.clone();
        async move { work.feed(stream::iter(items.into_iter().map(Ok::<_, String>))).await }
    });
    settle().await;
    let others = |log: &Log| log.lock().unwrap().iter().filter(|item| item.0 == 2).count();
    assert_eq!(others(&log), 20, "a key that stands still holds nobody up");
    doors.let_out(4);
    assert_eq!(feeder.await.unwrap(), Ok(24));
    work.drain().await;
    let numbers: Vec<u32> =
        log.lock().unwrap().iter().filter(|item| item.0 == 1).map(|item| item.2).collect();
    assert_eq!(numbers, [0, 1, 2, 3], "the order of a key is kept");
}

#[tokio::test(start_paused = true)]
async fn a_feeder_sets_no_more_aside_than_the_queue_holds() {
    let doors = Doors::shut();
    let (work, log) = standing(&doors);
    let mut items: Vec<Item> = (0..11).map(|number| (1, 0, number)).collect();
    items.push((2, 0, 0));
    let feeder = tokio::runtime::Handle::current().spawn({
        let work = work.clone();
        async move { work.feed(stream::iter(items.into_iter().map(Ok::<_, String>))).await }
    });
    settle().await;
    assert!(log.lock().unwrap().is_empty(), "eight are aside, so the stream is not asked for more");
    doors.let_out(1);
    settle().await;
    assert_eq!(log.lock().unwrap()[..], [(1, 0, 0), (2, 0, 0)]);
    doors.let_out(10);
    assert_eq!(feeder.await.unwrap(), Ok(12));
    assert_eq!(work.drain().await.completed, 12);
}

#[tokio::test(start_paused = true)]
async fn a_feeder_of_a_closed_coordinator_hands_everything_back_that_it_has() {
    let doors = Doors::shut();
    let (work, _) = standing(&doors);
    let items: Vec<Item> = (0..5).map(|number| (1, 0, number)).collect();
    let feeder = tokio::runtime::Handle::current().spawn({
        let work = work.clone();
        async move { work.feed(stream::iter(items.into_iter().map(Ok::<_, String>))).await }
    });
    settle().await;
    work.close();
    let rest = vec![(1, 0, 3), (1, 0, 4)];
    assert_eq!(feeder.await.unwrap(), Err(FeedError::Closed { rest, accepted: 3 }));
    doors.let_out(3);
    assert_eq!(work.drain().await.completed, 3);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_fails_is_reported_once_everything_before_has_ended() {
    let doors = Doors::shut();
    let (work, log) = standing(&doors);
    let mut items: Vec<Result<Item, String>> = (0..5).map(|number| Ok((1, 0, number))).collect();
    items.push(Err("torn".to_owned()));
    let feeder = tokio::runtime::Handle::current().spawn({
        let work = work.clone();
        async move { work.feed(stream::iter(items)).await }
    });
    settle().await;
    assert!(!feeder.is_finished());
    doors.let_out(5);
    let error = FeedError::Stream { error: "torn".to_owned(), accepted: 5 };
    assert_eq!(feeder.await.unwrap(), Err(error));
    assert_eq!(log.lock().unwrap().len(), 5);
    work.try_enqueue((2, 0, 0)).unwrap();
    assert_eq!(work.drain().await.completed, 6);
}
