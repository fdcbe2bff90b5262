//! Calls that somebody else makes, attempt by attempt.

use dayfly_retry::{
    Attempts, Backoff, GaveUp, Jitter, NextAttempt, Retry, RetryBudget, RetryBudgetOptions, RetryOptions,
};
use tokio::time::{Duration, Instant};

use crate::support::{PLAIN, seconds};

fn after(
    retry: &Retry<&str>,
    attempts: &mut Attempts,
    left: Option<Duration>,
) -> Result<NextAttempt, GaveUp> {
    retry.after(attempts, &"down", left)
}

#[tokio::test(start_paused = true)]
async fn the_steps_are_those_of_a_call() {
    let options =
        RetryOptions::new().attempts(4).seed(7).backoff(Backoff::linear(seconds(1)).jitter(Jitter::Full));
    let start = Instant::now();
    Retry::on_every_error(options.clone()).call(|_| async { Err::<(), _>("down") }).await.unwrap_err();
    let in_one = start.elapsed();

    let retry = Retry::on_every_error(options);
    let (start, mut attempts) = (Instant::now(), retry.begin());
    let why = loop {
        match after(&retry, &mut attempts, None) {
            Ok(next) => {
                tokio::time::sleep(next.delay()).await;
                next.begin(&mut attempts);
            }
            Err(why) => break why,
        }
    };
    assert_eq!((why, attempts.number(), start.elapsed()), (GaveUp::AttemptsExhausted, 4, in_one));
}

#[test]
fn a_step_that_would_come_too_late_is_none() {
    let retry = Retry::on_every_error(PLAIN);
    let mut attempts = retry.begin();
    let delay = after(&retry, &mut attempts, None).unwrap().delay();
    assert_eq!(after(&retry, &mut attempts, Some(delay)).unwrap_err(), GaveUp::DeadlineExceeded);
    assert!(after(&retry, &mut attempts, Some(delay + Duration::from_millis(1))).is_ok());
}

#[test]
fn a_step_that_is_not_taken_goes_back_into_the_budget() {
    let budget = RetryBudget::new(RetryBudgetOptions::new().share(1.0).min_per_second(0));
    let retry = Retry::on_every_error(PLAIN.attempts(9)).budget(&budget);
    let mut attempts = retry.begin();
    assert_eq!(budget.balance(), 1, "the call is counted");
    let next = after(&retry, &mut attempts, None).unwrap();
    assert_eq!(budget.balance(), 0);
    assert_eq!(after(&retry, &mut attempts, None).unwrap_err(), GaveUp::BudgetExhausted);
    drop(next);
    assert_eq!((budget.balance(), attempts.number()), (1, 1));
    after(&retry, &mut attempts, None).unwrap().begin(&mut attempts);
    assert_eq!((budget.balance(), attempts.number()), (0, 2));
}
