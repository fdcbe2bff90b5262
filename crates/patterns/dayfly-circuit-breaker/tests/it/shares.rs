//! Shares of failed and of slow calls, over the last calls and over the last time.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker, Window};
use dayfly_signal::SignalSink;
use tokio::time::advance;

const SHARE: BreakerOptions = BreakerOptions::new()
    .without_failure_threshold()
    .failure_rate(0.5)
    .window(Window::Calls(10))
    .minimum_calls(4);

fn breaker(options: BreakerOptions) -> CircuitBreaker {
    CircuitBreaker::new("bank", options, &SignalSink::default())
}

fn calls(breaker: &CircuitBreaker, outcomes: &str) {
    for outcome in outcomes.chars() {
        let permit = breaker.try_acquire().unwrap();
        if outcome == 'f' { permit.failure() } else { permit.success() }
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_means_nothing_before_there_are_enough_calls() {
    let bank = breaker(SHARE);
    calls(&bank, "fff");
    assert_eq!(bank.state(), BreakerState::Closed);
    calls(&bank, "f");
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn exactly_the_share_opens_and_less_does_not() {
    let bank = breaker(SHARE);
    calls(&bank, "ssssffff");
    assert_eq!(bank.state(), BreakerState::Open);
    let bank = breaker(SHARE);
    calls(&bank, "ssssssffff");
    assert_eq!((bank.state(), bank.stats().calls, bank.stats().failed), (BreakerState::Closed, 10, 4));
}

#[tokio::test(start_paused = true)]
async fn what_has_left_the_window_of_calls_does_not_count() {
    let bank = breaker(SHARE);
    calls(&bank, "ssssssffff");
    calls(&bank, "ssssss");
    calls(&bank, "ssss");
    assert_eq!((bank.stats().calls, bank.stats().failed), (10, 0));
}

#[tokio::test(start_paused = true)]
async fn what_has_left_the_window_of_time_does_not_count() {
    let bank = breaker(SHARE.window(Window::Time(Duration::from_secs(10))));
    calls(&bank, "fff");
    advance(Duration::from_secs(11)).await;
    assert_eq!(bank.stats().calls, 0);
    calls(&bank, "fff");
    assert_eq!(bank.state(), BreakerState::Closed);
    advance(Duration::from_secs(5)).await;
    calls(&bank, "f");
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_window_smaller_than_the_minimum_is_enough_when_it_is_full() {
    let bank = breaker(SHARE.window(Window::Calls(2)).minimum_calls(20));
    calls(&bank, "ff");
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_slow_open_it_although_they_succeed() {
    let options = SHARE.without_failure_rate().slow_rate(0.5).slow_after(Duration::from_millis(100));
    let bank = breaker(options);
    for took in [100, 100, 101, 101] {
        let permit = bank.try_acquire().unwrap();
        advance(Duration::from_millis(took)).await;
        permit.success();
    }
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_period_begins_with_an_empty_window() {
    let bank = breaker(SHARE.open_for(Duration::from_secs(1)));
    calls(&bank, "ffff");
    advance(Duration::from_secs(1)).await;
    bank.try_acquire().unwrap().success();
    assert_eq!((bank.state(), bank.stats().calls), (BreakerState::Closed, 0));
    calls(&bank, "fff");
    assert_eq!(bank.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_late_call_is_not_in_the_window_of_a_later_period() {
    let bank = breaker(SHARE);
    let late = bank.try_acquire_owned().unwrap();
    bank.force_closed();
    bank.reset();
    late.failure();
    assert_eq!(bank.stats().calls, 0);
}

/// The successes of the first second have left when somebody looks, and the share of what is left is too great.
#[tokio::test(start_paused = true)]
async fn a_share_that_grew_while_nobody_called_is_found_by_the_next_call_also_when_it_was_looked_at() {
    for looks in [false, true] {
        let bank = breaker(SHARE.window(Window::Time(Duration::from_secs(10))).minimum_calls(2));
        calls(&bank, "ssss");
        advance(Duration::from_secs(5)).await;
        calls(&bank, "sff");
        advance(Duration::from_millis(5_500)).await;
        if looks {
            assert_eq!((bank.stats().calls, bank.stats().failed), (3, 2));
        }
        assert_eq!(bank.state(), BreakerState::Closed);
        calls(&bank, "s");
        assert_eq!(bank.state(), BreakerState::Open);
    }
}

#[tokio::test(start_paused = true)]
async fn a_share_that_is_too_great_under_other_options_is_found_by_the_next_call() {
    let bank = breaker(SHARE.minimum_calls(2));
    calls(&bank, "ssf");
    bank.reconfigure(&SHARE.minimum_calls(2).failure_rate(0.25)).unwrap();
    assert_eq!((bank.state(), bank.stats().calls), (BreakerState::Closed, 3));
    calls(&bank, "s");
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn the_success_that_makes_the_calls_enough_opens_it() {
    for window in [Window::Calls(10), Window::Time(Duration::from_secs(10))] {
        let bank = breaker(SHARE.window(window).minimum_calls(6));
        calls(&bank, "fffss");
        assert_eq!(bank.state(), BreakerState::Closed);
        calls(&bank, "s");
        assert_eq!(bank.state(), BreakerState::Open);
    }
}
