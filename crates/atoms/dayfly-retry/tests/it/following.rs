//! Options that change while calls are under way.

use std::future::{pending, ready};

use dayfly::Reconfigure;
use dayfly_retry::{Backoff, GaveUp, Retry, RetryOptions};
use tokio::time::Instant;

use crate::support::{Attempts, PLAIN, ended, seconds};

#[tokio::test(start_paused = true)]
async fn every_clone_follows_and_a_call_under_way_does_with_its_next_failure() {
    let retry = Retry::on_every_error(PLAIN.attempts(100));
    let clone = retry.clone();
    let attempts = Attempts::default();
    let call = retry.call(|number| {
        attempts.note();
        if number == 2 {
            let shorter = PLAIN.attempts(4).backoff(Backoff::constant(seconds(9)));
            assert_eq!(clone.check(&shorter), Ok(()));
            clone.reconfigure(&shorter).unwrap();
        }
        ready(Err::<(), _>("down"))
    });
    assert_eq!(ended(call).await.unwrap_err().attempts, 4);
    assert_eq!(attempts.delays(), [seconds(1), seconds(9), seconds(9)]);
    assert_eq!(retry.options(), PLAIN.attempts(4).backoff(Backoff::constant(seconds(9))));
}

#[tokio::test(start_paused = true)]
async fn timeouts_come_and_go() {
    let retry = Retry::<&str>::on_every_error(PLAIN);
    retry.reconfigure(&PLAIN.attempts(1).total_timeout(seconds(4))).unwrap();
    let start = Instant::now();
    assert!(ended(retry.call(|_| pending::<Result<(), _>>())).await.is_err());
    assert_eq!(start.elapsed(), seconds(4));
    retry.reconfigure(&PLAIN).unwrap();
    let slow = retry.call(|_| async {
        tokio::time::sleep(seconds(60)).await;
        Ok(())
    });
    assert_eq!(slow.await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn an_attempt_timeout_that_comes_with_a_failure_holds_for_the_next_attempt() {
    let retry = Retry::on_every_error(PLAIN);
    let start = Instant::now();
    let call = retry.call(|number| {
        let retry = retry.clone();
        async move {
            if number > 1 {
                pending::<()>().await;
            }
            retry.reconfigure(&PLAIN.attempts(2).attempt_timeout(seconds(5))).unwrap();
            Err::<(), _>("down")
        }
    });
    let given_up = ended(call).await.unwrap_err();
    assert_eq!((given_up.why, given_up.timed_out), (GaveUp::AttemptsExhausted, true));
    assert_eq!(start.elapsed(), seconds(1 + 5));
}

#[test]
fn wrong_values_break_their_rule_in_the_setter() {
    let broken: [fn() -> RetryOptions; 3] = [
        || RetryOptions::new().attempts(0),
        || RetryOptions::new().attempt_timeout(seconds(0)),
        || RetryOptions::new().total_timeout(seconds(0)),
    ];
    for wrong in broken {
        assert!(std::panic::catch_unwind(wrong).is_err());
    }
}
