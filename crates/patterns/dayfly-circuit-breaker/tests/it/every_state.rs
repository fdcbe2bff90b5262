//! Hands, options and time in every state.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker, Open, Window};
use dayfly_signal::SignalSink;
use tokio::time::{advance, sleep};

const SECOND: Duration = Duration::from_secs(1);
const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(30));
const OPEN: &str = "circuit.open.bank";

const ALL: [BreakerState; 5] = [
    BreakerState::Closed,
    BreakerState::Open,
    BreakerState::HalfOpen,
    BreakerState::ForcedOpen,
    BreakerState::ForcedClosed,
];

async fn bank_in(state: BreakerState, options: BreakerOptions, signals: &SignalSink) -> CircuitBreaker {
    let bank = CircuitBreaker::new("bank", options, signals);
    match state {
        BreakerState::Open => bank.try_acquire().unwrap().failure(),
        BreakerState::HalfOpen => {
            bank.try_acquire().unwrap().failure();
            sleep(30 * SECOND).await;
        }
        BreakerState::ForcedOpen => bank.force_open(),
        BreakerState::ForcedClosed => bank.force_closed(),
        _ => {}
    }
    assert_eq!(bank.state(), state);
    bank
}

#[tokio::test(start_paused = true)]
async fn a_hand_is_obeyed_in_every_state_and_what_was_admitted_before_says_nothing() {
    for state in ALL {
        for (hand, then) in [
            (CircuitBreaker::force_open as fn(&CircuitBreaker), BreakerState::ForcedOpen),
            (CircuitBreaker::force_closed, BreakerState::ForcedClosed),
            (CircuitBreaker::reset, BreakerState::Closed),
        ] {
            let signals = SignalSink::default();
            let bank = bank_in(state, CARE, &signals).await;
            let before = [bank.try_acquire_owned(), bank.try_acquire_owned()];
            hand(&bank);
            // A second time it changes nothing.
            hand(&bank);
            for (permit, is_success) in before.into_iter().flatten().zip([false, true]) {
                if is_success { permit.success() } else { permit.failure() }
            }
            assert_eq!(bank.state(), then, "{hand:?} in {state:?}");
            assert_eq!(signals.is_raised(OPEN), then.is_open(), "{hand:?} in {state:?}");
            assert_eq!(bank.try_acquire().is_ok(), !then.is_open(), "{hand:?} in {state:?}");
            assert_eq!(*bank.watch().borrow(), then);
            // No timer of an earlier period says anything about this one.
            advance(3_600 * SECOND).await;
            assert_eq!((bank.state(), signals.is_raised(OPEN)), (then, then.is_open()));
            assert_eq!(bank.stats().failures_in_a_row, 0);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn options_that_change_leave_every_state_as_it_is() {
    for state in ALL {
        let signals = SignalSink::default();
        let bank = bank_in(state, CARE, &signals).await;
        for options in [
            CARE.open_for(SECOND),
            CARE.failure_rate(0.5).window(Window::Time(SECOND)),
            CARE.slow_rate(0.5).window(Window::Calls(1)).minimum_calls(1),
            CARE.without_failure_threshold().open_for(Duration::MAX),
            CARE.probes(7).successes(7),
        ] {
            bank.reconfigure(&options).unwrap();
            assert_eq!((bank.state(), bank.options()), (state, options));
            assert_eq!(signals.is_raised(OPEN), state.is_open());
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_time_that_it_is_open_for_already_stays_and_the_next_one_follows() {
    let signals = SignalSink::default();
    let bank = bank_in(BreakerState::Open, CARE, &signals).await;
    bank.reconfigure(&CARE.open_for(5 * SECOND)).unwrap();
    assert_eq!(bank.try_acquire().unwrap_err().retry_after, 30 * SECOND);
    sleep(30 * SECOND).await;
    bank.try_acquire().unwrap().failure();
    assert_eq!(bank.try_acquire().unwrap_err().retry_after, 5 * SECOND);
    sleep(5 * SECOND).await;
    assert_eq!((bank.state(), signals.is_raised(OPEN)), (BreakerState::HalfOpen, false));
}

#[tokio::test(start_paused = true)]
async fn half_open_it_follows_how_many_probes_there_are_and_how_many_have_to_succeed() {
    let bank = bank_in(BreakerState::HalfOpen, CARE.successes(10), &SignalSink::default()).await;
    let first = bank.try_acquire().unwrap();
    assert!(bank.try_acquire().is_err());
    bank.reconfigure(&CARE.probes(3).successes(10)).unwrap();
    let more = [bank.try_acquire().unwrap(), bank.try_acquire().unwrap()];
    assert!(bank.try_acquire().is_err());
    first.success();
    let [second, third] = more;
    second.success();
    assert_eq!(bank.state(), BreakerState::HalfOpen);
    bank.reconfigure(&CARE.successes(1)).unwrap();
    third.success();
    assert_eq!(bank.state(), BreakerState::Closed);
}

/// The timer of the first opening would ring in the midst of the second.
#[tokio::test(start_paused = true)]
async fn a_signal_is_let_go_by_the_timer_of_its_own_opening() {
    let signals = SignalSink::default();
    let bank = bank_in(BreakerState::Open, CARE, &signals).await;
    sleep(20 * SECOND).await;
    bank.reset();
    assert!(!signals.is_raised(OPEN));
    bank.try_acquire().unwrap().failure();
    sleep(29 * SECOND).await;
    assert!(signals.is_raised(OPEN), "the first timer would have rung 19 s ago");
    sleep(SECOND).await;
    assert_eq!((bank.state(), signals.is_raised(OPEN)), (BreakerState::HalfOpen, false));
}

#[tokio::test(start_paused = true)]
async fn the_longest_and_the_shortest_times_are_no_panic_in_any_state() {
    for (open_for, slow_after, window) in [
        (Duration::MAX, Duration::MAX, Duration::MAX),
        (Duration::from_nanos(1), Duration::ZERO, Duration::from_nanos(1)),
    ] {
        let options = CARE
            .open_for(open_for)
            .failure_rate(1.0)
            .slow_rate(1.0)
            .slow_after(slow_after)
            .window(Window::Time(window))
            .minimum_calls(u32::MAX)
            .probes(u32::MAX)
            .successes(u32::MAX);
        let bank = CircuitBreaker::new("bank", options, &SignalSink::default());
        for hand in [CircuitBreaker::reset, CircuitBreaker::force_open, CircuitBreaker::force_closed] {
            hand(&bank);
            assert!(bank.check().is_ok() || bank.check().unwrap_err().retry_after > Duration::ZERO);
            for _ in 0..3 {
                if let Ok(permit) = bank.try_acquire() {
                    advance(SECOND).await;
                    permit.success();
                }
                if let Ok(permit) = bank.try_acquire() {
                    permit.failure();
                }
                let _ = (bank.stats(), bank.state());
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_slow_in_the_longest_time_and_everything_that_takes_any_in_none() {
    let slow = CARE.without_failure_threshold().slow_rate(1.0).window(Window::Calls(2)).minimum_calls(2);
    for (slow_after, tells) in [(Duration::MAX, BreakerState::Closed), (Duration::ZERO, BreakerState::Open)] {
        let bank = CircuitBreaker::new("bank", slow.clone().slow_after(slow_after), &SignalSink::default());
        for _ in 0..2 {
            let permit = bank.try_acquire().unwrap();
            advance(Duration::from_millis(1)).await;
            permit.success();
        }
        assert_eq!(bank.state(), tells);
    }
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_probes_that_are_dropped_leave_as_many_places_as_there_were() {
    let bank =
        bank_in(BreakerState::HalfOpen, CARE.probes(10_000).successes(1), &SignalSink::default()).await;
    for _ in 0..3 {
        let probes: Vec<_> = (0..10_000).map(|_| bank.try_acquire_owned().unwrap()).collect();
        assert_eq!(bank.try_acquire().unwrap_err(), refusal(&bank));
        drop(probes);
    }
    assert_eq!((bank.state(), bank.stats().openings), (BreakerState::HalfOpen, 1));
}

fn refusal(bank: &CircuitBreaker) -> Open {
    let refused = bank.check().unwrap_err();
    assert_eq!(refused.retry_after, 30 * SECOND);
    refused
}
