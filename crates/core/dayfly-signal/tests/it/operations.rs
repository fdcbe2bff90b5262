//! Operations take back their own raises and nobody else's.

use std::time::Duration;

use dayfly_signal::{OperationId, Signal, SignalOptions, SignalSink};

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

#[test]
fn a_renewed_source_speaks_for_the_next_operation_only() {
    let signals = SignalSink::default();
    let (first, second) = (OperationId::next(), OperationId::next());
    let mut source = signals.source(first);
    source.raise("busy");
    source.renew(second);
    assert_eq!(source.operation(), second);
    assert!(!source.retract("busy") && signals.is_raised("busy"), "the earlier operation's raise stays");
    source.raise("own");
    assert!(source.retract("own"));
    let raisers: Vec<_> = signals.history("*").iter().map(Signal::operation).collect();
    assert_eq!(raisers, [Some(first), Some(second), Some(second)]);
    assert_eq!(signals.clear_operation(first), 1);
    assert!(!signals.is_raised("busy"));
}

#[test]
fn a_renewed_source_leaves_as_many_ledgers_as_dropped_ones() {
    const KEPT: usize = 4;
    let signals = SignalSink::new(SignalOptions::new().capacity(KEPT));
    let operations: Vec<OperationId> = (0..10).map(|_| OperationId::next()).collect();
    let mut source = signals.source(operations[0]);
    for (number, &operation) in operations.iter().enumerate() {
        source.renew(operation);
        source.raise(&format!("busy.{number}"));
        // An operation that raises nothing leaves nothing behind.
        source.renew(OperationId::next());
    }
    drop(source);
    for &operation in &operations {
        signals.clear_operation(operation);
    }
    let mut left: Vec<String> = signals.state("*").iter().map(|raised| raised.name().to_owned()).collect();
    left.sort();
    assert_eq!(left, (0..10 - KEPT).map(|number| format!("busy.{number}")).collect::<Vec<_>>());
}

#[test]
fn a_source_that_two_threads_share_keeps_one_ledger() {
    for _ in 0..200 {
        let signals = SignalSink::default();
        let source = signals.source(OperationId::next());
        let both = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| {
                    both.wait();
                    source.raise("busy");
                });
            }
        });
        assert!(source.retract("busy") && source.retract("busy"), "both raises are its own");
        assert!(!signals.is_raised("busy"));
    }
}

#[test]
fn an_operation_takes_back_any_of_many_names() {
    let signals = SignalSink::default();
    let source = signals.source(OperationId::next());
    let names: Vec<String> = (0..200).map(|number| format!("step.{number}")).collect();
    for name in names.iter().chain(&names) {
        source.raise(name);
    }
    for name in &names {
        assert!(source.retract(name) && source.retract(name) && !source.retract(name), "{name}");
    }
    assert!(!signals.is_raised("*"));
}

#[tokio::test(start_paused = true)]
async fn ageing_out_zeroes_the_count() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(10)));
    let one = signals.source(OperationId::next());
    one.raise("x");
    one.raise("x");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert!(!signals.is_raised("x"));
    one.raise("x");
    assert!(one.retract("x") && !signals.is_raised("x"), "the two that aged out do not count any more");
}
