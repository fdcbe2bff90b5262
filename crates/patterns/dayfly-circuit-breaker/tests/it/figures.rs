//! Calls, changes and states as figures. Breakers of one name are one family in the whole process, so each test here has
//! names of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Barrier};
use std::time::Duration;

use dayfly_circuit_breaker::{
    BreakerOptions, BreakerState, CircuitBreaker, KeyedBreaker, KeyedBreakerOptions,
};
use dayfly_signal::SignalSink;
use dayfly_testing::{Figures, paused};
use metrics::{Counter, Gauge, Histogram, Key, KeyName, Metadata, Recorder, SharedString, Unit};
use tokio::time::advance;

const OPEN_FOR: Duration = Duration::from_secs(30);
const CARE: BreakerOptions = BreakerOptions::new().failure_threshold(2).open_for(OPEN_FOR).successes(1);

fn calls(figures: &Figures, name: &str) -> [u64; 4] {
    ["succeeded", "failed", "ignored", "refused"].map(|outcome| {
        figures.count(&format!("dayfly.circuit_breaker.calls{{breaker={name},outcome={outcome}}}"))
    })
}

fn in_state(figures: &Figures, name: &str) -> [u64; 5] {
    ["closed", "open", "half-open", "forced-open", "forced-closed"]
        .map(|state| figures.count(&format!("dayfly.circuit_breaker.state{{breaker={name},state={state}}}")))
}

fn changes(figures: &Figures, name: &str, from: &str, to: &str) -> u64 {
    figures.count(&format!("dayfly.circuit_breaker.transitions{{breaker={name},from={from},to={to}}}"))
}

#[test]
fn a_call_is_counted_once_by_what_came_of_it() {
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let bank = CircuitBreaker::new("counted", CARE, &SignalSink::default());
            bank.call(async { Ok::<_, ()>(()) }).await.unwrap();
            bank.try_acquire_owned().unwrap().success();
            drop(bank.try_acquire().unwrap());
            drop(bank.call(async { Ok::<_, ()>(()) }));
            let torn = catch_unwind(AssertUnwindSafe(|| {
                let _permit = bank.try_acquire().unwrap();
                panic!("in the middle of a call");
            }));
            torn.unwrap_err();
            bank.call(async { Err::<(), _>(()) }).await.unwrap_err();
            assert!(bank.check().is_err(), "asking is no call");
            bank.call(async { Ok::<_, ()>(()) }).await.unwrap_err();
            bank.try_acquire().unwrap_err();
        });
    });
    assert_eq!(calls(&figures, "counted"), [2, 2, 1, 2]);
}

#[test]
fn calls_are_counted_in_every_mode_and_probes_as_well() {
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let by_share = CARE.failure_rate(0.5).minimum_calls(4).slow_rate(0.5).slow_after(OPEN_FOR);
            let bank = CircuitBreaker::new("modes", by_share, &SignalSink::default());
            for _ in 0..3 {
                bank.try_acquire().unwrap().success();
            }
            for _ in 0..2 {
                bank.try_acquire().unwrap().failure();
            }
            assert_eq!(bank.state(), BreakerState::Open);
            advance(OPEN_FOR).await;
            bank.try_acquire().unwrap().success();
            bank.force_closed();
            bank.try_acquire().unwrap().failure();
        });
    });
    assert_eq!(calls(&figures, "modes"), [4, 3, 0, 0]);
}

#[test]
fn each_change_is_counted_and_the_state_is_where_it_is() {
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let bank = CircuitBreaker::new("changing", CARE, &SignalSink::default());
            assert_eq!(in_state(&figures, "changing"), [1, 0, 0, 0, 0]);
            for _ in 0..2 {
                bank.try_acquire().unwrap().failure();
            }
            assert_eq!(in_state(&figures, "changing"), [0, 1, 0, 0, 0]);
            advance(OPEN_FOR).await;
            dayfly_testing::settle().await;
            assert_eq!(in_state(&figures, "changing"), [0, 0, 1, 0, 0], "by its timer");
            bank.try_acquire().unwrap().failure();
            advance(OPEN_FOR).await;
            bank.try_acquire().unwrap().success();
            assert_eq!(in_state(&figures, "changing"), [1, 0, 0, 0, 0]);
            bank.reset();
            bank.force_open();
            assert_eq!(in_state(&figures, "changing"), [0, 0, 0, 1, 0]);
            bank.force_closed();
            assert_eq!(in_state(&figures, "changing"), [0, 0, 0, 0, 1]);
        });
    });
    let counted = [
        ("closed", "open", 1),
        ("open", "half-open", 2),
        ("half-open", "open", 1),
        ("half-open", "closed", 1),
        ("closed", "forced-open", 1),
        ("forced-open", "forced-closed", 1),
        ("closed", "closed", 0),
    ];
    for (from, to, count) in counted {
        assert_eq!(changes(&figures, "changing", from, to), count, "{from} to {to}");
    }
    assert_eq!(in_state(&figures, "changing"), [0; 5], "one that is gone is in no state");
}

