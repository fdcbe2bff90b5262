//! Signals that double and halve.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use dayfly::{Coordinator, CoordinatorOptions};
use dayfly_dynamic_concurrency::{AdaptiveLimit, AdaptiveLimitOptions, SetWith};
use dayfly_limit::Limiter;
use dayfly_signal::{Draft, OperationId, SignalSink};

const OPTIONS: AdaptiveLimitOptions = AdaptiveLimitOptions::new().bounds(2, 50).initial(10);

fn limited(options: AdaptiveLimitOptions) -> (AdaptiveLimit, Limiter, SignalSink) {
    let (signals, limiter) = (SignalSink::default(), Limiter::with_limit(1));
    let limit = AdaptiveLimit::new(limiter.clone(), options, &signals);
    (limit, limiter, signals)
}

fn raise(signals: &SignalSink, name: &str, times: usize) {
    for _ in 0..times {
        signals.raise(name);
    }
}

#[test]
fn the_limit_is_set_as_soon_as_it_is_made() {
    assert_eq!(limited(OPTIONS).1.limit(), 10);
    assert_eq!(limited(OPTIONS.initial(1)).1.limit(), 2);
    assert_eq!(limited(OPTIONS.initial(usize::MAX)).1.limit(), 50);
}

#[test]
fn one_raise_of_high_load_doubles_once_and_one_of_low_load_halves_once() {
    let (limit, limiter, signals) = limited(OPTIONS);
    signals.raise("load.high");
    assert_eq!((limit.limit(), limiter.limit()), (20, 20));
    signals.raise("load.low");
    signals.raise("load.low");
    assert_eq!((limit.limit(), limiter.limit()), (5, 5));
}

#[test]
fn the_bounds_hold_however_often_it_is_raised() {
    let (_limit, limiter, signals) = limited(OPTIONS);
    raise(&signals, "load.high", 100);
    assert_eq!(limiter.limit(), 50);
    raise(&signals, "load.low", 100);
    assert_eq!(limiter.limit(), 2);
    signals.raise("load.high");
    assert_eq!(limiter.limit(), 4);
}

#[test]
fn a_raise_that_is_taken_back_was_still_one_step() {
    let (_limit, limiter, signals) = limited(OPTIONS);
    let operation = signals.source(OperationId::next());
    operation.raise("load.high");
    operation.retract("load.high");
    signals.retract("load.high");
    signals.clear();
    assert_eq!(limiter.limit(), 20);
    drop(signals.hold("load.high"));
    assert_eq!(limiter.limit(), 40, "a hold begins once, and its end is no step");
}

#[test]
fn payload_and_key_of_a_step_do_not_matter() {
    let (_limit, limiter, signals) = limited(OPTIONS);
    signals.raise(Draft::from("load.high:99").key("a"));
    assert_eq!(limiter.limit(), 20);
    signals.raise("load.highest");
    assert_eq!(limiter.limit(), 20);
}

#[test]
fn what_was_raised_before_it_was_made_is_no_step() {
    let (signals, limiter) = (SignalSink::default(), Limiter::with_limit(1));
    signals.raise("load.high");
    let _limit = AdaptiveLimit::new(limiter.clone(), OPTIONS, &signals);
    assert_eq!(limiter.limit(), 10);
}

#[test]
fn other_signals_can_mean_it_and_what_both_mean_halves() {
    let (_limit, limiter, signals) = limited(OPTIONS.double_on("queue.*").halve_on("*.error, queue.slow"));
    signals.raise("load.high");
    assert_eq!(limiter.limit(), 10);
    signals.raise("queue.long");
    assert_eq!(limiter.limit(), 20);
    signals.raise("queue.slow");
    signals.raise("disk.error");
    assert_eq!(limiter.limit(), 5);

    let (_limit, limiter, signals) = limited(OPTIONS.without_signals());
    signals.raise("load.high");
    assert_eq!(limiter.limit(), 10);
}

#[test]
fn with_the_last_clone_the_steps_end() {
    let (limit, limiter, signals) = limited(OPTIONS);
    let other = limit.clone();
    drop(limit);
    signals.raise("load.high");
    assert_eq!(limiter.limit(), 20);
    // A call that is still under way is no clone.
    let _sample = other.begin();
    drop(other);
    signals.raise("load.high");
    assert_eq!(limiter.limit(), 20);
}

#[test]
fn steps_of_many_threads_all_count_and_the_last_one_told_is_the_one_in_force() {
    let (signals, told) = (SignalSink::default(), Arc::new(AtomicUsize::new(0)));
    let options = AdaptiveLimitOptions::new().bounds(1, 1 << 20).initial(1 << 10);
    let tell = Arc::clone(&told);
    let setter = SetWith(move |limit| tell.store(limit, Ordering::SeqCst));
    let limit = AdaptiveLimit::new(setter, options, &signals);
    for _ in 0..200 {
        // Eight up and eight down stay within the bounds in any order.
        thread::scope(|threads| {
            for name in ["load.high", "load.low"].repeat(4) {
                let signals = &signals;
                threads.spawn(move || raise(signals, name, 2));
            }
        });
        assert_eq!((limit.limit(), told.load(Ordering::SeqCst)), (1 << 10, 1 << 10));
    }
}

#[tokio::test(start_paused = true)]
async fn a_coordinator_runs_as_many_as_the_signals_say() {
    let signals = SignalSink::default();
    let work = Coordinator::spawn(CoordinatorOptions::new(), &signals, |(): (), op| async move {
        op.cancelled().await;
    });
    let limit = AdaptiveLimit::new(work.downgrade(), OPTIONS.initial(2), &signals);
    for _ in 0..100 {
        work.enqueue(()).await.unwrap();
    }
    dayfly_testing::settle().await;
    assert_eq!(work.stats().running, 2);
    signals.raise("load.high");
    dayfly_testing::settle().await;
    assert_eq!((work.stats().running, limit.limit()), (4, 4));
    work.cancel().await;
    // The coordinator is gone, and nothing is the worse for it.
    drop(work);
    signals.raise("load.high");
    assert_eq!(limit.limit(), 8);
}
