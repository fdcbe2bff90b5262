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
