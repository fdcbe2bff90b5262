//! Signals, the watch and the timer.

use std::time::Duration;

use dayfly::{CoordinatorOptions, KeyedCoordinator, Operation};
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CallError, CircuitBreaker};
use dayfly_signal::{Signal, SignalOptions, SignalSink};
use dayfly_testing::settle;
use tokio::time::{Instant, advance};

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(30));

fn changes(signals: &SignalSink) -> Vec<String> {
    let history = signals.history(dayfly_signal::Query::from("circuit.changed.*"));
    history.iter().map(|event| event.payload().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn the_signal_is_held_while_it_is_open_and_a_timer_lets_it_go() {
    // Held, not raised: it does not age out before its time.
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(1)));
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    bank.try_acquire().unwrap().failure();
    advance(Duration::from_secs(29)).await;
    assert!(signals.is_raised("circuit.open.bank"));
    let start = Instant::now();
    signals.cleared("circuit.open.bank").await;
    assert_eq!(start.elapsed(), Duration::from_secs(1), "nobody called");
    assert_eq!(bank.state(), BreakerState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn every_change_is_an_event_with_the_new_state() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    bank.try_acquire().unwrap().failure();
    tokio::time::sleep(Duration::from_secs(31)).await;
    bank.try_acquire().unwrap().success();
    bank.force_open();
    bank.force_closed();
    bank.reset();
    let told = ["open", "half-open", "closed", "forced-open", "forced-closed", "closed"];
    assert_eq!(changes(&signals), told);
    assert!(!signals.is_raised("circuit.open.bank"));
}

#[tokio::test(start_paused = true)]
async fn a_hand_that_opens_holds_the_signal_until_a_hand_lets_it_go() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    bank.force_open();
    advance(Duration::from_secs(3_600)).await;
    assert!(signals.is_raised("circuit.open.bank"));
    bank.reset();
    assert!(!signals.is_raised("circuit.open.bank"));
}

#[tokio::test(start_paused = true)]
async fn the_state_can_be_watched() {
    let bank = CircuitBreaker::new("bank", CARE, &SignalSink::default());
    let mut watch = bank.watch();
    assert_eq!(*watch.borrow_and_update(), BreakerState::Closed);
    bank.try_acquire().unwrap().failure();
    watch.changed().await.unwrap();
    assert_eq!(*watch.borrow_and_update(), BreakerState::Open);
    watch.changed().await.unwrap();
    assert_eq!(*watch.borrow_and_update(), BreakerState::HalfOpen);
}

#[tokio::test(start_paused = true)]
async fn who_hears_of_a_change_may_use_the_breaker() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    let own = bank.clone();
    let _listener = signals.listen("circuit.open.bank", move |_: &Signal| own.reset());
    bank.try_acquire().unwrap().failure();
    assert_eq!(bank.state(), BreakerState::Closed);
    assert!(!signals.is_raised("circuit.open.bank"));
    assert_eq!(changes(&signals), ["open", "closed"]);
}

#[tokio::test(start_paused = true)]
async fn a_breaker_that_goes_lets_its_signal_go() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    bank.try_acquire().unwrap().failure();
    drop(bank);
    assert!(!signals.is_raised("circuit.open.bank"));
}

/// A queue that defers on the breaker's signal, behind a breaker that is called by that queue only.
#[tokio::test(start_paused = true)]
async fn a_coordinator_that_defers_on_it_goes_on_by_itself() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    let start = Instant::now();
    let body = move |number: u32, op: Operation| {
        let bank = bank.clone();
        async move {
            let is_up = start.elapsed() >= Duration::from_secs(30);
            match bank.call(async { if is_up { Ok(()) } else { Err("down") } }).await {
                Ok(()) => op.done::<u32, &str>(),
                Err(CallError::Open { retry_after }) => op.again(number, retry_after),
                Err(CallError::Inner(_)) => op.again(number, Duration::ZERO),
            }
        }
    };
    let options = CoordinatorOptions::new().max_concurrency(1).defer_on("circuit.open.*");
    let work = KeyedCoordinator::spawn(options, &signals, |number: &u32| *number, body);
    for number in 0..5 {
        work.enqueue(number).await.unwrap();
    }
    settle().await;
    assert_eq!(work.stats().completed, 0);
    let report = work.drain().await;
    assert_eq!((report.completed, start.elapsed()), (5, Duration::from_secs(30)));
}
