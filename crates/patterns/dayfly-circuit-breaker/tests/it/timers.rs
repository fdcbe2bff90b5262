//! Timers where runtimes come and go, and telling where somebody who hears of it panics.

use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker};
use dayfly_signal::SignalSink;
use tokio::runtime::{Builder, Runtime};

const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(Duration::from_secs(30));
const OPEN: &str = "circuit.open.bank";

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A coordinator elsewhere that defers on it would otherwise wait for a call that never comes.
#[test]
fn a_timer_that_is_lost_with_its_runtime_lets_the_signal_go() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    let runtime = runtime();
    runtime.block_on(async { bank.try_acquire().unwrap().failure() });
    assert!(signals.is_raised(OPEN));
    drop(runtime);
    assert!(!signals.is_raised(OPEN));
    assert!(bank.try_acquire().is_err(), "its time has not passed");
    assert_eq!(bank.state(), BreakerState::Open);
}

#[test]
fn a_runtime_that_has_ended_before_it_opens_holds_no_signal_for_ever() {
    let signals = SignalSink::default();
    let runtime = runtime();
    let bank = runtime.block_on(async { CircuitBreaker::new("bank", CARE, &signals) });
    drop(runtime);
    bank.try_acquire().unwrap().failure();
    assert_eq!((bank.state(), signals.is_raised(OPEN)), (BreakerState::Open, false));
}

#[test]
fn a_runtime_without_timers_holds_no_signal_for_ever() {
    let signals = SignalSink::default();
    let runtime = Builder::new_current_thread().build().unwrap();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    runtime.block_on(async {
        bank.try_acquire().unwrap().failure();
        tokio::task::yield_now().await;
    });
    assert_eq!((bank.state(), signals.is_raised(OPEN)), (BreakerState::Open, false));
}

/// The timer runs where the breaker was made.
#[tokio::test(start_paused = true)]
async fn a_breaker_that_opens_on_a_plain_thread_half_opens_by_itself_too() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    let permit = bank.try_acquire_owned().unwrap();
    std::thread::spawn(move || permit.failure()).join().unwrap();
    assert!(signals.is_raised(OPEN));
    signals.cleared(OPEN).await;
    assert_eq!(bank.state(), BreakerState::HalfOpen);
}

struct Bomb;

impl Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("who is woken panics");
    }
}

#[tokio::test(start_paused = true)]
async fn who_hears_of_a_change_may_panic_and_the_next_change_is_told() {
    let signals = SignalSink::default();
    let bank = CircuitBreaker::new("bank", CARE, &signals);
    let mut watch = bank.watch();
    {
        let mut changed = pin!(watch.changed());
        let waker = Waker::from(Arc::new(Bomb));
        assert!(changed.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let told = catch_unwind(AssertUnwindSafe(|| bank.try_acquire().unwrap().failure()));
        assert!(told.is_err(), "the bomb is no dud");
    }
    assert_eq!((bank.state(), signals.is_raised(OPEN)), (BreakerState::Open, true));
    bank.reset();
    assert!(!signals.is_raised(OPEN));
    assert_eq!(*watch.borrow_and_update(), BreakerState::Closed);
}