#[test]
fn keys_are_counted_and_none_is_told() {
    const KEYS: u64 = 1_000;
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let options = KeyedBreakerOptions::new().breaker(CARE.failure_threshold(1)).max_keys(8);
            let hosts = KeyedBreaker::<u64>::new("keyed", options, &SignalSink::default());
            for key in 0..KEYS {
                hosts.call(&key, async { Ok::<_, ()>(()) }).await.unwrap();
            }
            assert_eq!(in_state(&figures, "keyed"), [8, 0, 0, 0, 0]);
            for key in KEYS - 3..KEYS {
                hosts.call(&key, async { Err::<(), _>(()) }).await.unwrap_err();
            }
            assert_eq!(in_state(&figures, "keyed"), [5, 3, 0, 0, 0]);
            assert!(hosts.forget(&(KEYS - 1)));
            assert_eq!(in_state(&figures, "keyed"), [5, 2, 0, 0, 0]);
        });
    });
    assert_eq!((calls(&figures, "keyed"), in_state(&figures, "keyed")), ([1_000, 3, 0, 0], [0; 5]));
    let series: Vec<_> = figures.all().into_iter().map(|(name, _)| name).collect();
    assert_eq!(series.len(), 5, "{series:?}");
}

#[test]
fn one_that_takes_the_place_of_another_of_its_name_is_there_when_that_one_goes() {
    let figures = Figures::new();
    figures.of(|| {
        paused(async {
            let before = CircuitBreaker::new("replaced", CARE, &SignalSink::default());
            before.force_open();
            let after = CircuitBreaker::new("replaced", CARE, &SignalSink::default());
            assert_eq!(in_state(&figures, "replaced"), [1, 0, 0, 1, 0]);
            drop(before);
            assert_eq!(in_state(&figures, "replaced"), [1, 0, 0, 0, 0]);
            drop(after);
            assert_eq!(in_state(&figures, "replaced"), [0; 5]);
        });
    });
}

#[test]
fn a_recorder_that_comes_late_is_told_how_it_is_from_the_first_change_on() {
    let figures = Figures::new();
    paused(async {
        let bank = CircuitBreaker::new("late", CARE, &SignalSink::default());
        figures.of(|| bank.force_open());
        assert_eq!(in_state(&figures, "late"), [0, 0, 0, 1, 0]);
        assert!(figures.all().iter().all(|(_, value)| *value >= 0.0));
    });
}

#[test]
fn breakers_that_change_at_once_are_where_they_are() {
    const EACH: usize = 500;
    let (figures, signals, together) = (Figures::new(), SignalSink::default(), Arc::new(Barrier::new(4)));
    let breakers: Vec<_> = (0..4).map(|_| CircuitBreaker::new("at-once", CARE, &signals)).collect();
    std::thread::scope(|scope| {
        for bank in &breakers {
            let (figures, together) = (figures.clone(), Arc::clone(&together));
            scope.spawn(move || {
                figures.of(|| {
                    together.wait();
                    for _ in 0..EACH {
                        bank.force_open();
                        bank.reset();
                    }
                    bank.force_open();
                });
            });
        }
    });
    assert_eq!(in_state(&figures, "at-once"), [0, 0, 0, 4, 0]);
    assert_eq!(changes(&figures, "at-once", "closed", "forced-open"), 2_004);
}

/// Panics whatever it is told.
struct Bomb;

impl Recorder for Bomb {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("a description")
    }

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("a description")
    }

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {
        panic!("a description")
    }

    fn register_counter(&self, _: &Key, _: &Metadata<'_>) -> Counter {
        panic!("a counter")
    }

    fn register_gauge(&self, _: &Key, _: &Metadata<'_>) -> Gauge {
        panic!("a gauge")
    }

    fn register_histogram(&self, _: &Key, _: &Metadata<'_>) -> Histogram {
        panic!("a distribution")
    }
}

#[test]
fn a_recorder_that_panics_costs_its_figures_and_no_call() {
    metrics::with_local_recorder(&Bomb, || {
        paused(async {
            let signals = SignalSink::default();
            let bank = CircuitBreaker::new("bombed", CARE, &signals);
            bank.call(async { Ok::<_, ()>(()) }).await.unwrap();
            for _ in 0..2 {
                bank.try_acquire().unwrap().failure();
            }
            assert_eq!((bank.state(), bank.stats().openings), (BreakerState::Open, 1));
            assert!(signals.is_raised("circuit.open.bombed"));
            bank.try_acquire().unwrap_err();
        });
    });
}
