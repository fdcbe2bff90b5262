//! Looking back.

use std::time::Duration;

use dayfly_signal::{Draft, OperationId, Query, SignalId, SignalOptions, SignalSink};
use tokio::time::{Instant, advance};

#[tokio::test(start_paused = true)]
async fn each_condition_narrows_what_is_meant() {
    let signals = SignalSink::default();
    let start = Instant::now();
    let source = signals.source(OperationId::next());
    signals.raise("order.paid");
    advance(Duration::from_secs(1)).await;
    let middle = source.raise(Draft::from("order.paid").key("7"));
    advance(Duration::from_secs(1)).await;
    signals.raise(Draft::from("order.sent").key("7"));

    let count = |query: Query| signals.history(query).len();
    assert_eq!(count(Query::new()), 3);
    assert_eq!(count(Query::new().name("order.paid")), 2);
    assert_eq!(count(Query::new().matching("order.*, none")), 3);
    assert_eq!(count(Query::new().key("7")), 2);
    assert_eq!(count(Query::new().name("order.paid").key("7")), 1);
    assert_eq!(count(Query::new().operation(source.operation())), 1);
    assert_eq!(count(Query::new().after(middle)), 1);
    assert_eq!(count(Query::new().since(start + Duration::from_secs(1))), 2);
    assert_eq!(count(Query::new().between(start, start + Duration::from_secs(1))), 1);
    assert!(signals.has("order.sent") && !signals.has(Query::new().name("order.sent").key("8")));
}

#[test]
fn ids_become_events_in_the_order_they_are_asked_for() {
    let signals = SignalSink::new(SignalOptions::new().capacity(3));
    let ids: Vec<_> = ["gone", "a:1", "b", "c"].iter().map(|name| signals.raise(*name)).collect();
    let shown = |ids: &[SignalId]| signals.events(ids).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(shown(&ids), ["a:1", "b", "c"], "the history has no room for the oldest");
    assert_eq!(shown(&[ids[3], ids[1]]), ["c", "a:1"]);
    assert!(shown(&[]).is_empty() && shown(&[SignalId::from_u64(99), SignalId::from_u64(0)]).is_empty());
    signals.clear_matching("b");
    assert_eq!(shown(&ids), ["a:1", "c"], "what was cleared leaves a gap");
}

#[test]
fn a_name_is_meant_as_it_stands() {
    let signals = SignalSink::default();
    for name in ["x*", "xy", "x?", "x"] {
        signals.raise(name);
    }
    for name in ["x*", "x?", "xy"] {
        let found: Vec<_> =
            signals.history(Query::new().name(name)).iter().map(|event| event.name().to_owned()).collect();
        assert_eq!(found, [name]);
    }
    assert_eq!(signals.history(Query::new().name("x*").matching("x?")).len(), 1, "both conditions hold");
}
