//! Measuring a call allocates nothing, whatever becomes of the limit meanwhile.

use std::time::Duration;

use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions};
use dayfly_limit::Limiter;
use dayfly_signal::SignalSink;
use dayfly_testing::{Counting, allocations};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

#[test]
fn samples_and_the_windows_that_they_end_allocate_nothing() {
    let before = allocations();
    let options = AdaptiveLimitOptions::new().bounds(2, 64).min_samples(5).window(Duration::ZERO);
    let limit = AdaptiveLimit::new(Limiter::default(), options, &SignalSink::default());
    assert!(allocations() > before, "the counter counts");

    let (before, windows) = (allocations(), limit.stats().windows);
    for number in 0..10_000 {
        let sample = limit.begin();
        if number % 7 == 0 { sample.dropped() } else { sample.success() }
    }
    assert!(limit.stats().windows > windows + 100);
    assert_eq!(allocations() - before, 0);
}
