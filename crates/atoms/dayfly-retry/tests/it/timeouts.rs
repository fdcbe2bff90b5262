//! How long an attempt and a call may take.

use std::future::{pending, ready};
use std::time::Duration;

use dayfly_retry::{Backoff, GaveUp, Retry, RetryOptions, Verdict};
use tokio::time::{Instant, sleep};

use crate::support::{Attempts, PLAIN, ended, seconds};

#[tokio::test(start_paused = true)]
async fn an_attempt_that_takes_too_long_is_dropped_and_tried_again() {
    let retry = Retry::<&str>::on_every_error(PLAIN.attempt_timeout(seconds(5)));
    let attempts = Attempts::default();
    let call = retry.call(|number| {
        attempts.note();
        async move {
            if number < 3 {
                pending::<()>().await;
            }
            Ok(number)
        }
    });
    assert_eq!(ended(call).await, Ok(3));
    assert_eq!(attempts.delays(), [seconds(6); 2]);
}

#[tokio::test(start_paused = true)]
async fn the_classifier_of_timeouts_has_the_say_and_hears_which_attempt_it_was() {
    let retry =
        Retry::<&str>::on_every_error(PLAIN.attempt_timeout(seconds(5))).classify_timeouts(|attempt| {
            if attempt == 1 { Verdict::RetryAfter(seconds(9)) } else { Verdict::Stop }
        });
    let start = Instant::now();
    let given_up = ended(retry.call(|_| pending::<Result<(), _>>())).await.unwrap_err();
    assert_eq!((given_up.why, given_up.attempts), (GaveUp::NotRetryable, 2));
    assert_eq!((given_up.timed_out, given_up.error), (true, None));
    assert_eq!(start.elapsed(), seconds(5 + 9 + 5));
}

#[tokio::test(start_paused = true)]
async fn an_error_is_not_forgotten_when_the_last_attempt_times_out() {
    let retry = Retry::on_every_error(PLAIN.attempts(2).attempt_timeout(seconds(5)));
    let call = retry.call(|number| async move {
        if number == 2 {
            pending::<()>().await;
        }
        Err::<(), _>("refused")
    });
    let given_up = ended(call).await.unwrap_err();
    assert_eq!((given_up.why, given_up.timed_out), (GaveUp::AttemptsExhausted, true));
    assert_eq!(given_up.error, Some("refused"));
    assert_eq!(given_up.to_string(), "gave up after attempt 2, which timed out: no attempts left");
}

#[tokio::test(start_paused = true)]
async fn nobody_sleeps_beyond_the_total_timeout_or_in_vain() {
    for (total, attempts, elapsed) in [
        // The third attempt would begin at its very end.
        (seconds(2), 2, seconds(1)),
        (seconds(2) + Duration::from_millis(1), 3, seconds(2)),
        (Duration::from_millis(999), 1, seconds(0)),
    ] {
        let retry = Retry::on_every_error(PLAIN.attempts(10).total_timeout(total));
        let start = Instant::now();
        let given_up = retry.call(|_| ready(Err::<(), _>("down"))).await.unwrap_err();
        assert_eq!((given_up.why, given_up.attempts), (GaveUp::DeadlineExceeded, attempts), "{total:?}");
        assert_eq!((given_up.error, given_up.timed_out), (Some("down"), false));
        assert_eq!(start.elapsed(), elapsed, "{total:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_total_timeout_ends_the_attempt_that_is_under_way() {
    let options = PLAIN.attempts(1).total_timeout(seconds(7)).attempt_timeout(seconds(60));
    let retry = Retry::<&str>::on_every_error(options).classify_timeouts(|_| -> Verdict { unreachable!() });
    let start = Instant::now();
    let given_up = ended(retry.call(|_| pending::<Result<(), _>>())).await.unwrap_err();
    assert_eq!((given_up.why, given_up.attempts), (GaveUp::DeadlineExceeded, 1));
    assert!(given_up.timed_out);
    assert_eq!(start.elapsed(), seconds(7));
}

#[tokio::test(start_paused = true)]
async fn slow_attempts_use_the_total_timeout_up() {
    let retry = Retry::on_every_error(PLAIN.attempts(100).total_timeout(seconds(10)));
    let start = Instant::now();
    let call = retry.call(|_| async {
        sleep(seconds(3)).await;
        Err::<(), _>("slow")
    });
    let given_up = ended(call).await.unwrap_err();
    // 3 and 1 and 3 and 1, and the third attempt is cut short at 10.
    assert_eq!((given_up.why, given_up.attempts, given_up.timed_out), (GaveUp::DeadlineExceeded, 3, true));
    assert_eq!(start.elapsed(), seconds(10));
}

#[tokio::test(start_paused = true)]
async fn a_retry_after_beyond_the_time_that_is_left_is_given_up_at_once() {
    let options = PLAIN.backoff(Backoff::constant(seconds(0)).cap(seconds(60))).total_timeout(seconds(10));
    let retry = Retry::new(options, |_: &&str| Verdict::RetryAfter(seconds(11)));
    let start = Instant::now();
    let given_up = retry.call(|_| ready(Err::<(), _>("busy"))).await.unwrap_err();
    assert_eq!((given_up.why, start.elapsed()), (GaveUp::DeadlineExceeded, seconds(0)));
}

#[tokio::test(start_paused = true)]
async fn timeouts_beyond_the_clock_are_no_panic() {
    let options = RetryOptions::new().attempt_timeout(Duration::MAX).total_timeout(Duration::MAX);
    let retry = Retry::on_every_error(options.backoff(Backoff::constant(seconds(1))));
    let given_up = retry.call(|_| ready(Err::<(), _>("down"))).await.unwrap_err();
    assert_eq!(given_up.why, GaveUp::AttemptsExhausted);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_is_ready_at_its_end_has_succeeded() {
    let retry = Retry::<&str>::on_every_error(PLAIN.attempt_timeout(seconds(5)));
    let attempt = |_| async {
        sleep(seconds(5)).await;
        Ok(())
    };
    assert_eq!(retry.call(attempt).await, Ok(()));
}
