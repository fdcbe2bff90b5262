//! Room: a bound on what waits, first come first served among those who wait for it.

use dayfly::{Coordinator, CoordinatorOptions, KeyedCoordinator, SignalSink, TryEnqueueError};

use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1);

fn keyed(options: CoordinatorOptions, doors: &Doors) -> KeyedCoordinator<char, (char, u32)> {
    let doors = doors.clone();
    KeyedCoordinator::spawn(
        options,
        &SignalSink::default(),
        |item: &(char, u32)| item.0,
        move |_, _| {
            let doors = doors.clone();
            async move { doors.pass().await }
        },
    )
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_refuses_with_the_item() {
    let work = Coordinator::spawn(WORK.queue_capacity(1), &SignalSink::default(), |_: u32, _| async {});
    work.pause();
    work.try_enqueue(1).unwrap();
    assert!(matches!(work.try_enqueue(2), Err(TryEnqueueError::Full(2))));
    work.resume();
    settle().await;
    work.try_enqueue(3).unwrap();
    work.close();
    assert!(matches!(work.try_enqueue(4), Err(TryEnqueueError::Closed(4))));
    assert_eq!(work.drain().await.completed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_full_key_refuses_with_the_item_and_others_go_on() {
    let doors = Doors::shut();
    let work = keyed(WORK.queue_capacity(8).max_queued_per_key(2), &doors);
    work.pause();
    work.try_enqueue(('a', 1)).unwrap();
    work.try_enqueue(('a', 2)).unwrap();
    assert!(matches!(work.try_enqueue(('a', 3)), Err(TryEnqueueError::KeyFull(('a', 3)))));
    work.try_enqueue(('b', 1)).unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_takes_a_quarter_of_the_queue_unless_told_otherwise() {
    let doors = Doors::shut();
    let work = keyed(WORK.queue_capacity(8), &doors);
    work.pause();
    let taken = (0..8).take_while(|&number| work.try_enqueue(('a', number)).is_ok()).count();
    assert_eq!(taken, 2);
}

#[tokio::test(start_paused = true)]
async fn a_producer_waits_for_room_of_its_key_and_keeps_its_turn() {
    let doors = Doors::shut();
    let work = keyed(WORK.queue_capacity(8).max_queued_per_key(1), &doors);
    work.enqueue(('a', 0)).await.unwrap();
    settle().await;
    work.enqueue(('a', 1)).await.unwrap();
    let mut producers = tokio::task::JoinSet::new();
    for number in 2..5 {
        let work = work.clone();
        producers.spawn(async move { work.enqueue(('a', number)).await.map(|id| (id, number)) });
        settle().await;
    }
    assert_eq!(work.stats().accepted, 2);
    doors.let_out(5);
    let mut accepted: Vec<_> = producers.join_all().await.into_iter().map(Result::unwrap).collect();
    accepted.sort_by_key(|(id, _)| *id);
    assert_eq!(accepted.iter().map(|(_, number)| *number).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(work.drain().await.completed, 5);
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_gives_up_leaves_its_place_to_the_next() {
    let doors = Doors::shut();
    let work = keyed(WORK.queue_capacity(1), &doors);
    work.enqueue(('a', 0)).await.unwrap();
    settle().await;
    work.enqueue(('b', 0)).await.unwrap();
    let patient = {
        let work = work.clone();
        let mut impatient = Box::pin(work.enqueue(('c', 0)));
        assert!(futures_util::poll!(&mut impatient).is_pending());
        let patient = {
            let work = work.clone();
            let mut set = tokio::task::JoinSet::new();
            set.spawn(async move { work.enqueue(('d', 0)).await.is_ok() });
            set
        };
        settle().await;
        // The place goes to the one in front, who is dropped with it in hand.
        doors.let_out(1);
        settle().await;
        drop(impatient);
        patient
    };
    assert_eq!(patient.join_all().await, [true]);
    doors.let_out(2);
    assert_eq!(work.drain().await.completed, 3);
}

#[tokio::test(start_paused = true)]
async fn queue_and_window_have_bounds_of_their_own() {
    let options = WORK.queue_capacity(10_000).window_size(50);
    let work = Coordinator::spawn(options, &SignalSink::default(), |_: u32, _| async {});
    work.pause();
    for number in 0..10_000 {
        work.try_enqueue(number).unwrap();
    }
    assert!(work.try_enqueue(0).is_err());
    assert_eq!((work.stats().pending, work.stats().peak_pending), (10_000, 10_000));
    work.resume();
    assert_eq!(work.drain().await.completed, 10_000);
    assert_eq!(work.window().len(), 50);
}
