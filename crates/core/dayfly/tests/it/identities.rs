//! Callers may bring their own operation ids.

use dayfly::{
    Coordinator, CoordinatorOptions, EnqueueError, LaneOptions, OperationId, OperationState,
    PriorityCoordinator, ResultCoordinator, SignalSink, TryEnqueueError, TryLaneEnqueueError,
};
use dayfly_testing::settle;

use crate::support::Doors;

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(1).queue_capacity(2);

fn passing(doors: &Doors) -> Coordinator<u32> {
    let doors = doors.clone();
    Coordinator::spawn(WORK, &SignalSink::default(), move |_, _| {
        let doors = doors.clone();
        async move { doors.pass().await }
    })
}

fn far_id(number: u64) -> OperationId {
    OperationId::from_u64(u64::MAX - number).unwrap()
}

#[tokio::test(start_paused = true)]
async fn an_operation_has_the_id_that_its_caller_brings() {
    let doors = Doors::shut();
    let work = passing(&doors);
    assert_eq!(work.enqueue_as(far_id(1), 1).await.unwrap(), far_id(1));
    settle().await;
    assert_eq!(work.get(far_id(1)).unwrap().state, OperationState::Running);
    doors.let_out(1);
    settle().await;
    assert_eq!(work.get(far_id(1)).unwrap().state, OperationState::Completed);
}

#[tokio::test(start_paused = true)]
async fn an_id_that_is_in_use_is_refused_with_the_item_until_its_operation_has_ended() {
    let doors = Doors::shut();
    let work = passing(&doors);
    work.try_enqueue_as(far_id(1), 1).unwrap();
    work.try_enqueue_as(far_id(2), 2).unwrap();
    settle().await;
    // The first one runs, the second is queued.
    assert_eq!(work.try_enqueue_as(far_id(1), 3), Err(TryEnqueueError::Duplicate(3)));
    assert_eq!(work.enqueue_as(far_id(2), 4).await, Err(EnqueueError::Duplicate(4)));
    doors.let_out(1);
    settle().await;
    work.try_enqueue_as(far_id(1), 5).unwrap();
    doors.let_out(2);
    assert_eq!(work.drain().await.completed, 3);
    // The window has both of them; looking one up gives the newer.
    assert_eq!(work.window().iter().filter(|operation| operation.id == far_id(1)).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_refused_duplicate_costs_no_room() {
    let doors = Doors::shut();
    let work = passing(&doors);
    work.try_enqueue_as(far_id(1), 1).unwrap();
    settle().await;
    work.try_enqueue(2).unwrap();
    for _ in 0..10 {
        assert_eq!(work.try_enqueue_as(far_id(1), 3), Err(TryEnqueueError::Duplicate(3)));
    }
    work.try_enqueue(4).unwrap();
    // One that waits in line learns of it when its turn comes, and the next one has the place.
    let waits = tokio::runtime::Handle::current().spawn({
        let work = work.clone();
        async move { work.enqueue_as(far_id(1), 5).await }
    });
    let behind = tokio::runtime::Handle::current().spawn({
        let work = work.clone();
        async move { work.enqueue(6).await }
    });
    settle().await;
    work.kill(work.get(far_id(1)).unwrap().id);
    settle().await;
    assert!(waits.await.unwrap().is_ok(), "the id was free by then");
    doors.let_out(1);
    settle().await;
    assert!(behind.await.unwrap().is_ok());
    doors.let_out(9);
    let report = work.drain().await;
    assert_eq!((report.accepted, report.completed, report.cancelled), (5, 4, 1));
}

#[tokio::test(start_paused = true)]
async fn a_killed_queued_operation_frees_its_id() {
    let doors = Doors::shut();
    let work = passing(&doors);
    work.try_enqueue(1).unwrap();
    settle().await;
    work.try_enqueue_as(far_id(1), 2).unwrap();
    assert!(work.kill(far_id(1)));
    work.try_enqueue_as(far_id(1), 3).unwrap();
    doors.let_out(2);
    assert_eq!(work.drain().await.completed, 2);
}

#[tokio::test(start_paused = true)]
async fn a_ticket_has_the_id_that_was_brought() {
    let work = ResultCoordinator::spawn(WORK, &SignalSink::default(), |number: u32, _| async move {
        Ok::<_, String>(number + 1)
    });
    let ticket = work.submit_as(far_id(7), 1).await.unwrap();
    assert_eq!((ticket.id(), ticket.await), (far_id(7), Ok(2)));
}

#[tokio::test(start_paused = true)]
async fn whoever_only_tries_may_bring_an_id_too() {
    let signals = SignalSink::default();
    let id = far_id(7);
    let results =
        ResultCoordinator::spawn(WORK, &signals, |number: u32, _| async move { Ok::<_, String>(number) });
    let ticket = results.try_submit_as(id, 1).unwrap();
    assert!(matches!(results.try_submit_as(id, 2), Err(TryEnqueueError::Duplicate(2))));
    assert_eq!((ticket.id(), ticket.await.unwrap()), (id, 1));
    let lanes = [LaneOptions::new("only")];
    let priority = PriorityCoordinator::spawn(WORK, lanes, &signals, |_: u32, _| async {}).unwrap();
    assert_eq!(priority.try_enqueue_as(id, "only", 1).unwrap(), id);
    assert!(matches!(priority.try_enqueue_as(id, "only", 2), Err(TryLaneEnqueueError::Duplicate(2))));
    assert!(matches!(priority.try_enqueue_as(id, "none", 3), Err(TryLaneEnqueueError::UnknownLane(3))));
    assert_eq!(priority.drain().await.completed, 1);
}
