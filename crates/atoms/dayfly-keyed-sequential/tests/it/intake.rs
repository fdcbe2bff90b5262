//! Items that are refused come back as they were.

use dayfly::{
    CoordinatorOptions, EnqueueError, EnqueueManyError, FeedError, OperationId, SignalSink, TryEnqueueError,
};
use dayfly_testing::settle;
use futures_util::stream;

use crate::support::{World, spawn};

const WORK: CoordinatorOptions =
    CoordinatorOptions::new().max_concurrency(1).queue_capacity(4).max_queued_per_key(2);

#[tokio::test(start_paused = true)]
async fn a_parked_key_refuses_more_than_its_room_and_hands_the_item_back() {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(WORK, &SignalSink::default(), &world);
    work.enqueue((1, 0)).await.unwrap();
    settle().await;
    work.try_enqueue((1, 1)).unwrap();
    assert_eq!(work.try_enqueue((1, 2)), Err(TryEnqueueError::KeyFull((1, 2))));
    let id = OperationId::next();
    work.try_enqueue_as(id, (2, 0)).unwrap();
    settle().await;
    assert!(work.get(id).is_some());
    // Who waits for the key's room is let in when the key is unparked.
    let waiting = work.clone();
    let waits = tokio::runtime::Handle::current().spawn(async move { waiting.enqueue((1, 2)).await });
    settle().await;
    assert!(!waits.is_finished());
    world.mend();
    work.retry(&1);
    waits.await.unwrap().unwrap();
    assert_eq!(work.drain().await.figures.completed, 4);
    assert_eq!(world.of(1), [0, 0, 1, 2]);
}

#[tokio::test(start_paused = true)]
async fn what_is_closed_hands_everything_back_and_lists_none_of_it_as_given_up() {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(WORK, &SignalSink::default(), &world);
    work.enqueue((1, 0)).await.unwrap();
    work.enqueue((1, 1)).await.unwrap();
    settle().await;
    let (one, many, fed) = (work.clone(), work.clone(), work.clone());
    let runtime = tokio::runtime::Handle::current();
    let one = runtime.spawn(async move { one.enqueue((1, 2)).await });
    let many = runtime.spawn(async move { many.enqueue_many([(1, 3), (1, 4)]).await });
    let fed = runtime.spawn(async move { fed.feed(stream::iter([Ok::<_, String>((1, 5))])).await });
    settle().await;
    let cancelled = work.cancel();
    assert_eq!(one.await.unwrap(), Err(EnqueueError::Closed((1, 2))));
    assert_eq!(many.await.unwrap(), Err(EnqueueManyError { accepted: 0, rest: vec![(1, 3), (1, 4)] }));
    assert_eq!(fed.await.unwrap(), Err(FeedError::Closed { rest: vec![(1, 5)], accepted: 0 }));
    assert_eq!(cancelled.await.given_up.len(), 2);
    assert_eq!(work.try_enqueue((2, 0)), Err(TryEnqueueError::Closed((2, 0))));
    let refused = work.enqueue_as(OperationId::next(), (2, 0)).await;
    assert_eq!(refused, Err(EnqueueError::Closed((2, 0))));
}

#[tokio::test(start_paused = true)]
async fn a_feeder_passes_a_parked_key_by() {
    let world = World::breaking(&[(1, 0)]);
    let work = spawn(WORK, &SignalSink::default(), &world);
    let items = [(1, 0), (1, 1), (1, 2), (2, 0), (3, 0), (2, 1)];
    let feeder = work.clone();
    let fed = tokio::runtime::Handle::current()
        .spawn(async move { feeder.feed(stream::iter(items.map(Ok::<_, String>))).await });
    settle().await;
    assert_eq!((world.of(2), world.of(3)), (vec![0, 1], vec![0]));
    world.mend();
    work.retry_all();
    assert_eq!(fed.await.unwrap(), Ok(6));
    assert_eq!(work.drain().await.figures.completed, 6);
    assert_eq!(world.of(1), [0, 0, 1, 2]);
}
