//! How long signals may defer, and what then.

use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_signal::{SignalOptions, SignalSink};
use dayfly_signal_aware::{AfterDeferral, Gate, GateOptions, Refused, Verdict};
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::time::Instant;

use crate::support::ended;

const TEN: Duration = Duration::from_secs(10);

fn gate(signals: &SignalSink, wait: Duration, then: AfterDeferral) -> Gate {
    Gate::new(GateOptions::new().cancel_on("stop").defer_on("busy").max_deferral(wait, then), signals)
}

#[tokio::test(start_paused = true)]
async fn a_maximum_deferral_lets_pass_or_refuses_each_who_waited_for_so_long() {
    for (then, ends) in [(AfterDeferral::Pass, Ok(())), (AfterDeferral::Refuse, Err(Refused::Overdue(())))] {
        let signals = SignalSink::default();
        let gate = gate(&signals, TEN, then);
        let _busy = signals.hold("busy");
        // Nobody waits: the gate is shut, and its time does not run for who comes later.
        tokio::time::sleep(Duration::from_secs(60)).await;
        let start = Instant::now();
        let first = Handle::current().spawn({
            let gate = gate.clone();
            async move { (gate.pass().await, Instant::now()) }
        });
        tokio::time::sleep(Duration::from_secs(4)).await;
        assert_eq!(gate.check(), Verdict::Deferred);
        let second = (gate.pass().await, Instant::now());
        assert_eq!(ended(first).await, (ends, start + TEN));
        assert_eq!(second, (ends, start + Duration::from_secs(14)));
        let stats = gate.stats();
        assert_eq!(stats.passed + stats.refused, 2);
        assert_eq!(stats.passed == 2, ends.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_begins_anew_when_the_gate_was_open_in_between() {
    let signals = SignalSink::default();
    let gate = gate(&signals, TEN, AfterDeferral::Refuse);
    signals.raise("busy");
    assert_eq!(gate.check(), Verdict::Deferred);
    tokio::time::advance(Duration::from_secs(9)).await;
    signals.clear();
    assert_eq!(gate.check(), Verdict::Open);
    let _busy = signals.hold("busy");
    let start = Instant::now();
    assert_eq!(gate.pass().await, Err(Refused::Overdue(())));
    assert_eq!(Instant::now() - start, TEN);
}

#[tokio::test(start_paused = true)]
async fn zero_lets_nobody_wait_and_a_time_without_end_lets_everybody() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(30)));
    signals.raise("busy");
    let gate_of = |wait, then| gate(&signals, wait, then);
    assert_eq!(gate_of(Duration::ZERO, AfterDeferral::Pass).pass().await, Ok(()));
    assert_eq!(gate_of(Duration::ZERO, AfterDeferral::Pass).check(), Verdict::Open);
    assert_eq!(gate_of(Duration::ZERO, AfterDeferral::Refuse).pass_with(7).await, Err(Refused::Overdue(7)));
    let start = Instant::now();
    assert_eq!(gate_of(Duration::MAX, AfterDeferral::Refuse).pass().await, Ok(()));
    assert_eq!(Instant::now() - start, Duration::from_secs(30), "until the signal aged out");
}

#[tokio::test(start_paused = true)]
async fn the_bound_saves_nobody_from_a_cancel_signal() {
    let signals = SignalSink::default();
    let gate = gate(&signals, Duration::ZERO, AfterDeferral::Pass);
    let _busy = signals.hold("busy");
    assert_eq!(gate.pass().await, Ok(()));
    signals.raise("stop");
    assert_eq!(gate.pass().await, Err(Refused::Cancelled(())));
}

#[tokio::test(start_paused = true)]
async fn a_new_bound_holds_for_who_waits_already() {
    let signals = SignalSink::default();
    let options = GateOptions::new().defer_on("busy");
    let gate = Gate::new(options.clone(), &signals);
    let _busy = signals.hold("busy");
    let start = Instant::now();
    let waits = Handle::current().spawn({
        let gate = gate.clone();
        async move { gate.pass().await }
    });
    tokio::time::sleep(Duration::from_secs(5)).await;
    let bounded = options.clone().max_deferral(TEN, AfterDeferral::Refuse);
    gate.reconfigure(&bounded).unwrap();
    settle().await;
    gate.reconfigure(&bounded.clone().without_max_deferral()).unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert!(!waits.is_finished());
    gate.reconfigure(&bounded).unwrap();
    assert_eq!(ended(waits).await, Err(Refused::Overdue(())));
    assert_eq!(Instant::now() - start, Duration::from_secs(65));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_followed_is_named_and_changes_nothing() {
    let signals = SignalSink::default();
    let gate = Gate::new(GateOptions::new(), &signals);
    let changed = [
        ("cancel_on", GateOptions::new().cancel_on("x")),
        ("defer_on", GateOptions::new().defer_on("x")),
        ("resume_on", GateOptions::new().resume_on("x")),
        ("keyed", GateOptions::new().keyed(true)),
    ];
    for (option, options) in changed {
        assert_eq!(Reconfigure::check(&gate, &options).unwrap_err().option, option);
        assert_eq!(gate.reconfigure(&options).unwrap_err().option, option);
    }
}
