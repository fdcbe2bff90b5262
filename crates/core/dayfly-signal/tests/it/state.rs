//! What is raised, and what is held.

use std::time::Duration;

use dayfly_signal::{Draft, SignalOptions, SignalSink};

use crate::support::raise_all;

#[tokio::test(start_paused = true)]
async fn a_new_raise_starts_the_age_anew() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    signals.raise("a");
    tokio::time::advance(Duration::from_secs(9)).await;
    signals.raise("a");
    tokio::time::advance(Duration::from_secs(9)).await;
    assert!(signals.is_raised("a"));
}

#[tokio::test(start_paused = true)]
async fn a_hold_does_not_age_and_ends_with_its_guard() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let (first, second) = (signals.hold("maintenance"), signals.hold("maintenance"));
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert!(signals.is_raised("maintenance"));
    drop(first);
    assert!(signals.is_raised("maintenance"));
    assert!(!signals.retract("maintenance"), "a hold is not a raise that could be taken back");
    drop(second);
    assert!(!signals.is_raised("*"));
}

#[test]
fn keys_of_one_name_are_raised_apart() {
    let signals = SignalSink::default();
    signals.raise(Draft::from("circuit.open").key("a"));
    signals.raise(Draft::from("circuit.open").key("b"));
    assert!(signals.retract(Draft::from("circuit.open").key("a")));
    let [raised] = &signals.state("circuit.*")[..] else { panic!("one is left") };
    assert_eq!(raised.key(), Some("b"));
}

#[test]
fn a_handle_means_its_name_in_another_sink_too() {
    let (one, other) = (SignalSink::default(), SignalSink::default());
    let handle = one.handle("shared");
    handle.raise_with("3");
    other.raise(&handle);
    assert!(one.is_raised("shared") && other.is_raised("shared"));
    assert!(handle.retract() && !one.is_raised("shared"));
    assert!(other.is_raised("shared"));
}

#[test]
fn names_of_the_sink_itself_have_no_state() {
    let signals = SignalSink::default();
    signals.raise("sink.note");
    let _hold = signals.hold("sink.mode");
    assert_eq!((signals.len(), signals.is_raised("*")), (2, false));
}

#[test]
fn set_max_age_keeps_the_capacity() {
    let signals = SignalSink::new(SignalOptions::new().capacity(2));
    signals.set_max_age(Duration::from_secs(1));
    raise_all(&signals, &["a", "b", "c"]);
    assert_eq!(signals.len(), 2);
}

#[test]
#[should_panic(expected = "max_age must be longer than zero")]
fn an_age_of_zero_is_refused() {
    let _ = SignalOptions::new().max_age(Duration::ZERO);
}

#[test]
fn after_a_hold_the_newest_raise_is_the_newest_that_counts() {
    let signals = SignalSink::default();
    let raised = signals.raise("busy");
    let first = signals.hold("busy");
    let second = signals.hold("busy");
    let newest = || signals.state("busy").first().map(|raised| (raised.newest(), raised.count()));
    let while_held = newest().unwrap();
    assert!(while_held.0 > raised && while_held.1 == 3);
    drop(first);
    assert_eq!(newest(), Some((while_held.0, 2)), "the other hold is there");
    drop(second);
    assert_eq!(newest(), Some((raised, 1)));
    signals.retract("busy");
    assert_eq!(newest(), None);
}
