//! A call through a breaker allocates nothing, be it counted in a row or in a window, admitted or refused.

use std::time::Duration;

use dayfly_circuit_breaker::{BreakerOptions, CircuitBreaker, KeyedBreaker, KeyedBreakerOptions, Window};
use dayfly_signal::SignalSink;
use dayfly_testing::{Counting, allocations};

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CALLS: u32 = 1_000;

fn allocated(run: impl FnOnce()) -> u64 {
    let before = allocations();
    run();
    allocations() - before
}

/// Calls that succeed and fail by turns, so that nothing opens.
fn calls(breaker: &CircuitBreaker) {
    for number in 0..CALLS {
        let permit = breaker.try_acquire().expect("it stays closed");
        if number.is_multiple_of(2) { permit.success() } else { permit.failure() }
    }
}

#[tokio::test]
async fn calls_allocate_nothing_however_they_are_counted() {
    let in_a_row = BreakerOptions::new();
    let shares = in_a_row.clone().failure_rate(1.0).slow_rate(1.0);
    let of_time = shares.clone().window(Window::Time(Duration::from_secs(10)));
    for options in [in_a_row, shares, of_time] {
        let mut made = None;
        let making = allocated(|| made = Some(CircuitBreaker::new("bank", options, &SignalSink::default())));
        assert!(making > 0, "the counter counts");
        let breaker = made.expect("it was made just now");
        assert_eq!(allocated(|| calls(&breaker)), 0);
    }
}

#[tokio::test]
async fn refusals_allocate_nothing() {
    let breaker = CircuitBreaker::new("bank", BreakerOptions::new(), &SignalSink::default());
    breaker.force_open();
    let refused = allocated(|| (0..CALLS).for_each(|_| assert!(breaker.try_acquire().is_err())));
    assert_eq!(refused, 0);
}

#[tokio::test]
async fn a_key_that_has_a_breaker_is_found_without_an_allocation() {
    let hosts = KeyedBreaker::<String>::new("hosts", KeyedBreakerOptions::new(), &SignalSink::default());
    hosts.breaker("a");
    assert_eq!(allocated(|| (0..CALLS).for_each(|_| drop(hosts.breaker("a")))), 0);
}
