//! Options that change while there is work.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::time::{Instant, advance};

const MS: Duration = Duration::from_millis(1);

fn rate(options: RateOptions) -> AdaptiveRate {
    AdaptiveRate::new("api", options, &SignalSink::default())
}

#[tokio::test(start_paused = true)]
async fn a_higher_rate_wakes_who_waits_and_a_lower_one_delays_it() {
    let rate = rate(RateOptions::per_minute(1));
    rate.check("a").unwrap();
    let start = Instant::now();
    let waiters: Vec<_> = (0..3)
        .map(|_| {
            let rate = rate.clone();
            Handle::current().spawn(async move {
                rate.until_ready("a").await;
                start.elapsed().as_millis()
            })
        })
        .collect();
    settle().await;
    rate.reconfigure(&RateOptions::per_second(10).burst(1)).unwrap();
    advance(100 * MS).await;
    settle().await;
    assert_eq!(rate.stats().waiting, 2);
    rate.reconfigure(&RateOptions::per_second(1)).unwrap();
    let mut times = Vec::new();
    for waiter in waiters {
        times.push(waiter.await.unwrap());
    }
    assert_eq!(times, [100, 1_100, 2_100]);
}

#[tokio::test(start_paused = true)]
async fn what_is_owed_stays_owed_but_never_more_than_the_new_burst() {
    let rate = rate(RateOptions::per_second(100).burst(50));
    for _ in 0..50 {
        rate.check("a").unwrap();
    }
    rate.reconfigure(&RateOptions::per_minute(1)).unwrap();
    assert_eq!(rate.delay("a"), Duration::from_secs(60));
    assert_eq!(rate.delay("b"), Duration::ZERO);
    rate.reconfigure(&RateOptions::per_second(100).burst(50)).unwrap();
    assert_eq!(rate.delay("a"), Duration::ZERO);
    for _ in 0..49 {
        rate.check("a").unwrap();
    }
    assert_eq!(rate.delay("a"), 10 * MS, "the one start that was owed");
}

#[tokio::test(start_paused = true)]
async fn options_are_followed_but_for_the_signals_that_are_obeyed() {
    let rate = rate(RateOptions::new());
    let next = RateOptions::per_minute(7).burst(3).max_keys(9).max_pause(20 * MS);
    Reconfigure::check(&rate, &next).unwrap();
    assert_eq!(rate.options(), RateOptions::new());
    rate.reconfigure(&next).unwrap();
    assert_eq!(rate.options(), next);
    let fixed = rate.reconfigure(&RateOptions::new().pause_on("other")).unwrap_err();
    assert_eq!(fixed.to_string(), "pause_on holds from the start on and cannot be changed");
    assert_eq!(rate.options(), next, "nothing was changed");
    rate.reconfigure(&next.clone().pause_on("rate-limit")).unwrap();
    rate.retry_all_after(Duration::from_secs(5));
    assert_eq!(rate.delay("a"), 20 * MS);
}

#[tokio::test(start_paused = true)]
async fn options_that_change_end_no_pause() {
    let rate = rate(RateOptions::new());
    rate.retry_all_after(Duration::from_secs(5));
    rate.retry_after("a", Duration::from_secs(6));
    rate.reconfigure(&RateOptions::per_second(1_000_000).max_pause(MS)).unwrap();
    assert_eq!((rate.delay("a").as_secs(), rate.delay("b").as_secs()), (6, 5));
}
