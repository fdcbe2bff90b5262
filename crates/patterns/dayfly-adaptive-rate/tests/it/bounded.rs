//! What is kept of keys.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::{Draft, SignalSink};
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::time::{Instant, advance};

const MS: Duration = Duration::from_millis(1);

fn rate(options: RateOptions) -> AdaptiveRate {
    AdaptiveRate::new("api", options, &SignalSink::default())
}

#[tokio::test(start_paused = true)]
async fn a_million_distinct_keys_leave_only_those_that_owe_something() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    let mut most = 0;
    for number in 0..1_000_000_u32 {
        rate.check(&number).unwrap();
        if number % 100 == 99 {
            advance(MS).await;
            most = most.max(rate.stats().keys);
        }
    }
    // 100 keys in each millisecond, each of which owes its start for 100 ms: a look comes right after the last millisecond.
    assert_eq!(most, 9_900);
    advance(100 * MS).await;
    assert_eq!(rate.stats().keys, 0);
    assert_eq!(rate.stats().crowded, 0);
}

#[tokio::test(start_paused = true)]
async fn a_million_refusals_waits_and_looks_keep_nothing() {
    let rate = rate(RateOptions::per_second(10));
    rate.retry_all_after(Duration::from_secs(60));
    for number in 0..1_000_000_u32 {
        assert!(rate.check(&number).is_err() && rate.delay(&number) > MS);
    }
    assert_eq!(rate.stats().keys, 0);
    for number in 0..1_000_u32 {
        let mut waits = Box::pin(rate.until_ready(&number));
        assert!(
            std::future::poll_fn(|context| std::task::Poll::Ready(waits.as_mut().poll(context).is_pending()))
                .await
        );
        assert_eq!(rate.stats().keys, 1);
        drop(waits);
        // Tokio's budget would otherwise be used up.
        tokio::task::yield_now().await;
    }
    assert_eq!(rate.stats().keys, 0);
}

#[tokio::test(start_paused = true)]
async fn keys_beyond_the_bound_share_one_place_until_there_is_room() {
    let rate = rate(RateOptions::per_second(10).burst(1).max_keys(3));
    for key in ["a", "b", "c", "d"] {
        rate.check(key).unwrap();
    }
    assert_eq!((rate.stats().keys, rate.stats().crowded), (3, 1));
    // It shares a place with `d`, which has used it up.
    assert_eq!(rate.check("e").unwrap_err().after, 100 * MS);
    advance(50 * MS).await;
    assert_eq!(rate.check("d").unwrap_err().after, 50 * MS);
    advance(50 * MS).await;
    rate.check("d").unwrap();
    rate.check("e").unwrap();
    assert_eq!(rate.stats().keys, 2, "those before are idle, so there is room");
}

#[tokio::test(start_paused = true)]
async fn who_leaves_the_crowd_takes_along_what_it_may_owe() {
    let rate = rate(RateOptions::per_second(10).burst(1).max_keys(1));
    rate.check("a").unwrap();
    advance(50 * MS).await;
    rate.check("b").unwrap();
    rate.retry_after("c", 80 * MS);
    advance(50 * MS).await;
    // `a` is idle now and makes room, but `b` has started 50 ms ago, and the crowd is paused.
    assert_eq!(rate.check("b").unwrap_err().after, 50 * MS);
    assert_eq!(rate.delay("c"), 50 * MS);
}

#[tokio::test(start_paused = true)]
async fn everybody_in_the_crowd_starts_in_the_order_of_coming() {
    let rate = rate(RateOptions::per_second(10).burst(1).max_keys(1));
    rate.check("a").unwrap();
    let start = Instant::now();
    let waiters: Vec<_> = (0..5)
        .map(|number| {
            let rate = rate.clone();
            Handle::current().spawn(async move {
                rate.until_ready(&number).await;
                start.elapsed().as_millis()
            })
        })
        .collect();
    let mut times = Vec::new();
    for waiter in waiters {
        times.push(waiter.await.unwrap());
    }
    assert_eq!(times, [0, 100, 200, 300, 400]);
    assert!(rate.stats().keys <= 1);
}

#[tokio::test(start_paused = true)]
async fn signals_of_a_stranger_do_not_grow_memory() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("api", RateOptions::new().max_keys(10), &signals);
    for number in 0..1_000 {
        signals.raise(Draft::from("rate-limit:1s").key(&number.to_string()));
    }
    assert_eq!(rate.stats().keys, 10);
    assert!(signals.state("rate.limited.api").len() <= 10);
    // Whom there is no room for is paused together with all others of whom that is so.
    assert_eq!(rate.check("999").unwrap_err().after, 1_000 * MS);
    rate.check("stranger").unwrap_err();
    advance(1_000 * MS).await;
    rate.check("999").unwrap();
    assert!(!signals.is_raised("rate.limited.*"));
}

#[tokio::test(start_paused = true)]
async fn a_bound_that_falls_forgets_nobody_who_owes() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    for number in 0..10 {
        rate.check(&number).unwrap();
    }
    rate.reconfigure(&RateOptions::per_second(10).burst(1).max_keys(2)).unwrap();
    assert!((0..10).all(|number| rate.check(&number).is_err()));
    rate.check("new").unwrap();
    assert_eq!(rate.stats().crowded, 1);
    settle().await;
    advance(100 * MS).await;
    assert_eq!(rate.stats().keys, 0);
}
