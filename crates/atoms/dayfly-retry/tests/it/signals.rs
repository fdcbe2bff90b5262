//! What a retrier tells, and in whose name.

use std::future::{pending, ready};

use dayfly::{Signal, SignalSink};
use dayfly_retry::{Retry, RetryBudget, RetryBudgetOptions};

use crate::support::{PLAIN, ended, seconds};

fn told(signals: &SignalSink) -> Vec<(String, Option<String>)> {
    let told = |signal: &Signal| (signal.name().to_owned(), signal.payload().map(str::to_owned));
    signals.history("*").iter().map(told).collect()
}

fn some(name: &str, payload: &str) -> (String, Option<String>) {
    (name.to_owned(), Some(payload.to_owned()))
}

#[tokio::test(start_paused = true)]
async fn attempts_and_their_end_are_told_under_the_name() {
    let signals = SignalSink::default();
    let retry = Retry::on_every_error(PLAIN).named("bank", &signals);
    assert!(retry.call(|_| ready(Err::<(), _>("down"))).await.is_err());
    let expected = [
        some("retry.attempt.bank", "2"),
        some("retry.attempt.bank", "3"),
        some("retry.exhausted.bank", "attempts"),
    ];
    assert_eq!(told(&signals), expected);
    assert!(signals.is_raised("retry.exhausted.bank"), "work can be deferred on it");
}

#[tokio::test(start_paused = true)]
async fn what_was_used_up_is_told_and_what_was_not_worth_it_is_not() {
    let signals = SignalSink::default();
    let none = RetryBudget::new(RetryBudgetOptions::new().share(0.0).min_per_second(0));
    let poor = Retry::on_every_error(PLAIN).budget(&none).named("a", &signals);
    let late = Retry::on_every_error(PLAIN.total_timeout(seconds(1))).named("a", &signals);
    let refused = Retry::new(PLAIN, |_: &&str| false).named("a", &signals);
    for retry in [poor, late.clone(), refused] {
        assert!(retry.call(|_| ready(Err::<(), _>("down"))).await.is_err());
    }
    assert!(ended(late.call(|_| pending::<Result<(), _>>())).await.is_err());
    let expected = ["budget", "time", "time"].map(|what| some("retry.exhausted.a", what));
    assert_eq!(told(&signals), expected);
}

#[tokio::test(start_paused = true)]
async fn success_and_nameless_retriers_tell_nothing() {
    let signals = SignalSink::default();
    let retry = Retry::<&str>::on_every_error(PLAIN);
    assert!(retry.call(|_| ready(Err::<(), _>("down"))).await.is_err());
    let named = retry.named("bank", &signals);
    assert_eq!(named.call(|_| ready(Ok(()))).await, Ok(()));
    assert!(signals.is_empty());
}

#[tokio::test(start_paused = true)]
async fn however_much_is_told_it_is_two_names() {
    let signals = SignalSink::default();
    let retry = Retry::on_every_error(PLAIN).named("bank", &signals);
    for _ in 0..100 {
        assert!(retry.call(|_| ready(Err::<(), _>("down"))).await.is_err());
    }
    assert_eq!(signals.state("retry.*").len(), 2);
}
