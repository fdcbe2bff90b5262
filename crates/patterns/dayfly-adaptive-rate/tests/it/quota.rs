//! So many starts per period, for each key by itself.

use std::time::Duration;

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::SignalSink;
use tokio::runtime::Handle;
use tokio::time::{Instant, advance};

const MS: Duration = Duration::from_millis(1);

fn rate(options: RateOptions) -> AdaptiveRate {
    AdaptiveRate::new("api", options, &SignalSink::default())
}

#[tokio::test(start_paused = true)]
async fn a_burst_starts_at_once_and_the_rest_at_the_rate() {
    let rate = rate(RateOptions::per_second(10).burst(3));
    let start = Instant::now();
    let mut times = Vec::new();
    for _ in 0..6 {
        rate.until_ready("a").await;
        times.push(start.elapsed().as_millis());
    }
    assert_eq!(times, [0, 0, 0, 100, 200, 300]);
}

#[tokio::test(start_paused = true)]
async fn unless_it_is_set_the_burst_is_the_number_of_starts() {
    let rate = rate(RateOptions::per_minute(3));
    for _ in 0..3 {
        rate.check("a").unwrap();
    }
    assert_eq!(rate.check("a").unwrap_err().after, Duration::from_secs(20));
}

#[tokio::test(start_paused = true)]
async fn what_is_refused_says_how_long_it_takes_and_counts_nothing() {
    let rate = rate(RateOptions::per_second(4).burst(1));
    rate.check("a").unwrap();
    for _ in 0..5 {
        let refused = rate.check("a").unwrap_err();
        assert_eq!((refused.after, refused.to_string()), (250 * MS, "no start is allowed yet".to_owned()));
        assert_eq!(rate.delay("a"), 250 * MS);
    }
    advance(249 * MS).await;
    assert_eq!(rate.check("a").unwrap_err().after, MS);
    advance(MS).await;
    assert_eq!(rate.delay("a"), Duration::ZERO);
    rate.check("a").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_is_its_text_and_has_a_quota_of_its_own() {
    let rate = rate(RateOptions::per_second(1));
    rate.check(&7_u64).unwrap();
    assert!(rate.check("7").is_err());
    assert!(rate.check(&'7').is_err() && rate.check(&format_args!("{}", 7)).is_err());
    rate.check("8").unwrap();
    let long = "x".repeat(10_000);
    rate.check(&long).unwrap();
    assert!(rate.check(&long).is_err());
    rate.check("").unwrap();
    assert!(rate.check("").is_err(), "no text is a text too");
}

#[tokio::test(start_paused = true)]
async fn a_thousand_waiters_start_at_the_rate_and_never_faster() {
    let rate = rate(RateOptions::per_second(1_000).burst(1));
    let start = Instant::now();
    let waiters: Vec<_> = (0..2_000_u32)
        .map(|number| {
            let rate = rate.clone();
            Handle::current().spawn(async move {
                rate.until_ready(&(number % 2)).await;
                Instant::now()
            })
        })
        .collect();
    let mut times = Vec::new();
    for waiter in waiters {
        times.push(waiter.await.unwrap().duration_since(start).as_millis());
    }
    let of_even: Vec<_> = times.iter().step_by(2).copied().collect();
    assert_eq!(of_even, (0..1_000).collect::<Vec<_>>());
    assert_eq!(rate.stats().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn a_future_that_was_not_polled_saves_no_start_up() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    let mut asleep: Vec<_> = (0..20).map(|_| Box::pin(rate.until_ready("a"))).collect();
    for future in &mut asleep {
        assert!(!is_ready(future.as_mut()).await);
    }
    // Long enough for all of them, and nobody looks.
    tokio::time::sleep(Duration::from_secs(10)).await;
    let mut ready = 0;
    for future in &mut asleep {
        ready += usize::from(is_ready(future.as_mut()).await);
    }
    assert_eq!(ready, 1, "one at once, as the burst says");
}

/// Polls once; says whether it is done.
async fn is_ready(mut future: std::pin::Pin<&mut impl Future<Output = ()>>) -> bool {
    std::future::poll_fn(|context| std::task::Poll::Ready(future.as_mut().poll(context).is_ready())).await
}

#[tokio::test(start_paused = true)]
async fn slow_quotas_and_large_figures_are_kept_to() {
    let year = Duration::from_secs(365 * 24 * 3_600);
    let rate = rate(RateOptions::new().starts(1).period(99 * year).burst(u32::MAX));
    for _ in 0..1_000 {
        rate.check("a").unwrap();
    }
    let rate = self::rate(RateOptions::new().starts(1).period(99 * year));
    rate.check("a").unwrap();
    assert_eq!(rate.check("a").unwrap_err().after, 99 * year);
    let rate = self::rate(RateOptions::new().starts(u32::MAX).period(Duration::from_nanos(1)));
    for _ in 0..1_000 {
        rate.check("a").unwrap();
    }
}

#[test]
fn a_handle_can_be_shared_and_its_futures_sent() {
    fn shared<T: Send + Sync + Clone + std::fmt::Debug>(_: &T) {}
    fn sent<T: Send>(_: T) {}
    let rate = rate(RateOptions::default());
    shared(&rate);
    sent(rate.until_ready("a"));
    assert_eq!(rate.name(), "api");
    assert!(format!("{rate:?}").starts_with(r#"AdaptiveRate { name: "api", keys: 0, waiting: 0"#));
}

#[test]
fn a_check_needs_no_runtime() {
    let rate = rate(RateOptions::per_second(1));
    rate.check("a").unwrap();
    assert!(rate.check("a").is_err());
}
