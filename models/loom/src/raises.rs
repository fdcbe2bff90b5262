//! The last signals of an operation, noted by whoever raises and seen by whoever looks.

use std::sync::Arc;

use dayfly_signal::{OperationId, Signal, SignalId, SignalSink};
use loom::thread;

use crate::explore::{Model, Size};
use crate::recent::Recent;

pub(crate) const MODELS: &[Model] = &[
    Model { name: "recent_two_raise_at_once", run: two_raise, size: Size::Small },
    Model { name: "recent_a_look_while_another_raises", run: look_while_raising, size: Size::Small },
];

/// As `Badge::raise` does it.
fn raise(recent: &Recent, sink: &SignalSink, name: &str) -> SignalId {
    let signal = sink.source(OperationId::next()).raise_event(name);
    let id = signal.id();
    recent.note(signal);
    id
}

fn ids(signals: &[Signal]) -> Vec<SignalId> {
    let mut ids: Vec<_> = signals.iter().map(Signal::id).collect();
    ids.sort_unstable();
    ids
}

/// Nothing that was raised is missing when all have come to rest, and nothing stands there twice.
fn two_raise() {
    let (recent, sink) = (Arc::new(Recent::default()), SignalSink::default());
    let raises = |name| {
        let (recent, sink) = (Arc::clone(&recent), sink.clone());
        thread::spawn(move || raise(&recent, &sink, name))
    };
    let mut both = [raises("a"), raises("b")].map(|raising| raising.join().expect("it raises"));
    both.sort_unstable();
    assert_eq!(ids(&recent.list()), both);
}

/// A snapshot in the middle of a raise takes nothing away from the next one.
fn look_while_raising() {
    let (recent, sink) = (Arc::new(Recent::default()), SignalSink::default());
    let (other, others) = (Arc::clone(&recent), sink.clone());
    let raising = thread::spawn(move || raise(&other, &others, "a"));
    let before = ids(&recent.list());
    let raised = raising.join().expect("it raises");
    assert!(before.is_empty() || before == [raised]);
    let mut all = Vec::new();
    recent.take(&mut all);
    assert_eq!(ids(&all), [raised]);
    assert!(recent.is_empty());
}
