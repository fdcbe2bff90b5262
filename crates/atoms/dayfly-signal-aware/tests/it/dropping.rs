//! Every public future of the crate, dropped at every moment of its life: no place, item or wake-up is lost.

use std::time::Duration;

use dayfly::{Coordinator, CoordinatorOptions};
use dayfly_signal::{Draft, SignalOptions, SignalSink};
use dayfly_signal_aware::{AfterDeferral, Gate, GateOptions, GatedSender};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};
use std::sync::{Arc, Mutex};
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver};

/// A gate that opens, shuts and opens again while the clock moves, and another waiter who must get through.
#[derive(Clone)]
struct Scene {
    gate: Gate,
    other: Arc<Mutex<bool>>,
}

fn scene() -> Scene {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let gate = Gate::new(GateOptions::new().cancel_on("stop").defer_on("busy").keyed(true), &signals);
    signals.raise(Draft::from("busy").key("1"));
    signals.raise("busy");
    let other = Arc::new(Mutex::new(false));
    let (through, waits) = (Arc::clone(&other), gate.clone());
    Handle::current().spawn(async move {
        settle().await;
        waits.pass_key(1).await.unwrap();
        *through.lock().unwrap() = true;
    });
    Handle::current().spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        // Open and shut at once: who was woken finds it shut.
        signals.clear();
        signals.raise("busy");
        tokio::time::sleep(Duration::from_secs(2)).await;
        signals.raise("busy");
    });
    Scene { gate, other }
}

async fn whole(scene: Scene) {
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(scene.gate.stats().deferred, 0, "nobody stands in line who has left");
    assert!(*scene.other.lock().unwrap(), "the other one was woken");
    assert_eq!(scene.gate.pass().await, Ok(()));
}

#[test]
fn passing_leaves_no_place_in_line_and_takes_no_wake_up_along() {
    let report = drop_at_every_poll(
        scene,
        |scene| async move { scene.gate.pass().await.unwrap() },
        |scene, point| async move {
            let before = scene.gate.stats().passed;
            assert_eq!(before > 0, point == DropPoint::Completed || *scene.other.lock().unwrap());
            whole(scene).await;
        },
    );
    assert!(report.polls >= 3, "{report:?}");
}

#[test]
fn passing_with_a_key_or_an_item_leaves_no_place_in_line() {
    let report = drop_at_every_poll(
        scene,
        |scene| async move {
            scene.gate.pass_key("1").await.unwrap();
            assert_eq!(scene.gate.pass_with(3).await, Ok(3));
            assert_eq!(scene.gate.pass_key_with(1, 3).await, Ok(3));
        },
        |scene, _| whole(scene),
    );
    assert!(report.polls >= 3, "{report:?}");
}

#[test]
fn being_overdue_leaves_no_place_in_line() {
    let report = drop_at_every_poll(
        || {
            let signals = SignalSink::default();
            let wait = Duration::from_secs(3);
            let options = GateOptions::new().defer_on("busy").max_deferral(wait, AfterDeferral::Refuse);
            let gate = Gate::new(options, &signals);
            (gate, Arc::new(signals.hold("busy")))
        },
        |(gate, _)| async move { gate.pass().await.unwrap_err() },
        |(gate, _), point| async move {
            let stats = gate.stats();
            assert_eq!((stats.deferred, stats.refused > 0), (0, point == DropPoint::Completed));
        },
    );
    assert!(report.polls >= 2, "{report:?}");
}

#[test]
fn admitting_accepts_if_and_only_if_it_returns() {
    let report = drop_at_every_poll(
        || {
            let scene = scene();
            let work =
                Coordinator::spawn(CoordinatorOptions::new(), scene.gate.signals(), |_: u32, _| async {});
            (scene, work)
        },
        |(scene, work)| async move {
            scene.gate.admit(1, |item| work.enqueue(item)).await.unwrap();
            scene.gate.admit_key(1, 2, |item| work.enqueue(item)).await.unwrap();
        },
        |(scene, work), point| async move {
            whole(scene).await;
            let report = work.drain().await;
            assert_eq!(report.completed == 2, point == DropPoint::Completed);
        },
    );
    assert!(report.polls >= 3, "{report:?}");
}

#[test]
fn sending_leaves_no_place_in_line_and_none_in_the_channel() {
    type Shared = Arc<Mutex<Receiver<u32>>>;
    let report = drop_at_every_poll(
        || {
            let scene = scene();
            let (sender, receiver) = mpsc::channel(1);
            let receiver: Shared = Arc::new(Mutex::new(receiver));
            let sender = GatedSender::new(scene.gate.clone(), sender);
            let takes = Arc::clone(&receiver);
            Handle::current().spawn(async move {
                // Makes room once, after the gate has opened and shut a few times.
                tokio::time::sleep(Duration::from_secs(20)).await;
                let _ = takes.lock().unwrap().try_recv();
            });
            (scene, sender, receiver)
        },
        |(_, sender, _)| async move {
            sender.send(1).await.unwrap();
            sender.send_key(1, 2).await.unwrap();
        },
        |(scene, sender, receiver), point| async move {
            whole(scene).await;
            let mut receiver = receiver.lock().unwrap();
            let last = std::iter::from_fn(|| receiver.try_recv().ok()).last();
            assert_eq!(last == Some(2), point == DropPoint::Completed);
            sender.try_send(3).unwrap();
            assert_eq!(sender.get_ref().capacity(), 0, "the channel's room is whole");
        },
    );
    assert!(report.polls >= 4, "{report:?}");
}

#[cfg(feature = "tower")]
#[test]
fn a_service_that_is_dropped_while_it_waits_leaves_no_place_in_line() {
    use dayfly_signal_aware::GateLayer;
    use tower_layer::Layer;
    use tower_service::Service;

    use crate::services::{Log, Steady};

    let report = drop_at_every_poll(
        || (scene(), Log::default()),
        |(scene, log)| async move {
            let mut service = GateLayer::new(scene.gate).layer(Steady::new(log));
            std::future::poll_fn(|context| service.poll_ready(context)).await.unwrap();
            service.call(1).await.unwrap();
        },
        |(scene, log), point| async move {
            whole(scene).await;
            assert_eq!(log.calls() == 1, point == DropPoint::Completed);
        },
    );
    assert!(report.polls >= 3, "{report:?}");
}
