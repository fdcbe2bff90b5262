//! What a raise allocates, counted on its thread: a guard that no machine's load can upset.

use std::time::Duration;

use dayfly_signal::{Draft, OperationId, SignalOptions, SignalSink};
use dayfly_testing::{Counting, allocations};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const WARM_UP: u64 = 1_000;
const RAISES: u64 = 10_000;

/// How many allocations each of many calls makes, in thousandths, once everything is known.
fn each(mut call: impl FnMut()) -> u64 {
    (0..WARM_UP).for_each(|_| call());
    let before = allocations();
    (0..RAISES).for_each(|_| call());
    (allocations() - before) * 1_000 / RAISES
}

fn sink() -> SignalSink {
    SignalSink::new(SignalOptions::new().capacity(64))
}

#[test]
fn a_raise_of_a_known_name_and_key_allocates_nothing() {
    let signals = sink();
    assert_eq!(
        each(|| {
            signals.raise("api.failure");
        }),
        0
    );
    assert_eq!(
        each(|| {
            signals.raise(Draft::from("api.failure").key("bank"));
        }),
        0
    );
    let handle = signals.handle("api.slow");
    assert_eq!(
        each(|| {
            handle.raise();
        }),
        0
    );
    let source = signals.source(OperationId::next());
    assert_eq!(
        each(|| {
            source.raise("api.failure");
        }),
        0
    );
}

#[test]
fn a_text_payload_costs_one_allocation_at_most() {
    let signals = sink();
    assert!(
        each(|| {
            signals.raise("rate-limit:500ms");
        }) <= 1_000
    );
}

#[test]
fn a_registered_count_is_read_without_an_allocation() {
    let signals = sink();
    let failures = signals.counter("api.*", Duration::from_secs(60));
    let raise_and_count = || {
        signals.raise("api.failure");
        assert!(failures.count() > 0);
    };
    assert_eq!(each(raise_and_count), 0);
}
