//! Keys, wakers and clocks that do what they like.

use std::fmt;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use dayfly_adaptive_rate::{AdaptiveRate, RateOptions};
use dayfly_signal::SignalSink;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep};

const MS: Duration = Duration::from_millis(1);

fn rate(options: RateOptions) -> AdaptiveRate {
    AdaptiveRate::new("api", options, &SignalSink::default())
}

struct Text<F>(F);

impl<F: Fn(&mut fmt::Formatter<'_>) -> fmt::Result> fmt::Display for Text<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0(f)
    }
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_text_panics_changes_nothing() {
    let rate = rate(RateOptions::per_second(1));
    let key = Text(|_: &mut fmt::Formatter<'_>| panic!("it has no text"));
    assert!(catch_unwind(AssertUnwindSafe(|| rate.check(&key))).is_err());
    assert!(catch_unwind(AssertUnwindSafe(|| rate.retry_after(&key, MS))).is_err());
    assert_eq!(rate.stats(), dayfly_adaptive_rate::RateStats::default());
    rate.check("a").unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_key_whose_text_uses_the_rate_and_one_that_gives_up_are_keys() {
    let rate = rate(RateOptions::per_second(1));
    let of_text = rate.clone();
    let key = Text(move |f: &mut fmt::Formatter<'_>| {
        let _ = of_text.check("inner");
        f.write_str("outer")
    });
    rate.check(&key).unwrap();
    assert!(rate.check("outer").is_err() && rate.check("inner").is_err());
    let gives_up = Text(|f: &mut fmt::Formatter<'_>| f.write_str("half").and(Err(fmt::Error)));
    rate.check(&gives_up).unwrap();
    assert!(rate.check("half").is_err());
}

struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("this waker panics")
    }
}

#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_keeps_nobody_from_its_turn() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    rate.check("b").unwrap();
    let start = Instant::now();
    let bomb = Waker::from(Arc::new(Bomb));
    let mut first = pin!(rate.until_ready("a"));
    assert!(first.as_mut().poll(&mut Context::from_waker(&bomb)).is_pending());
    let mut other = pin!(rate.until_ready("b"));
    assert!(poll_fn(|context| Poll::Ready(other.as_mut().poll(context).is_pending())).await);
    other.await;
    assert_eq!(start.elapsed(), 100 * MS);
    rate.until_ready("a").await;
    assert_eq!(start.elapsed(), 110 * MS, "who does not come is passed over");
}

#[tokio::test(start_paused = true)]
async fn a_future_that_moves_to_another_task_is_woken_there() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    let mut waits = Box::pin({
        let rate = rate.clone();
        async move { rate.until_ready("a").await }
    });
    assert!(waits.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    Handle::current().spawn(waits).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_waiters_of_ten_thousand_keys_start_together() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    let start = Instant::now();
    let tasks: Vec<_> = (0..20_000_u32)
        .map(|number| {
            let rate = rate.clone();
            Handle::current().spawn(async move { rate.until_ready(&(number % 10_000)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(start.elapsed(), 100 * MS);
    assert_eq!((rate.stats().keys, rate.stats().waiting), (10_000, 0));
}

#[tokio::test]
async fn a_task_that_never_waits_lets_others_run() {
    let rate = rate(RateOptions::per_second(u32::MAX));
    let busy = Handle::current().spawn(async move {
        loop {
            rate.until_ready("a").await;
        }
    });
    // On one thread this comes back only if the other task steps aside.
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    busy.abort();
    assert!(busy.await.unwrap_err().is_cancelled());
}

#[test]
#[should_panic(expected = "starts must be at least 1")]
fn a_rate_without_starts_is_a_programmers_error() {
    let _ = RateOptions::per_second(0);
}

#[test]
#[should_panic(expected = "period must be longer than zero")]
fn so_is_one_without_a_period() {
    let _ = RateOptions::new().period(Duration::ZERO);
}

#[test]
#[should_panic(expected = "period must be shorter than 100 years")]
fn so_is_one_whose_period_never_ends() {
    let _ = RateOptions::new().period(Duration::MAX);
}

#[test]
#[should_panic(expected = "burst must be at least 1")]
fn so_is_one_without_a_burst() {
    let _ = RateOptions::new().burst(0);
}

#[test]
#[should_panic(expected = "max_keys must be at least 1")]
fn so_is_one_without_keys() {
    let _ = RateOptions::new().max_keys(0);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_done_while_nobody_waits() {
    let rate = rate(RateOptions::per_second(10).burst(1));
    rate.check("a").unwrap();
    let metrics = Handle::current().metrics();
    assert_eq!(metrics.num_alive_tasks(), 0, "there is no task");
    sleep(Duration::from_secs(1)).await;
    rate.check("a").unwrap();
}
