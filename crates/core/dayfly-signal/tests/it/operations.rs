//! Operations take back their own raises and nobody else's.

use dayfly_signal::{OperationId, Signal, SignalSink};

#[test]
fn each_retract_takes_one_own_raise_back() {
    let signals = SignalSink::default();
    let (one, other) = (signals.source(OperationId::next()), signals.source(OperationId::next()));
    one.raise("busy");
    one.raise("busy");
    assert!(one.retract("busy") && signals.is_raised("busy"));
    assert!(!other.retract("busy"), "it raised nothing");
    assert!(one.retract("busy") && !signals.is_raised("busy"));
    assert!(!one.retract("busy"));

    one.raise("busy");
    other.raise("busy");
    assert!(one.retract("busy") && signals.is_raised("busy"));
}

#[test]
fn a_raise_outlives_its_operation() {
    let signals = SignalSink::default();
    signals.source(OperationId::next()).raise("stays");
    assert!(signals.is_raised("stays"));
}

#[test]
fn an_old_raise_does_not_take_back_a_newer_life_of_the_name() {
    let signals = SignalSink::default();
    let one = signals.source(OperationId::next());
    one.raise("x");
    signals.retract("x");
    signals.raise("x");
    assert!(!one.retract("x"));
    assert!(signals.is_raised("x"));
}

#[test]
fn clearing_one_operation_leaves_the_others() {
    let signals = SignalSink::default();
    let (one, other) = (signals.source(OperationId::next()), signals.source(OperationId::next()));
    one.raise("shared");
    one.raise("own");
    other.raise("shared");
    let id = one.operation();
    drop(one);
    assert_eq!(signals.clear_operation(id), 2);
    assert!(signals.is_raised("shared") && !signals.is_raised("own"));
    let left: Vec<_> = signals.history("*").iter().map(Signal::operation).collect();
    assert_eq!(left, [Some(other.operation()), None]);
    assert_eq!(signals.clear_operation(id), 0);
}
