//! How many attempts there are, and what is left of them.

use std::error::Error;
use std::future::ready;

use dayfly_retry::{Backoff, GaveUp, Retry, RetryError, RetryOptions};
use tokio::time::Instant;

use crate::support::{Attempts, PLAIN, seconds};

#[tokio::test(start_paused = true)]
async fn three_attempts_that_fail_are_three_calls_one_failure_and_two_delays() {
    let backoff = Backoff::exponential(seconds(1));
    let retry = Retry::on_every_error(RetryOptions::new().attempts(3).backoff(backoff));
    let attempts = Attempts::default();
    let given_up = retry.call(|number| {
        attempts.note();
        ready(Err::<(), _>(number))
    });
    let given_up = given_up.await.unwrap_err();
    assert_eq!((given_up.why, given_up.attempts), (GaveUp::AttemptsExhausted, 3));
    assert_eq!(
        (given_up.error, given_up.timed_out),
        (Some(3), false),
        "the last error, and the third attempt's"
    );
    assert_eq!(attempts.delays(), [backoff.delay(1, 0), backoff.delay(2, 0)]);
}

#[tokio::test(start_paused = true)]
async fn success_ends_it_whichever_attempt_it_is() {
    let retry = Retry::on_every_error(PLAIN);
    for succeeds in 1..=3 {
        let start = Instant::now();
        let attempt = |number| ready(if number < succeeds { Err("not yet") } else { Ok(number) });
        assert_eq!(retry.call(attempt).await, Ok(succeeds));
        assert_eq!(start.elapsed(), seconds(u64::from(succeeds) - 1));
    }
}

#[tokio::test(start_paused = true)]
async fn one_attempt_is_never_tried_again() {
    let retry = Retry::on_every_error(PLAIN.attempts(1));
    let start = Instant::now();
    let given_up = retry.call(|_| ready(Err::<(), _>("no"))).await.unwrap_err();
    assert_eq!((given_up.attempts, start.elapsed()), (1, seconds(0)));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_may_borrow_and_change_what_is_around_it() {
    let retry = Retry::<String>::on_every_error(PLAIN);
    let text = String::from("lent");
    let mut lengths = Vec::new();
    let ended = retry.call(|_| {
        lengths.push(text.len());
        async { if text.is_empty() { Ok(()) } else { Err(text.clone()) } }
    });
    assert_eq!(ended.await.unwrap_err().into_error().as_deref(), Some("lent"));
    assert_eq!(lengths, [4; 3]);
}

#[tokio::test]
async fn a_call_that_fails_again_and_again_without_delay_lets_others_run() {
    let endless = RetryOptions::new().attempts(100_000).backoff(Backoff::constant(seconds(0)));
    let retry = Retry::on_every_error(endless);
    let call = retry.call(|_| ready(Err::<(), _>("no")));
    let other = async { tokio::task::yield_now().await };
    tokio::select! {
        biased;
        ended = call => panic!("{ended:?}"),
        () = other => {}
    }
}

#[tokio::test(start_paused = true)]
async fn an_error_says_why_and_leads_to_its_cause() {
    let retry = Retry::on_every_error(PLAIN.attempts(2));
    let lost = || std::io::Error::other("the line is cut");
    let given_up: RetryError<std::io::Error> = retry.call(|_| ready(Err::<(), _>(lost()))).await.unwrap_err();
    assert_eq!(given_up.to_string(), "gave up after attempt 2: no attempts left");
    assert_eq!(given_up.source().unwrap().to_string(), "the line is cut");
}

#[test]
fn everything_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>(value: T) -> T {
        value
    }
    shared::<Retry<std::io::Error>>();
    shared::<Retry<std::cell::Cell<u8>>>();
    shared::<RetryError<String>>();
    shared::<(dayfly_retry::RetryBudget, Backoff, dayfly_retry::Delays, RetryOptions)>();
    let retry = Retry::<String>::on_every_error(PLAIN);
    drop(sent(retry.call(|_| ready(Ok::<_, String>(())))));
}

#[test]
fn debug_shows_the_options_and_never_needs_the_error_to() {
    struct Plain;
    let shown = format!("{:?}", Retry::<Plain>::on_every_error(PLAIN));
    assert!(shown.contains("attempts: 3"), "{shown}");
}
