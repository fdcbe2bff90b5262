//! A start of a key that is kept allocates nothing, nor does a refusal; and memory follows the keys that owe something.

use std::time::Duration;

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::SignalSink;
use dayfly_testing::{Counting, allocations};
use tokio::time::advance;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const CALLS: u32 = 1_000;

fn rate(options: RateOptions) -> AdaptiveRate {
    AdaptiveRate::new("api", options, &SignalSink::default())
}

fn allocated(run: impl FnOnce()) -> u64 {
    let before = allocations();
    run();
    allocations() - before
}

#[tokio::test(start_paused = true)]
async fn starts_and_refusals_of_a_key_that_is_kept_allocate_nothing() {
    let rate = rate(RateOptions::per_second(CALLS + 1));
    assert!(allocated(|| rate.check("a").expect("it is the first")) > 0, "a new key is kept");
    assert_eq!(allocated(|| (0..CALLS).for_each(|_| rate.check("a").expect("it fits"))), 0);
    assert_eq!(allocated(|| (0..CALLS).for_each(|_| assert!(rate.check("a").is_err()))), 0);
    assert_eq!(allocated(|| (0..CALLS).for_each(|_| assert!(!rate.delay("a").is_zero()))), 0);
    rate.retry_all_after(Duration::from_secs(1));
    assert_eq!(allocated(|| (0..CALLS).for_each(|key| assert!(rate.check(&key).is_err()))), 0);
}

#[tokio::test(start_paused = true)]
async fn a_wait_that_need_not_wait_allocates_nothing() {
    let rate = rate(RateOptions::per_second(2_000));
    rate.until_ready("a").await;
    let before = allocations();
    for _ in 0..CALLS {
        tokio::task::unconstrained(rate.until_ready(&'a')).await;
    }
    assert_eq!(allocations() - before, 0);
}

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_costs_its_text_and_no_more_once_there_is_room() {
    let rate = rate(RateOptions::per_second(1_000).burst(1));
    let mut number = 0_u32;
    let mut thousand = async || {
        let before = allocations();
        for _ in 0..CALLS {
            number += 1;
            rate.check(&number).expect("it is the first of this key");
        }
        let allocated = allocations() - before;
        advance(Duration::from_millis(1)).await;
        allocated
    };
    let mut all = 0;
    for _ in 0..100 {
        all += thousand().await;
    }
    // Tables grow to the room of their largest crowd, and then no more.
    let of_tables = all - 100 * u64::from(CALLS);
    assert!(of_tables < 40, "{of_tables}");
    assert_eq!(thousand().await, u64::from(CALLS));
    assert_eq!(rate.stats().keys, 0);
}
