//! What the classifier says, and what comes of it.

use std::future::ready;
use std::time::Duration;

use dayfly_retry::{Backoff, GaveUp, Jitter, Retry, RetryOptions, Verdict};
use tokio::time::Instant;

use crate::support::{Attempts, PLAIN, seconds};

#[tokio::test(start_paused = true)]
async fn what_is_not_retryable_is_given_up_at_once() {
    let retry = Retry::new(PLAIN, |error: &&str| *error == "busy");
    let attempt = |number| ready(Err::<(), _>(if number == 1 { "busy" } else { "declined" }));
    let start = Instant::now();
    let given_up = retry.call(attempt).await.unwrap_err();
    assert_eq!((given_up.why, given_up.attempts), (GaveUp::NotRetryable, 2));
    assert_eq!(given_up.error, Some("declined"));
    assert_eq!(start.elapsed(), seconds(1));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_wins_over_the_schedule_within_the_cap() {
    let backoff = Backoff::constant(seconds(10)).jitter(Jitter::Full).cap(seconds(30));
    let retry = Retry::new(RetryOptions::new().attempts(6).backoff(backoff), |wait: &Duration| {
        Verdict::RetryAfter(*wait)
    });
    let waits = [seconds(2), seconds(0), seconds(30), seconds(31), Duration::MAX];
    let attempts = Attempts::default();
    let attempt = |number: u32| {
        attempts.note();
        let at = usize::try_from(number).unwrap() - 1;
        ready(waits.get(at).map_or(Ok(()), |wait| Err(*wait)))
    };
    retry.call(attempt).await.unwrap();
    assert_eq!(attempts.delays(), [seconds(2), seconds(0), seconds(30), seconds(30), seconds(30)]);
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_leaves_the_schedule_where_it_is() {
    let options = RetryOptions::new().attempts(4).backoff(Backoff::linear(seconds(1)));
    let retry = Retry::new(
        options,
        |asks: &bool| if *asks { Verdict::RetryAfter(seconds(7)) } else { Verdict::Retry },
    );
    let attempts = Attempts::default();
    let ended = retry.call(|number| {
        attempts.note();
        ready(Err::<(), _>(number == 2))
    });
    assert!(ended.await.is_err());
    assert_eq!(attempts.delays(), [seconds(1), seconds(7), seconds(3)]);
}

#[tokio::test(start_paused = true)]
async fn attempts_bound_what_asks_to_be_tried_again() {
    let retry = Retry::new(PLAIN, |(): &()| Verdict::RetryAfter(Duration::ZERO));
    let given_up = retry.call(|_| ready(Err::<(), _>(()))).await.unwrap_err();
    assert_eq!((given_up.why, given_up.attempts), (GaveUp::AttemptsExhausted, 3));
}
