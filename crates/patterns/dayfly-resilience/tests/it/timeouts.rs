//! Timeouts by themselves, and when their time begins.

use std::future::{pending, ready};

use dayfly_resilience::{CallError, Scope, Timeout};
use tokio::task::JoinSet;
use tokio::task::coop::consume_budget;
use tokio::time::{Instant, advance, sleep};

use crate::support::{PLAIN, pipeline, seconds, waits};

#[tokio::test(start_paused = true)]
async fn work_that_takes_too_long_is_dropped_and_what_is_done_in_time_is_kept() {
    let timeout = Timeout::per_attempt(seconds(2));
    let late = CallError::TimedOut { after: seconds(2), scope: Scope::Attempt };
    assert_eq!(timeout.call(pending::<Result<(), ()>>()).await, Err(late));
    let just_in_time = async {
        sleep(seconds(2)).await;
        Ok::<_, ()>(7)
    };
    assert_eq!(timeout.call(just_in_time).await, Ok(7), "what is done is never cut off");
    assert_eq!(timeout.call(ready(Err::<(), _>("no"))).await, Err(CallError::Inner("no")));
}

#[tokio::test(start_paused = true)]
async fn a_timeout_can_be_changed_for_calls_to_come() {
    let timeout = Timeout::total(seconds(2));
    let other = timeout.clone();
    let mut before = std::pin::pin!(timeout.call(pending::<Result<(), ()>>()));
    assert!(futures_util::poll!(before.as_mut()).is_pending());
    other.set(seconds(1));
    let start = Instant::now();
    timeout.call(pending::<Result<(), ()>>()).await.unwrap_err();
    assert_eq!(start.elapsed(), seconds(1));
    before.await.unwrap_err();
    assert_eq!((start.elapsed(), timeout.after()), (seconds(2), seconds(1)));
    assert_eq!(timeout.scope(), Scope::Total);
}

#[tokio::test(start_paused = true)]
async fn the_time_begins_when_there_is_something_to_wait_for() {
    let timeout = Timeout::total(seconds(2));
    let made = timeout.call(async {
        sleep(seconds(1)).await;
        Ok::<_, ()>(())
    });
    advance(seconds(60)).await;
    assert_eq!(made.await, Ok(()), "the minute before its first poll is not its own");
}

#[tokio::test(start_paused = true)]
async fn work_that_uses_up_the_budget_of_its_task_is_cut_off_all_the_same() {
    let bank = pipeline(PLAIN.attempt_timeout(seconds(1)));
    let mut time = JoinSet::new();
    time.spawn(async {
        loop {
            advance(seconds(1) / 100).await;
        }
    });
    // Always something to do, and never a pause but those that Tokio asks for.
    let start = Instant::now();
    let ended = bank.call(|_| async move {
        while start.elapsed() < seconds(5) {
            consume_budget().await;
        }
        Ok(())
    });
    assert_eq!(ended.await, Err(CallError::TimedOut { after: seconds(1), scope: Scope::Attempt }));
}

#[test]
fn what_never_waits_needs_no_runtime() {
    let options = PLAIN.attempts(3).total_timeout(seconds(2)).attempt_timeout(seconds(1)).max_concurrency(1);
    let bank = pipeline(options.breaker(crate::support::BREAKER));
    assert!(!waits(bank.call(|_| ready(Ok(())))));
    assert!(!waits(Timeout::total(seconds(1)).call(ready(Ok::<_, ()>(())))));
}

#[test]
#[should_panic(expected = "attempt_timeout must be longer than zero")]
fn an_attempt_without_any_time_is_refused() {
    let _ = Timeout::per_attempt(seconds(0));
}

#[test]
#[should_panic(expected = "total_timeout must be longer than zero")]
fn no_time_at_all_is_refused_later_too() {
    Timeout::total(seconds(1)).set(seconds(0));
}
