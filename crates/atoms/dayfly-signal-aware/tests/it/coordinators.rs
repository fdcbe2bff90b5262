//! The gate in front of coordinators and of anything that takes an item.

use dayfly::{
    Coordinator, CoordinatorOptions, EnqueueError, KeyedCoordinator, LaneOptions, Operation,
    PriorityCoordinator, ResultCoordinator,
};
use dayfly_signal::{Draft, SignalSink};
use dayfly_signal_aware::{AdmitError, Gate, GateOptions, Refused};
use dayfly_testing::settle;
use tokio::runtime::Handle;

use crate::support::ended;

const WORK: CoordinatorOptions = CoordinatorOptions::new();

fn options() -> GateOptions {
    GateOptions::new().cancel_on("shutdown").defer_on("backpressure.*").keyed(true)
}

#[tokio::test(start_paused = true)]
async fn an_item_goes_in_waits_or_comes_back() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let work = Coordinator::spawn(WORK, &signals, |_: u32, _| async {});
    gate.admit(1, |item| work.enqueue(item)).await.unwrap();
    let hold = signals.hold("backpressure.disk");
    let waits = Handle::current().spawn({
        let (gate, work) = (gate.clone(), work.clone());
        async move { gate.admit(2, |item| work.enqueue(item)).await }
    });
    settle().await;
    assert_eq!((work.stats().accepted, gate.stats().deferred), (1, 1));
    drop(hold);
    ended(waits).await.unwrap();
    signals.raise("shutdown");
    let refused = gate.admit(3, |item| work.enqueue(item)).await.unwrap_err();
    assert_eq!(refused, AdmitError::Refused(Refused::Cancelled(3)));
    assert_eq!(refused.to_string(), "a raised signal refuses it");
    assert_eq!(work.drain().await.completed, 2);
}

#[tokio::test(start_paused = true)]
async fn the_error_of_what_stands_behind_comes_through() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let work = Coordinator::spawn(WORK, &signals, |_: u32, _| async {});
    work.close();
    let error = gate.admit(3, |item| work.enqueue(item)).await.unwrap_err();
    assert_eq!(error.to_string(), "the coordinator is closed");
    assert_eq!(error, AdmitError::Inner(EnqueueError::Closed(3)));
}

#[tokio::test(start_paused = true)]
async fn what_is_closed_while_somebody_waits_in_front_of_it_hands_the_item_back() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let work = Coordinator::spawn(WORK, &signals, |_: u32, _| async {});
    let hold = signals.hold("backpressure.disk");
    let (refused, ()) = tokio::join!(gate.admit(3, |item| work.enqueue(item)), async {
        settle().await;
        work.close();
        settle().await;
        assert_eq!(gate.stats().deferred, 1, "the gate opens before anybody asks what is behind it");
        drop(hold);
    });
    assert_eq!(refused, Err(AdmitError::Inner(EnqueueError::Closed(3))));
    assert_eq!((gate.stats().passed, work.drain().await.accepted), (1, 0));
}

#[tokio::test(start_paused = true)]
async fn every_coordinator_can_stand_behind_it() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let keyed = KeyedCoordinator::spawn(WORK, &signals, |item: &u32| *item, |_, _| async {});
    let doubled = ResultCoordinator::spawn(WORK, &signals, |item: u32, _: Operation| async move {
        Ok::<_, String>(item * 2)
    });
    let lanes =
        PriorityCoordinator::spawn(WORK, [LaneOptions::new("urgent")], &signals, |_: u32, _| async {})
            .unwrap();
    let hold = signals.hold(Draft::from("backpressure.tenant").key("7"));
    gate.admit_key(6, 6, |item| keyed.enqueue(item)).await.unwrap();
    let ticket = gate.admit(21, |item| doubled.submit(item)).await.unwrap();
    assert_eq!(ticket.await.unwrap(), 42);
    gate.admit(1, |item| lanes.enqueue("urgent", item)).await.unwrap();
    let (seventh, ()) = tokio::join!(gate.admit_key(7, 7, |item| keyed.enqueue(item)), async {
        settle().await;
        assert_eq!(keyed.stats().accepted, 1);
        drop(hold);
    });
    seventh.unwrap();
    assert_eq!(keyed.drain().await.completed, 2);
}
