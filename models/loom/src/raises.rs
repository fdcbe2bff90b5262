//! The last signals of an operation, noted by whoever raises and fetched by whoever looks.

use std::sync::Arc;

use dayfly_signal::{SignalId, SignalSink};
use loom::thread;

use crate::explore::{Model, Size};
use crate::recent::Recent;

pub(crate) const MODELS: &[Model] = &[
    Model {
        name: "recent_raise_while_the_worker_fetches",
        run: raise_while_fetching,
        size: Size::Large(5, 3),
    },
    Model { name: "recent_two_raise_at_once", run: two_raise, size: Size::Large(5, 3) },
    Model { name: "recent_a_look_while_another_raises", run: look_while_raising, size: Size::Large(5, 3) },
];

/// As `Badge::raise` does it away from the worker.
fn raise(recent: &Recent, sink: &SignalSink, name: &str) -> SignalId {
    let id = sink.raise(name);
    recent.note(id);
    recent.fetch(sink);
    id
}

fn ids(recent: &Recent, sink: &SignalSink) -> Vec<SignalId> {
    let mut ids: Vec<_> = recent.list(sink).iter().map(dayfly_signal::Signal::id).collect();
    ids.sort_unstable();
    ids
}

/// Nothing that was raised is missing when all have come to rest, and nothing stands there twice.
fn raise_while_fetching() {
    let (recent, sink) = (Arc::new(Recent::default()), SignalSink::default());
    let (other, others) = (Arc::clone(&recent), sink.clone());
    let raising = thread::spawn(move || raise(&other, &others, "b"));
    let first = sink.raise("a");
    recent.note(first);
    recent.fetch(&sink);
    let second = raising.join().expect("it raises");
    let mut both = [first, second];
    both.sort_unstable();
    assert_eq!(ids(&recent, &sink), both);
}

fn two_raise() {
    let (recent, sink) = (Arc::new(Recent::default()), SignalSink::default());
    let raises = |name| {
        let (recent, sink) = (Arc::clone(&recent), sink.clone());
        thread::spawn(move || raise(&recent, &sink, name))
    };
    let mut both = [raises("a"), raises("b")].map(|raising| raising.join().expect("it raises"));
    both.sort_unstable();
    assert_eq!(ids(&recent, &sink), both);
}

/// A snapshot in the middle of a raise takes nothing away from the next one.
fn look_while_raising() {
    let (recent, sink) = (Arc::new(Recent::default()), SignalSink::default());
    let (other, others) = (Arc::clone(&recent), sink.clone());
    let raising = thread::spawn(move || raise(&other, &others, "a"));
    let before = ids(&recent, &sink);
    let raised = raising.join().expect("it raises");
    assert!(before.is_empty() || before == [raised]);
    assert_eq!(ids(&recent, &sink), [raised]);
}
