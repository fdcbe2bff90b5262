//! Nothing grows without a bound, and nothing within the bound is lost.

use std::time::Duration;

use dayfly_signal::{Lagged, SignalOptions, SignalSink};

#[test]
fn a_million_raises_never_exceed_the_capacity() {
    let signals = SignalSink::new(SignalOptions::new().capacity(1_000));
    for number in 0..1_000_000_u32 {
        signals.raise("tick");
        if number % 10_007 == 0 {
            assert!(signals.len() <= 1_000);
        }
    }
    assert_eq!(signals.len(), 1_000);
}

#[test]
fn raises_of_a_hundred_threads_below_capacity_are_all_kept() {
    let signals = SignalSink::new(SignalOptions::new().capacity(20_000));
    let tally = signals.counter("load.*", Duration::from_secs(60));
    std::thread::scope(|scope| {
        for thread in 0..100 {
            let signals = &signals;
            scope.spawn(move || {
                for _ in 0..100 {
                    signals.raise(&format!("load.{thread}"));
                }
            });
        }
    });
    assert_eq!((signals.len(), tally.count()), (10_000, 10_000));
    let ids: Vec<u64> = signals.history("*").iter().map(|signal| signal.id().get()).collect();
    assert_eq!(ids, (1..=10_000).collect::<Vec<_>>());
}

#[test]
fn hostile_names_are_displaced_and_counted() {
    let signals = SignalSink::new(SignalOptions::new().capacity(100).max_raised(50));
    for number in 0..10_000 {
        signals.raise(&format!("hostile.{number}"));
    }
    assert_eq!(signals.state("*").len(), 50);
    assert!(signals.is_raised("hostile.9999") && !signals.is_raised("hostile.9949"));
    assert_eq!(signals.displaced(), 9_950);
    assert!(format!("{signals:?}").contains("names: 100"), "{signals:?}");
}

#[test]
fn names_that_nobody_refers_to_leave() {
    let signals = SignalSink::new(SignalOptions::new().capacity(1));
    let handle = signals.handle("kept");
    for number in 0..1_000 {
        let name = format!("gone.{number}");
        signals.raise(&name);
        signals.retract(&name);
    }
    assert!(format!("{signals:?}").contains("names: 2"), "{signals:?}");
    drop(handle);
    assert!(format!("{signals:?}").contains("names: 1"), "{signals:?}");
}

#[test]
fn a_subscriber_that_never_reads_costs_its_capacity_and_learns_its_loss() {
    let signals = SignalSink::new(SignalOptions::new().subscription_capacity(8));
    let mut slow = signals.subscribe("*");
    for number in 0..100 {
        signals.raise(&format!("tick:{number}"));
    }
    assert_eq!(slow.try_recv().unwrap_err(), Lagged(92));
    assert_eq!(slow.try_recv().unwrap().unwrap().payload(), Some("92"));
}

#[test]
fn a_capacity_of_zero_keeps_the_newest_and_leaves_the_age_alone() {
    let signals = SignalSink::new(SignalOptions::new().capacity(10));
    signals.raise("a");
    signals.raise("b");
    signals.set_capacity(0);
    assert_eq!(signals.history("*").iter().map(ToString::to_string).collect::<Vec<_>>(), ["b"]);
    assert!(signals.is_raised("a"), "the state has an age of its own");
}
