//! The queue is bounded, drops the oldest, and counts: received = queued + processed + dropped.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_signal::SignalSink;
use dayfly_telemetry::{Figures, InMemory, Telemetry, TelemetryOptions};
use dayfly_testing::settle;

use crate::support::{Calling, counted, names, raise_all, reporting};

fn assert_adds_up(figures: &Figures) {
    assert_eq!(figures.received, figures.queued + figures.processed + figures.dropped, "{figures:?}");
}

#[tokio::test(start_paused = true)]
async fn beyond_the_bound_the_oldest_is_dropped_and_counted() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().queue_capacity(3));
    for number in 0..10 {
        signals.raise(format!("a.{number}").as_str());
    }
    let figures = telemetry.figures();
    assert_eq!((figures.received, figures.queued, figures.dropped), (10, 3, 7));
    assert_adds_up(&figures);

    telemetry.flush().await;
    assert_eq!(names(&seen.events()), ["a.7", "a.8", "a.9"]);
    let figures = telemetry.figures();
    assert_eq!((figures.received, figures.queued, figures.processed, figures.dropped), (10, 0, 3, 7));
    assert_eq!(counted(&seen, "dayfly.signal.dropped", &[]), 7);
}

#[tokio::test(start_paused = true)]
async fn signals_are_reported_as_they_come_without_anybody_asking() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    signals.raise("a");
    settle().await;
    assert_eq!(seen.events().len(), 1);
    assert_eq!(telemetry.figures().reports, 0, "no interval was waited for");
}

#[tokio::test(start_paused = true)]
async fn the_bound_follows_its_option_at_once() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().queue_capacity(10));
    for number in 0..10 {
        signals.raise(format!("a.{number}").as_str());
    }
    telemetry.reconfigure(&TelemetryOptions::new().queue_capacity(2)).unwrap();
    telemetry.flush().await;
    assert_eq!(names(&seen.events()), ["a.8", "a.9"]);
    assert_eq!(telemetry.figures().dropped, 8);
    telemetry.reconfigure(&TelemetryOptions::new().queue_capacity(5)).unwrap();
    settle().await;
    seen.clear();
    for _ in 0..9 {
        signals.raise("b");
    }
    telemetry.flush().await;
    assert_eq!(seen.events().len(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_panics_costs_its_report_only() {
    let signals = SignalSink::default();
    let told = Arc::new(Mutex::new(Vec::new()));
    let log = told.clone();
    let telemetry = Telemetry::spawn_with(
        TelemetryOptions::new(),
        &signals,
        Calling(move |name: &str| {
            assert!(name != "bad" && name != "exception error.x", "the client gives up");
            log.lock().unwrap().push(name.to_owned());
        }),
    );
    raise_all(&signals, &["a", "bad", "error.x", "b"]);
    telemetry.flush().await;
    assert_eq!(*told.lock().unwrap(), ["a", "error.x", "b", "metric dayfly.signal.raised"]);
    let figures = telemetry.figures();
    assert_eq!((figures.failed, figures.processed), (2, 4));
    assert_adds_up(&figures);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_raises_for_each_report_keeps_nobody_from_a_flush_or_the_end() {
    let signals = SignalSink::default();
    let (raiser, calls) = (signals.clone(), Arc::new(AtomicUsize::new(0)));
    let counter = calls.clone();
    let telemetry = Telemetry::spawn_with(
        TelemetryOptions::new().queue_capacity(8),
        &signals,
        Calling(move |name: &str| {
            if !name.starts_with("metric") && counter.fetch_add(1, Ordering::SeqCst) < 1_000_000 {
                raiser.raise("echo");
                raiser.raise("echo");
            }
        }),
    );
    signals.raise("first");
    // Its own echo keeps the reporter busy for good; others run all the same.
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    telemetry.flush().await;
    let figures = telemetry.shutdown().await;
    assert!(calls.load(Ordering::SeqCst) < 1_000_000, "{figures:?}");
    assert_eq!(figures.queued, 0);
    assert_adds_up(&figures);
}

#[tokio::test(start_paused = true)]
async fn what_is_raised_after_the_end_is_nobodys() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    signals.raise("before");
    let end = telemetry.shutdown();
    signals.raise("between");
    let figures = end.await;
    signals.raise("after");
    assert_eq!(telemetry.figures(), figures);
    assert_adds_up(&figures);
    assert_eq!(names(&seen.events()), ["before", "between"]);
    telemetry.flush().await;
    assert_eq!(telemetry.shutdown().await, figures, "an end that is asked for again is the same end");
}

#[tokio::test(start_paused = true)]
async fn an_end_that_nobody_waits_for_is_an_end_all_the_same() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    signals.raise("before");
    drop(telemetry.shutdown());
    settle().await;
    signals.raise("after");
    settle().await;
    assert_eq!(names(&seen.events()), ["before"]);
    assert_eq!(telemetry.figures().received, 1);
}

#[tokio::test(start_paused = true)]
async fn the_last_handle_ends_it_and_what_waits_is_still_reported() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new());
    let other = telemetry.clone();
    signals.raise("a");
    drop(telemetry);
    settle().await;
    signals.raise("b");
    drop(other);
    settle().await;
    assert_eq!(names(&seen.events()), ["a", "b"]);
    assert_eq!(counted(&seen, "dayfly.signal.raised", &[]), 2, "the end reports the figures too");
    signals.raise("c");
    settle().await;
    assert_eq!(seen.events().len(), 2);
}

#[test]
fn a_runtime_that_ends_leaves_nobody_waiting() {
    let signals = SignalSink::default();
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let seen = InMemory::new();
    let telemetry = {
        let runtime = runtime();
        let _entered = runtime.enter();
        Telemetry::spawn_with(TelemetryOptions::new(), &signals, seen)
    };
    signals.raise("late");
    runtime().block_on(async {
        let wait = Duration::from_secs(5);
        tokio::time::timeout(wait, telemetry.flush()).await.unwrap();
        tokio::time::timeout(wait, telemetry.shutdown()).await.unwrap();
    });
    assert_adds_up(&telemetry.figures());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn figures_add_up_at_any_moment_while_threads_raise() {
    let (signals, telemetry, seen) = reporting(TelemetryOptions::new().queue_capacity(16));
    let raisers: Vec<_> = (0..4)
        .map(|_| {
            let signals = signals.clone();
            std::thread::spawn(move || raise_all(&signals, &vec!["a"; 5_000]))
        })
        .collect();
    while !raisers.iter().all(std::thread::JoinHandle::is_finished) {
        assert_adds_up(&telemetry.figures());
        tokio::task::yield_now().await;
    }
    let figures = telemetry.shutdown().await;
    assert_eq!((figures.received, figures.queued), (20_000, 0));
    assert_adds_up(&figures);
    assert!(seen.events().len() as u64 <= figures.processed);
}

#[tokio::test(start_paused = true)]
async fn handles_may_go_to_other_threads() {
    fn goes<T: Send + Sync + std::fmt::Debug>(_: &T) {}
    let (_, telemetry, seen) = reporting(TelemetryOptions::new());
    goes(&telemetry);
    goes(&seen);
    goes(&TelemetryOptions::new());
    goes(&dayfly_telemetry::Facade::new());
}
