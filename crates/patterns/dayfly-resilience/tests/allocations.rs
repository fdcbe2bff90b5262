//! A call that has nothing to wait for allocates nothing, with all policies on.

use std::future::ready;
use std::hint::black_box;
use std::time::Duration;

use dayfly_circuit_breaker::{BreakerOptions, Window};
use dayfly_resilience::{Fallback, Pipeline, PipelineOptions, Timeout};
use dayfly_retry::RetryBudgetOptions;
use dayfly_signal::SignalSink;
use dayfly_testing::{Counting, allocations};
use futures_util::FutureExt;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn allocated(run: impl FnOnce()) -> u64 {
    let before = allocations();
    run();
    allocations() - before
}

fn calls(bank: &Pipeline<String>) {
    for number in 0..1_000_u32 {
        let ended = bank.call(|_| ready(Ok(number))).now_or_never();
        assert_eq!(ended, Some(Ok(number)));
    }
}

#[test]
fn success_at_once_allocates_nothing() {
    let all = PipelineOptions::production().max_concurrency(8).max_wait(Duration::from_secs(1));
    let windowed = BreakerOptions::new().failure_rate(0.5).window(Window::Calls(100));
    for options in [
        PipelineOptions::new(),
        all.clone(),
        PipelineOptions::high_throughput().breaker(windowed),
        all.budget(RetryBudgetOptions::new()),
    ] {
        let mut bank = None;
        let made = allocated(|| bank = Some(Pipeline::new("bank", options.clone(), &SignalSink::default())));
        assert!(made > 0, "the counter counts");
        let bank = bank.expect("it was made just now");
        assert_eq!(allocated(|| calls(&bank)), 0, "{options:?}");
    }
    let (timeout, fallback) = (Timeout::total(Duration::from_secs(1)), Fallback::<u8, ()>::value(7));
    let both = || {
        let ended = timeout.call(ready(Ok::<_, ()>(1))).now_or_never();
        assert!(
            black_box(ended) == Some(Ok(1)) && fallback.call(ready(Err(()))).now_or_never() == Some(Ok(7))
        );
    };
    assert_eq!(allocated(both), 0);
}
