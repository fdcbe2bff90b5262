//! Coordinators that defer on a pause: what the relay does with the Retry-After of an answer.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation};
use dayfly_adaptive_rate::{AdaptiveRate, RateOptions, RetryAfter};
use dayfly_signal::SignalSink;
use tokio::time::Instant;

type Starts = Arc<Mutex<Vec<(&'static str, u128)>>>;

fn times(starts: &Starts, key: &str) -> Vec<u128> {
    let starts = starts.lock().unwrap();
    starts.iter().filter(|(of, _)| *of == key).map(|(_, at)| *at).collect()
}

#[tokio::test(start_paused = true)]
async fn a_paused_endpoint_is_not_started_while_others_go_on() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("relay", RateOptions::per_second(10), &signals);
    let (begin, starts) = (Instant::now(), Starts::default());
    let (of_body, starts_of_body) = (rate.clone(), starts.clone());
    let work = KeyedCoordinator::spawn(
        CoordinatorOptions::new().defer_on("rate.limited.relay"),
        &signals,
        |item: &(&'static str, u32)| item.0,
        move |(key, number): (&'static str, u32), _op: Operation| {
            let (rate, starts) = (of_body.clone(), starts_of_body.clone());
            async move {
                rate.until_ready(key).await;
                starts.lock().unwrap().push((key, begin.elapsed().as_millis()));
                if (key, number) == ("slow", 0) {
                    rate.retry_after(key, Duration::from_secs(2));
                }
            }
        },
    );
    for number in 0..3 {
        work.enqueue(("slow", number)).await.unwrap();
        work.enqueue(("quick", number)).await.unwrap();
    }
    let report = work.drain().await;
    assert_eq!(report.completed, 6);
    assert_eq!(times(&starts, "quick"), [0, 0, 0]);
    assert_eq!(times(&starts, "slow"), [0, 2_000, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_refused_comes_again_when_it_was_told() {
    let signals = SignalSink::default();
    let rate = AdaptiveRate::new("relay", RateOptions::per_second(2).burst(1), &signals);
    let (begin, starts) = (Instant::now(), Starts::default());
    let starts_of_body = starts.clone();
    let work = KeyedCoordinator::spawn(
        CoordinatorOptions::new().max_concurrency(1),
        &signals,
        |key: &&'static str| *key,
        move |key: &'static str, op: Operation| {
            let (rate, starts) = (rate.clone(), starts_of_body.clone());
            async move {
                if let Err(RetryAfter { after, .. }) = rate.check(key) {
                    return op.again(key, after);
                }
                starts.lock().unwrap().push((key, begin.elapsed().as_millis()));
                if false { op.fail("an error") } else { op.done() }
            }
        },
    );
    for key in ["a", "a", "a", "b"] {
        work.enqueue(key).await.unwrap();
    }
    assert_eq!(work.drain().await.completed, 4);
    assert_eq!((times(&starts, "a"), times(&starts, "b")), (vec![0, 500, 1_000], vec![0]));
}
