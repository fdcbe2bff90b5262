//! Delays that can be repeated, and delays that differ.

use std::future::ready;
use std::time::Duration;

use dayfly_retry::{Backoff, Jitter, Retry, RetryOptions};

use crate::support::{Attempts, seconds};

const SPREAD: Backoff = Backoff::exponential(seconds(10)).jitter(Jitter::Full).cap(seconds(1_000));

async fn delays_of(retry: &Retry<()>) -> Vec<u128> {
    let attempts = Attempts::default();
    let ended = retry.call(|_| {
        attempts.note();
        ready(Err::<(), _>(()))
    });
    assert!(ended.await.is_err());
    // Tokio's timers count whole milliseconds.
    attempts.delays().iter().map(Duration::as_millis).collect()
}

#[tokio::test(start_paused = true)]
async fn the_first_call_that_fails_has_the_delays_of_the_seed() {
    let retry = Retry::on_every_error(RetryOptions::new().attempts(8).backoff(SPREAD).seed(42));
    assert_eq!(retry.call(|_| ready(Ok(()))).await, Ok(()), "a call that succeeds draws nothing");
    let expected: Vec<Duration> = SPREAD.delays(42).take(7).collect();
    let delays = delays_of(&retry).await;
    for (delay, expected) in delays.iter().zip(&expected) {
        assert!(delay.abs_diff(expected.as_millis()) <= 1, "{delays:?} for {expected:?}");
    }
    assert_eq!(delays.len(), expected.len());
}

#[tokio::test(start_paused = true)]
async fn calls_are_spread_independently_of_each_other_and_repeat_with_their_seed() {
    let options = RetryOptions::new().attempts(5).backoff(SPREAD).seed(7);
    let (one, other) = (Retry::on_every_error(options.clone()), Retry::on_every_error(options));
    let first = [delays_of(&one).await, delays_of(&one).await];
    assert_ne!(first[0], first[1]);
    assert_ne!(first[0][1..], first[1][..3], "nor is one a shift of the other");
    assert_eq!([delays_of(&other).await, delays_of(&other).await], first);
}

#[tokio::test(start_paused = true)]
async fn without_a_seed_two_retriers_differ() {
    let options = RetryOptions::new().attempts(5).backoff(SPREAD);
    let (one, other) = (Retry::on_every_error(options.clone()), Retry::on_every_error(options));
    assert_ne!(delays_of(&one).await, delays_of(&other).await);
}
