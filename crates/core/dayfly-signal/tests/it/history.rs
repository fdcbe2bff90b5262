//! Clearing, and what the history shows.

use std::time::Duration;

use dayfly_signal::{Draft, SignalKind, SignalOptions, SignalSink};

use crate::support::raise_all;

fn names(signals: &SignalSink) -> Vec<String> {
    signals.history("*").iter().map(ToString::to_string).collect()
}

#[test]
fn clear_returns_the_number_and_leaves_one_event_that_says_so() {
    let signals = SignalSink::default();
    raise_all(&signals, &["a", "b", "c"]);
    assert_eq!(signals.clear(), 3);
    assert_eq!(names(&signals), ["sink.cleared:3"]);
    assert!(signals.state("*").is_empty());
}

#[test]
fn clearing_an_empty_sink_raises_nothing() {
    let signals = SignalSink::default();
    assert_eq!(signals.clear(), 0);
    assert_eq!(signals.clear_matching("a.*"), 0);
    assert!(signals.is_empty());
}

#[test]
fn clear_matching_keeps_the_others_and_says_so_in_one_event() {
    let signals = SignalSink::default();
    raise_all(&signals, &["http.request.get", "db.query", "http.request.put", "http.error"]);
    assert_eq!(signals.clear_matching("http.request.*"), 2);
    assert_eq!(names(&signals), ["db.query", "http.error", "sink.cleared:2"]);
    assert!(signals.is_raised("db.query") && !signals.is_raised("http.request.get"));
}

#[test]
fn counts_survive_a_clear_in_the_middle() {
    let signals = SignalSink::default();
    let minute = Duration::from_secs(60);
    let all = signals.counter("a", minute);
    for _ in 0..3 {
        signals.raise("a");
        signals.raise("noise");
    }
    signals.clear_matching("noise");
    assert_eq!((all.count(), signals.count("a", minute)), (3, 3));
    signals.raise("a");
    assert_eq!((all.count(), signals.count("a", minute)), (4, 4));
}

#[test]
fn a_retraction_is_shown_beside_the_raise() {
    let signals = SignalSink::default();
    let mut events = signals.subscribe("x");
    signals.raise("x");
    assert!(signals.retract("x"));
    assert!(!signals.is_raised("x"));
    let kinds: Vec<_> = signals.history("x").iter().map(dayfly_signal::Signal::kind).collect();
    assert_eq!(kinds, [SignalKind::Raised, SignalKind::Retracted]);
    assert_eq!(events.try_recv().unwrap().unwrap().kind(), SignalKind::Raised);
    assert_eq!(events.try_recv().unwrap().unwrap().kind(), SignalKind::Retracted);
    assert_eq!(signals.count("x", Duration::from_secs(1)), 1, "a retraction is no raise");
}

#[test]
fn payload_and_key_are_kept_apart_from_the_name() {
    let signals = SignalSink::default();
    signals.raise(Draft::from("time:12:30:45").key("berlin"));
    let [event] = &signals.history("time")[..] else { panic!("one event") };
    assert_eq!((event.payload(), event.key()), (Some("12:30:45"), Some("berlin")));
    assert!(signals.history("*berlin*").is_empty(), "patterns see the name only");
}

#[tokio::test(start_paused = true)]
async fn age_is_applied_on_every_read() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    signals.raise("a");
    tokio::time::advance(Duration::from_secs(9)).await;
    assert_eq!((signals.len(), signals.is_raised("a")), (1, true));
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!((signals.len(), signals.is_raised("a")), (0, false));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_too_old_is_not_found_by_its_id_either() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let old = signals.raise("a");
    tokio::time::advance(Duration::from_secs(6)).await;
    let young = signals.raise("a");
    tokio::time::advance(Duration::from_secs(4)).await;
    let found: Vec<_> = signals.events(&[old, young]).iter().map(dayfly_signal::Signal::id).collect();
    assert_eq!(found, [young]);
}
