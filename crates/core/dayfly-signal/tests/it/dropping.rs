//! Every public future of the crate, dropped at every moment of its life.

use std::sync::Arc;
use std::time::Duration;

use dayfly_signal::{SignalOptions, SignalSink};
use dayfly_testing::{drop_at_every_poll, settle};
use tokio::sync::Mutex;

/// A sink in which, step by step, `busy` is raised, raised again, and taken back.
fn eventful() -> SignalSink {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let raiser = signals.clone();
    drop(tokio::runtime::Handle::current().spawn(async move {
        for _ in 0..2 {
            tokio::time::sleep(Duration::from_secs(1)).await;
            raiser.raise("busy");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        raiser.retract("busy");
        raiser.raise("done");
    }));
    signals
}

#[test]
fn waiting_for_a_raise() {
    let report = drop_at_every_poll(
        eventful,
        |signals| async move { signals.raised("done").await },
        |signals, _| async move {
            assert_eq!(signals.raised("done").await.name(), "done");
            assert!(!signals.is_raised("busy"));
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn waiting_for_a_clearing() {
    let report = drop_at_every_poll(
        || {
            let signals = eventful();
            signals.raise("busy");
            signals
        },
        |signals| async move { signals.cleared("busy").await },
        |signals, _| async move {
            signals.cleared("busy").await;
            signals.cleared("done").await;
            assert!(signals.state("*").is_empty());
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn watching_for_a_change() {
    let report = drop_at_every_poll(
        || {
            let signals = eventful();
            let watch = signals.watch("busy, done");
            (signals, Arc::new(Mutex::new(watch)))
        },
        |(_, watch)| async move {
            let mut watch = watch.lock().await;
            while watch.state().iter().all(|raised| raised.name() != "done") {
                watch.changed().await;
            }
        },
        |(signals, watch), _| async move {
            signals.raised("done").await;
            settle().await;
            let mut watch = watch.lock().await;
            assert_eq!(watch.state().len(), 1);
            signals.raise("busy");
            watch.changed().await;
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}

#[test]
fn receiving() {
    let report = drop_at_every_poll(
        || {
            let signals = eventful();
            let events = signals.subscribe("*");
            (signals, Arc::new(Mutex::new((events, Vec::new()))))
        },
        |(_, shared)| async move {
            let (events, received) = &mut *shared.lock().await;
            while received.len() < 4 {
                received.push(events.recv().await.unwrap().id().get());
            }
        },
        |(_, shared), _| async move {
            let (events, received) = &mut *shared.lock().await;
            while received.len() < 4 {
                received.push(events.recv().await.unwrap().id().get());
            }
            assert_eq!(*received, [1, 2, 3, 4], "each event exactly once");
        },
    );
    assert!(report.drops >= 3, "{report:?}");
}
