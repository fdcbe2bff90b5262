//! Breakers that many call, while they open, half-open and close.

use std::time::Duration;

use dayfly::{Reconfigure, SignalSink};
use dayfly_circuit_breaker::{BreakerOptions, BreakerState, CircuitBreaker, Judgement, OwnedPermit, Window};
use shuttle::rand::{Rng, thread_rng};
use tokio::task::{spawn, yield_now};
use tokio::time::advance;

use crate::watched::Bodies;

const OPEN_FOR: Duration = Duration::from_secs(1);
const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(1).open_for(OPEN_FOR);

fn breaker(options: BreakerOptions, signals: &SignalSink) -> CircuitBreaker {
    CircuitBreaker::new("b", options, signals)
}

/// Opens it, and has it half-open by its timer or by whoever calls first.
fn half_open(breaker: &CircuitBreaker) {
    breaker.try_acquire().expect("it is closed").failure();
    advance(OPEN_FOR);
}

/// Of ten callers, no more are inside at once than there are probes, and every place comes back.
pub(super) async fn ten_callers() {
    const PROBES: u32 = 3;
    let (bank, bodies) =
        (breaker(CARE.probes(PROBES).successes(100), &SignalSink::default()), Bodies::default());
    half_open(&bank);
    let callers: Vec<_> = (0..10)
        .map(|_| {
            let (bank, bodies) = (bank.clone(), bodies.clone());
            spawn(async move {
                let Ok(permit) = bank.try_acquire_owned() else { return };
                let inside = bodies.enter();
                yield_now().await;
                drop(inside);
                if thread_rng().gen_range(0..2) == 0 { permit.success() } else { drop(permit) }
            })
        })
        .collect();
    for caller in callers {
        caller.await.expect("a caller comes to its end");
    }
    assert!(bodies.started() > 0 && bodies.most() <= PROBES as usize, "{} at once", bodies.most());
    assert_eq!(bank.state(), BreakerState::HalfOpen);
    let probes: Vec<_> = (0..PROBES).map(|_| bank.try_acquire().expect("its place came back")).collect();
    assert!(bank.try_acquire().is_err(), "there is one place too many");
    drop(probes);
}

/// A probe and a call of earlier periods that end at any moment: the probe of now keeps its place, and the state its word.
pub(super) async fn generations() {
    let bank = breaker(CARE, &SignalSink::default());
    let call = bank.try_acquire_owned().expect("it is closed");
    half_open(&bank);
    let probe = bank.try_acquire_owned().expect("it is half-open");
    let late = [call, probe].map(|permit| spawn(ends_somehow(permit)));
    let now = {
        let bank = bank.clone();
        spawn(async move {
            bank.reset();
            // An end of this very period: whatever is late does not spoil it.
            half_open(&bank);
            let probe = bank.try_acquire_owned().expect("the one place is free");
            yield_now().await;
            assert!(bank.try_acquire().is_err(), "somebody gave a place back that was not theirs");
            assert_eq!(bank.state(), BreakerState::HalfOpen);
            probe
        })
    };
    for late in late {
        late.await.expect("it ends");
    }
    let probe = now.await.expect("it comes to its end");
    assert_eq!((bank.state(), bank.try_acquire().is_err()), (BreakerState::HalfOpen, true));
    probe.success();
    assert_eq!((bank.state(), bank.stats().failures_in_a_row), (BreakerState::Closed, 0));
}

async fn ends_somehow(permit: OwnedPermit) {
    yield_now().await;
    match thread_rng().gen_range(0..3) {
        0 => permit.success(),
        1 => permit.failure(),
        _ => permit.record(Judgement::Ignored),
    }
}

/// Who asks while somebody closes it and is let in makes a call like any other: its failure counts.
pub(super) async fn asked_while_it_closes() {
    let bank = breaker(CARE, &SignalSink::default());
    bank.force_open();
    let closing = {
        let bank = bank.clone();
        spawn(async move { bank.reset() })
    };
    let was_let_in = bank.try_acquire_owned().is_ok_and(|permit| {
        permit.failure();
        true
    });
    closing.await.expect("it closes");
    let state = if was_let_in { BreakerState::Open } else { BreakerState::Closed };
    assert_eq!(bank.state(), state);
}

/// A window of calls or of time: they count alike as long as nothing leaves it.
fn some_window() -> Window {
    if thread_rng().gen_range(0..2) == 0 { Window::Calls(8) } else { Window::Time(Duration::from_secs(10)) }
}

fn ends(bank: &CircuitBreaker, ends: [bool; 2]) -> tokio::task::JoinHandle<()> {
    let bank = bank.clone();
    spawn(async move {
        for succeeds in ends {
            let permit = bank.try_acquire().expect("it is closed");
            yield_now().await;
            if succeeds { permit.success() } else { permit.failure() }
        }
    })
}

/// Every call is counted once, whoever looks or changes the options meanwhile.
pub(super) async fn window_counts() {
    let options = CARE.without_failure_threshold().failure_rate(1.0).window(some_window());
    let bank = breaker(options.clone(), &SignalSink::default());
    let tasks = [ends(&bank, [true, true]), ends(&bank, [true, false]), ends(&bank, [false, true])];
    let before = bank.stats();
    bank.reconfigure(&options.slow_rate(1.0)).expect("all of it can change");
    let after = bank.stats();
    for task in tasks {
        task.await.expect("it comes to its end");
    }
    let stats = bank.stats();
    assert_eq!((stats.calls, stats.failed, stats.slow), (6, 2, 0));
    assert!(before.calls <= after.calls && before.failed <= after.failed);
}

/// Half of the calls fail, and that is too much: whichever makes them enough, it opens.
pub(super) async fn window_is_enough() {
    let options = CARE.without_failure_threshold().failure_rate(0.5).minimum_calls(4);
    let bank = breaker(options.window(some_window()), &SignalSink::default());
    for task in [ends(&bank, [true, false]), ends(&bank, [false, true])] {
        task.await.expect("it comes to its end");
    }
    assert_eq!((bank.state(), bank.stats().openings), (BreakerState::Open, 1));
}

/// Whoever changes it and in whatever order it is told of: at rest, the signal and the watch say how it is.
pub(super) async fn tells_how_it_is() {
    drop(spawn(tokio::time::drive()));
    let signals = SignalSink::default();
    let bank = breaker(CARE, &signals);
    let tasks = [0, 1, 2].map(|task| {
        let bank = bank.clone();
        spawn(async move {
            match task {
                0 => {
                    if let Ok(permit) = bank.try_acquire() {
                        permit.failure();
                    }
                }
                1 => {
                    bank.force_open();
                    bank.reset();
                }
                _ => {
                    bank.force_closed();
                    bank.force_open();
                }
            }
        })
    });
    for task in tasks {
        task.await.expect("it comes to its end");
    }
    // A timer may be on its way still, and telling.
    tokio::runtime::settled().await;
    let state = bank.state();
    assert_eq!(signals.is_raised("circuit.open.b"), state.is_open(), "{state:?}");
    assert_eq!(*bank.watch().borrow(), state);
}
