//! Who is next, and who is passed over.

use std::future::poll_fn;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::SignalSink;
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout};

const MS: Duration = Duration::from_millis(1);

fn rate(options: RateOptions) -> AdaptiveRate {
    AdaptiveRate::new("api", options, &SignalSink::default())
}

#[tokio::test(start_paused = true)]
async fn first_come_first_served_and_nobody_slips_in() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    let order = Arc::new(Mutex::new(Vec::new()));
    let waiters: Vec<_> = (0..50)
        .map(|number| {
            let (rate, order) = (rate.clone(), order.clone());
            Handle::current().spawn(async move {
                rate.until_ready("a").await;
                order.lock().unwrap().push(number);
            })
        })
        .collect();
    settle().await;
    // Whoever comes now would be the 51st.
    assert_eq!(rate.check("a").unwrap_err().after, 5_100 * MS);
    for waiter in waiters {
        assert!(rate.check("a").is_err() || order.lock().unwrap().len() == 50);
        waiter.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..50).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn a_future_that_is_not_polled_is_passed_over_and_keeps_its_place() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    let start = Instant::now();
    let mut asleep = Box::pin(rate.until_ready("a"));
    let mut deeply = Box::pin(rate.until_ready("a"));
    for future in [&mut asleep, &mut deeply] {
        assert!(poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await);
    }
    rate.until_ready("a").await;
    assert_eq!(start.elapsed(), 110 * MS, "both were passed over in one round of 10 ms");
    let next = Handle::current().spawn({
        let rate = rate.clone();
        async move { rate.until_ready("a").await }
    });
    settle().await;
    asleep.await;
    assert_eq!(start.elapsed(), 210 * MS, "it was before who came later");
    next.await.unwrap();
    // Nobody else stands in line, so nobody is in its way.
    sleep(100 * MS).await;
    rate.check("a").unwrap();
    drop(deeply);
    assert_eq!(rate.stats().waiting, 0);
}

/// futurelock: one branch of a `select!` waits, while the other needs a start of the same key.
#[tokio::test(start_paused = true)]
async fn a_branch_that_is_not_looked_at_does_not_lock_the_other() {
    let rate = rate(RateOptions::per_second(1));
    rate.check("a").unwrap();
    let mut waits = Box::pin(rate.until_ready("a"));
    tokio::select! {
        biased;
        () = &mut waits => unreachable!("it takes a second"),
        () = sleep(500 * MS) => {
            // The other is there yet, and nobody polls it.
            timeout(2_000 * MS, rate.until_ready("a")).await.unwrap();
        }
    }
    waits.await;
}

#[tokio::test(start_paused = true)]
async fn a_thousand_sleepers_in_front_are_passed_over_in_a_few_rounds() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    let mut asleep: Vec<_> = (0..1_000).map(|_| Box::pin(rate.until_ready("a"))).collect();
    for future in &mut asleep {
        assert!(poll_fn(|context| Poll::Ready(future.as_mut().poll(context).is_pending())).await);
    }
    let start = Instant::now();
    rate.until_ready("a").await;
    assert!(start.elapsed() <= 250 * MS, "{:?}", start.elapsed());
    drop(asleep);
    assert_eq!(rate.stats().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn keys_do_not_hold_up_each_other() {
    let rate = rate(RateOptions::per_minute(1));
    rate.check("slow").unwrap();
    let waiter = Handle::current().spawn({
        let rate = rate.clone();
        async move { rate.until_ready("slow").await }
    });
    settle().await;
    let start = Instant::now();
    rate.until_ready("other").await;
    assert_eq!(start.elapsed(), Duration::ZERO);
    waiter.await.unwrap();
    assert_eq!(start.elapsed(), Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn who_is_dropped_when_it_was_woken_leaves_its_start_to_the_next() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    let start = Instant::now();
    let mut first = Box::pin(rate.until_ready("a"));
    assert!(poll_fn(|context| Poll::Ready(first.as_mut().poll(context).is_pending())).await);
    let second = Handle::current().spawn({
        let rate = rate.clone();
        async move { rate.until_ready("a").await }
    });
    sleep(100 * MS).await;
    drop(first);
    second.await.unwrap();
    assert_eq!(start.elapsed(), 100 * MS);
}
