//! What coordinators, handles and operations look like to whoever prints them.

use dayfly::{
    Coordinator, CoordinatorOptions, KeyedCoordinator, LaneOptions, Operation, PriorityCoordinator,
    ResultCoordinator, SignalSink,
};

const WORK: CoordinatorOptions = CoordinatorOptions::new().max_concurrency(3).queue_capacity(40);

/// Neither `Debug` nor `Display`.
struct Item(u32);

#[tokio::test(start_paused = true)]
async fn coordinators_show_their_figures() {
    let signals = SignalSink::default();
    let plain = Coordinator::spawn(WORK, &signals, |Item(_), _| async {});
    let keyed = KeyedCoordinator::spawn(WORK, &signals, |item: &Item| item.0, |_, _| async {});
    let results =
        ResultCoordinator::spawn(WORK, &signals, |Item(number), _| async move { Ok::<_, String>(number) });
    let lanes = [LaneOptions::new("high"), LaneOptions::new("low")];
    let priority = PriorityCoordinator::spawn(WORK, lanes, &signals, |Item(_), _| async {}).unwrap();
    let texts = [
        (format!("{plain:?}"), "Coordinator { stats: Stats { "),
        (format!("{keyed:?}"), "KeyedCoordinator { stats: Stats { "),
        (format!("{results:?}"), "ResultCoordinator { stats: Stats { "),
        (
            format!("{priority:?}"),
            "PriorityCoordinator { lanes: [Lane(0: high), Lane(1: low)], stats: Stats { ",
        ),
        (format!("{:?}", plain.stats_handle()), "StatsHandle { stats: Stats { "),
    ];
    for (told, wanted) in texts {
        assert!(told.starts_with(wanted) && told.contains("max_concurrency: 3"), "{told}");
    }
    assert_eq!(format!("{:?}", plain.downgrade()), "WeakHandle { .. }");
    assert_eq!(priority.lanes()[1].to_string(), "low");
}

#[tokio::test(start_paused = true)]
async fn weak_handles_of_every_kind_lead_back_until_the_last_strong_one_is_gone() {
    let signals = SignalSink::default();
    let results =
        ResultCoordinator::spawn(WORK, &signals, |number: u32, _| async move { Ok::<_, String>(number) });
    let keyed = KeyedCoordinator::spawn(WORK, &signals, |number: &u32| *number, |_, _| async {});
    let priority =
        PriorityCoordinator::spawn(WORK, [LaneOptions::new("only")], &signals, |_: u32, _| async {}).unwrap();
    let weak = (results.downgrade(), keyed.downgrade(), priority.downgrade());
    let again = weak.clone();
    assert_eq!(again.0.upgrade().unwrap().submit(7).await.unwrap().await.unwrap(), 7);
    again.1.upgrade().unwrap().enqueue(8).await.unwrap();
    again.2.upgrade().unwrap().enqueue("only", 9).await.unwrap();
    drop((results, keyed, priority));
    assert!(weak.0.upgrade().is_none() && weak.1.upgrade().is_none() && weak.2.upgrade().is_none());
}

#[tokio::test(start_paused = true)]
async fn an_operation_shows_who_it_is_and_how_far() {
    let (told, mut tells) = tokio::sync::mpsc::channel(1);
    let work = Coordinator::spawn(WORK, &SignalSink::default(), move |(), op: Operation| {
        let told = told.clone();
        async move { told.send((format!("{op:?}"), op)).await.unwrap() }
    });
    let id = work.enqueue(()).await.unwrap();
    work.drain().await;
    let (inside, op) = tells.recv().await.unwrap();
    let spelled = |finished: bool| {
        format!("Operation {{ id: {id}, attempt: 1, cancelled: false, finished: {finished} }}")
    };
    assert_eq!((inside, format!("{op:?}")), (spelled(false), spelled(true)));
}
