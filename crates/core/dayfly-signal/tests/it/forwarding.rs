//! Forwarding: what happens here is known there, and comes to an end.

use dayfly_signal::{Draft, OperationId, SignalOptions, SignalSink};

#[test]
fn a_forwarded_event_keeps_what_it_is() {
    let (here, there) = (SignalSink::default(), SignalSink::default());
    let _forward = here.forward("order.*", &there);
    let source = here.source(OperationId::next());
    source.raise(Draft::from("order.paid:30").key("7"));
    here.raise("other");
    let [event] = &there.history("*")[..] else { panic!("one event") };
    assert_eq!(
        (event.to_string().as_str(), event.operation()),
        ("order.paid:30 [7]", Some(source.operation()))
    );
    assert!(there.is_raised("order.paid"));
}

#[test]
fn sinks_that_forward_to_each_other_come_to_an_end() {
    let sinks = [SignalSink::default(), SignalSink::default(), SignalSink::default()];
    let mut forwards = Vec::new();
    for from in &sinks {
        forwards.extend(sinks.iter().map(|to| from.forward("*", to)));
    }
    sinks[0].raise("news");
    // Sinks 1 and 2 hear it from 0 and from each other, and nobody hears what came through it before.
    assert_eq!(sinks.each_ref().map(|sink| sink.history("news").len()), [1, 2, 2]);
}

#[test]
fn a_retraction_stays_where_it_happens() {
    let (here, there) = (SignalSink::default(), SignalSink::default());
    let forward = here.forward("*", &there);
    here.raise("a");
    here.retract("a");
    assert!(!here.is_raised("a") && there.is_raised("a"));
    drop(forward);
    here.raise("b");
    assert!(!there.has("b"));
}

#[test]
fn what_was_forwarded_in_the_name_of_an_operation_is_cleared_with_it() {
    let (here, there) = (SignalSink::default(), SignalSink::default());
    let _forward = here.forward("*", &there);
    let (first, second) = (here.source(OperationId::next()), here.source(OperationId::next()));
    first.raise("busy");
    second.raise("busy");
    assert_eq!(there.clear_operation(first.operation()), 1);
    assert!(there.is_raised("busy"), "the other one's raise is there");
    assert_eq!(there.clear_operation(second.operation()), 1);
    assert!(!there.is_raised("busy"));
}

#[test]
fn two_operations_that_take_turns_leave_the_others_known() {
    let here = SignalSink::default();
    let there = SignalSink::new(SignalOptions::new().capacity(4));
    let _forward = here.forward("*", &there);
    let operations = [(); 3].map(|()| here.source(OperationId::next()));
    operations[0].raise("first");
    for _ in 0..10 {
        operations[1].raise("second");
        operations[2].raise("third");
    }
    for (operation, name) in operations.iter().zip(["first", "second", "third"]) {
        assert!(there.is_raised(name));
        there.clear_operation(operation.operation());
        assert!(!there.is_raised(name), "{name} was raised in this operation's name alone");
    }
}
