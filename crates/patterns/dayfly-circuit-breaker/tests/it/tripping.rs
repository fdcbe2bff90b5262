//! Failures in a row: cases 42 to 44, and what counts as one.

use std::cell::Cell;
use std::time::Duration;

use dayfly_circuit_breaker::{
    BreakerOptions, BreakerState, CallError, CircuitBreaker, Judgement, Open, OwnedPermit, Permit,
};
use dayfly_signal::SignalSink;
use tokio::time::advance;

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(3).open_for(Duration::from_secs(30));

fn bank(options: BreakerOptions) -> CircuitBreaker {
    CircuitBreaker::new("bank", options, &SignalSink::default())
}

fn fail(breaker: &CircuitBreaker, times: u32) {
    (0..times).for_each(|_| breaker.try_acquire().unwrap().failure());
}

#[tokio::test(start_paused = true)]
async fn the_third_failure_in_a_row_opens_and_the_next_call_is_refused_unexecuted() {
    let bank = bank(CARE);
    for _ in 0..3 {
        assert_eq!(bank.call(async { Err::<(), _>("down") }).await, Err(CallError::Inner("down")));
    }
    advance(Duration::from_secs(10)).await;
    let ran = Cell::new(false);
    let refused = bank
        .call(async {
            ran.set(true);
            Ok::<_, &str>(())
        })
        .await;
    assert_eq!(refused, Err(CallError::Open { retry_after: Duration::from_secs(20) }));
    assert!(!ran.get());
    assert_eq!((bank.stats().openings, bank.stats().refused), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_success_in_between_begins_the_count_anew() {
    let bank = bank(CARE);
    fail(&bank, 2);
    bank.try_acquire().unwrap().success();
    fail(&bank, 2);
    assert_eq!((bank.state(), bank.stats().failures_in_a_row), (BreakerState::Closed, 2));
    fail(&bank, 1);
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn two_successes_close_it_and_any_failure_while_half_open_opens_it_again() {
    let bank = bank(CARE.probes(2).successes(2));
    fail(&bank, 3);
    advance(Duration::from_secs(30)).await;
    assert_eq!(bank.state(), BreakerState::HalfOpen);
    bank.try_acquire().unwrap().success();
    assert_eq!(bank.state(), BreakerState::HalfOpen);
    bank.try_acquire().unwrap().failure();
    assert_eq!(bank.state(), BreakerState::Open);
    let Open { retry_after, .. } = bank.try_acquire().unwrap_err();
    assert_eq!(retry_after, Duration::from_secs(30));

    advance(Duration::from_secs(30)).await;
    bank.try_acquire().unwrap().success();
    bank.try_acquire().unwrap().success();
    assert_eq!((bank.state(), bank.stats().openings), (BreakerState::Closed, 2));
}

#[tokio::test(start_paused = true)]
async fn what_is_ignored_neither_counts_nor_begins_the_count_anew() {
    let bank = bank(CARE);
    for _ in 0..5 {
        let judge = |_: &Result<(), &str>| Judgement::Ignored;
        assert!(bank.call_judged(async { Err("no such account") }, judge).await.is_err());
    }
    assert_eq!((bank.state(), bank.stats().failures_in_a_row), (BreakerState::Closed, 0));
    fail(&bank, 2);
    bank.try_acquire().unwrap().record(Judgement::Ignored);
    fail(&bank, 1);
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_value_can_be_judged_a_failure() {
    let bank = bank(CARE);
    for _ in 0..3 {
        let judge = |status: &Result<u16, ()>| match status {
            Ok(500..) | Err(()) => Judgement::Failure,
            Ok(_) => Judgement::Success,
        };
        assert_eq!(bank.call_judged(async { Ok(503) }, judge).await, Ok(503));
    }
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_says_nothing_and_one_that_panics_has_failed() {
    let bank = bank(CARE);
    for _ in 0..5 {
        let call = bank.call(std::future::pending::<Result<(), ()>>());
        assert!(tokio::time::timeout(Duration::from_secs(1), call).await.is_err());
    }
    assert_eq!(bank.stats().failures_in_a_row, 0);
    for _ in 0..3 {
        let bank = bank.clone();
        let call = async move {
            bank.call(async { if true { panic!("it breaks") } else { Ok::<(), ()>(()) } }).await
        };
        assert!(tokio::task::JoinSet::from_iter([call]).join_next().await.unwrap().is_err());
    }
    assert_eq!(bank.state(), BreakerState::Open);
}

#[tokio::test(start_paused = true)]
async fn a_panic_beside_a_call_says_nothing_about_the_service() {
    let bank = bank(CARE.failure_threshold(1));
    let own = bank.clone();
    let both = async move {
        let call = own.call(std::future::pending::<Result<(), ()>>());
        let neighbour = async {
            tokio::task::yield_now().await;
            assert!(own.name().is_empty(), "it is not the service that breaks");
        };
        tokio::join!(call, neighbour)
    };
    assert!(tokio::task::JoinSet::from_iter([both]).join_next().await.unwrap().is_err());
    assert_eq!((bank.state(), bank.stats().failures_in_a_row), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn a_judge_that_panics_says_nothing_and_its_probe_comes_back() {
    let bank = bank(CARE);
    fail(&bank, 3);
    advance(Duration::from_secs(30)).await;
    let own = bank.clone();
    let call = async move {
        let judge = |outcome: &Result<u32, ()>| {
            assert!(outcome.is_err(), "it cannot make up its mind");
            Judgement::Failure
        };
        own.call_judged(async { Ok(1) }, judge).await
    };
    assert!(tokio::task::JoinSet::from_iter([call]).join_next().await.unwrap().is_err());
    assert_eq!(bank.state(), BreakerState::HalfOpen);
    bank.try_acquire().unwrap().success();
    assert_eq!(bank.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn what_began_in_an_earlier_period_changes_nothing_in_a_later_one() {
    let bank = bank(CARE.successes(2));
    let late: Vec<OwnedPermit> = (0..4).map(|_| bank.try_acquire_owned().unwrap()).collect();
    fail(&bank, 3);
    let mut late = late.into_iter();
    // Open: a late success does not close it.
    late.next().unwrap().success();
    assert_eq!(bank.state(), BreakerState::Open);
    advance(Duration::from_secs(30)).await;
    // Half-open: neither a late success nor a late failure is a probe's.
    late.next().unwrap().success();
    late.next().unwrap().failure();
    assert_eq!(bank.state(), BreakerState::HalfOpen);
    bank.try_acquire().unwrap().success();
    bank.try_acquire().unwrap().success();
    // Closed again: a late failure is not the first of a new row.
    late.next().unwrap().failure();
    assert_eq!((bank.state(), bank.stats().failures_in_a_row), (BreakerState::Closed, 0));
}

#[tokio::test(start_paused = true)]
async fn hands_are_stronger_than_calls() {
    let bank = bank(CARE);
    bank.force_open();
    advance(Duration::from_secs(3_600)).await;
    assert_eq!((bank.state(), bank.try_acquire().is_err()), (BreakerState::ForcedOpen, true));
    bank.force_closed();
    fail(&bank, 10);
    assert_eq!(bank.state(), BreakerState::ForcedClosed);
    bank.reset();
    assert_eq!((bank.state(), bank.stats().failures_in_a_row), (BreakerState::Closed, 0));
    fail(&bank, 3);
    assert_eq!(bank.state(), BreakerState::Open);
    bank.reset();
    bank.try_acquire().unwrap().success();
    assert_eq!(bank.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_threshold_of_one_opens_at_once_and_without_one_no_number_does() {
    let one = bank(CARE.failure_threshold(1));
    fail(&one, 1);
    assert_eq!(one.state(), BreakerState::Open);
    let none = bank(CARE.without_failure_threshold());
    fail(&none, 10_000);
    assert_eq!(none.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn the_longest_open_time_is_no_panic() {
    let bank = bank(CARE.open_for(Duration::MAX));
    fail(&bank, 3);
    advance(Duration::from_secs(3_600 * 24 * 365)).await;
    assert_eq!(bank.state(), BreakerState::Open);
}

#[test]
fn without_a_runtime_the_next_look_finds_out_what_time_it_is() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE.open_for(Duration::from_nanos(1)), &signals);
    fail(&bank, 3);
    // The clock is real here, and a nanosecond is over by now.
    while bank.try_acquire().is_err() {}
    assert!(!signals.is_raised("circuit.open.bank"));
}

#[test]
fn breakers_and_permits_go_wherever_calls_go() {
    fn is_sent<T: Send + Sync + std::fmt::Debug>() {}
    is_sent::<CircuitBreaker>();
    is_sent::<Permit<'static>>();
    is_sent::<OwnedPermit>();
}
