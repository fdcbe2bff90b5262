//! Every public future of the crate, dropped at every moment of its life: nothing is lost but the wait.

use dayfly::{Coordinator, CoordinatorOptions, SignalSink};
use dayfly_telemetry::{InMemory, Telemetry, TelemetryOptions, Traced, traced};
use dayfly_testing::{DropPoint, drop_at_every_poll, settle};

use crate::support::{names, raise_all, reporting};

type Setup = (SignalSink, Telemetry, InMemory);

fn busy() -> Setup {
    let setup = reporting(TelemetryOptions::new());
    raise_all(&setup.0, &["a", "error.b"]);
    setup
}

/// What was raised before and after the drop is reported, and the figures add up.
async fn nothing_is_lost((signals, telemetry, seen): Setup) {
    signals.raise("c");
    telemetry.flush().await;
    assert_eq!(names(&seen.events()), ["a", "error.b", "c"]);
    let figures = telemetry.shutdown().await;
    assert_eq!((figures.processed, figures.queued, figures.dropped), (3, 0, 0));
}

#[test]
fn a_dropped_flush_is_carried_out_all_the_same() {
    let report = drop_at_every_poll(
        busy,
        |(_, telemetry, _)| async move { telemetry.flush().await },
        |setup, how| async move {
            settle().await;
            let was_asked = how != DropPoint::Before(1);
            assert_eq!(setup.1.figures().reports > 0, was_asked, "asking is what counts, not waiting");
            nothing_is_lost(setup).await;
        },
    );
    assert!(report.polls >= 2, "{report:?}");
}

#[test]
fn a_dropped_wait_for_the_end_undoes_nothing() {
    let report = drop_at_every_poll(
        busy,
        |(_, telemetry, _)| async move {
            telemetry.shutdown().await;
        },
        |setup, how| async move {
            settle().await;
            if how == DropPoint::Before(1) {
                // Nobody has asked for an end yet.
                return nothing_is_lost(setup).await;
            }
            let (signals, telemetry, seen) = setup;
            signals.raise("c");
            let figures = telemetry.shutdown().await;
            assert_eq!(names(&seen.events()), ["a", "error.b"]);
            assert_eq!((figures.processed, figures.queued, figures.dropped), (2, 0, 0));
        },
    );
    assert!(report.polls >= 2, "{report:?}");
}

#[test]
fn a_dropped_enqueue_of_a_traced_item_leaves_its_place_to_the_next() {
    let report = drop_at_every_poll(
        || {
            let body = traced("step", |_: u32, _| async { tokio::task::yield_now().await });
            let options = CoordinatorOptions::new().queue_capacity(1).max_concurrency(1);
            let work = Coordinator::spawn(options, &SignalSink::default(), body);
            work.try_enqueue(Traced::new(1)).unwrap();
            work
        },
        |work| async move {
            {
                work.enqueue(Traced::new(2)).await.unwrap();
            }
        },
        |work, _| async move {
            work.enqueue(Traced::new(3)).await.unwrap();
            let report = work.drain().await;
            assert_eq!(report.completed, report.accepted);
        },
    );
    assert!(report.completed);
}
