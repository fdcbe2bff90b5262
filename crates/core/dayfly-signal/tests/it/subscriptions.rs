//! Subscriptions deliver every event in order, or say what they lost.

use dayfly_signal::{Lagged, SignalId, SignalOptions, SignalSink};
use futures_util::StreamExt;

use crate::support::raise_all;

#[tokio::test(start_paused = true)]
async fn a_subscription_is_a_stream_of_what_it_asked_for() {
    let signals = SignalSink::default();
    signals.raise("a.before");
    let events = signals.subscribe("a.*, c");
    raise_all(&signals, &["a.x", "b", "c:1"]);
    let two: Vec<String> = events.take(2).map(|event| event.unwrap().to_string()).collect().await;
    assert_eq!(two, ["a.x", "c:1"]);
}

#[test]
fn a_subscription_resumes_from_a_sequence() {
    let signals = SignalSink::default();
    let first = signals.raise("a");
    raise_all(&signals, &["b", "c"]);
    let mut rest = signals.subscribe_from(first, "*");
    signals.raise("d");
    let names: Vec<String> =
        std::iter::from_fn(|| rest.try_recv().unwrap()).map(|event| event.to_string()).collect();
    assert_eq!(names, ["b", "c", "d"]);
}

#[test]
fn resuming_behind_the_history_says_how_much_is_missing() {
    let signals = SignalSink::new(SignalOptions::new().capacity(2));
    for _ in 0..5 {
        signals.raise("a");
    }
    let mut rest = signals.subscribe_from(SignalId::from_u64(1), "*");
    assert_eq!(rest.try_recv().unwrap_err(), Lagged(2));
    assert_eq!(rest.try_recv().unwrap().unwrap().id().get(), 4);
}

#[test]
fn a_subscription_has_a_bound_of_its_own_that_holds_at_once() {
    let signals = SignalSink::default();
    let mut events = signals.subscribe("*");
    for _ in 0..5 {
        signals.raise("a");
    }
    events.set_capacity(2);
    let backlog = events.backlog();
    assert_eq!((backlog.waiting, backlog.lost), (2, 3));
    signals.raise("a");
    assert_eq!(events.backlog().lost, 4);
    assert_eq!(events.try_recv().unwrap_err(), Lagged(4));
    assert_eq!(events.try_recv().unwrap().unwrap().id().get(), 5);
    assert_eq!((events.backlog().waiting, events.backlog().lost), (1, 0));

    events.set_capacity(3);
    raise_all(&signals, &["a", "a", "a"]);
    assert_eq!((events.backlog().waiting, events.backlog().lost), (3, 1));
}

#[test]
#[should_panic(expected = "the capacity of a subscription must be at least 1")]
fn a_subscription_without_room_is_refused() {
    SignalSink::default().subscribe("*").set_capacity(0);
}
