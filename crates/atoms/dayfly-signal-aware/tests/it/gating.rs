//! The gate goes by the sink's state, by event, as the coordinators' gates do.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use dayfly::Reconfigure;
use dayfly_signal::{SignalOptions, SignalSink};
use dayfly_signal_aware::{AfterDeferral, Gate, GateOptions, GatedSender, Refused, Verdict};
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::ended;

fn options() -> GateOptions {
    GateOptions::new().cancel_on("shutdown").defer_on("backpressure.*").resume_on("relief")
}

fn passing(gate: &Gate) -> JoinHandle<Result<(), Refused>> {
    let gate = gate.clone();
    Handle::current().spawn(async move { gate.pass().await })
}

#[test]
fn an_open_gate_is_passed_without_a_runtime() {
    let gate = Gate::new(options(), &SignalSink::default());
    let mut pass = Box::pin(gate.pass());
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(pass.as_mut().poll(&mut context).is_ready());
    assert_eq!(gate.check(), Verdict::Open);
    assert_eq!(gate.stats().passed, 1, "to check is not to pass");
}

#[tokio::test(start_paused = true)]
async fn a_raised_cancel_signal_refuses_with_the_item_until_it_is_retracted() {
    let signals = SignalSink::default();
    signals.raise("shutdown");
    let gate = Gate::new(options(), &signals);
    assert_eq!(gate.check(), Verdict::Cancelled, "it counts although it was raised before the gate existed");
    assert_eq!(gate.pass_with("item").await, Err(Refused::Cancelled("item")));
    assert_eq!(gate.pass().await.unwrap_err().to_string(), "a raised signal refuses it");
    signals.retract("shutdown");
    assert_eq!(gate.pass_with("item").await, Ok("item"));
    let stats = gate.stats();
    assert_eq!((stats.passed, stats.refused, stats.deferred), (1, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn who_is_deferred_goes_on_when_the_signal_is_retracted_without_the_clock() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let start = Instant::now();
    signals.raise("backpressure.disk");
    let waits = passing(&gate);
    settle().await;
    assert_eq!((gate.check(), gate.stats().deferred), (Verdict::Deferred, 1));
    signals.retract("backpressure.disk");
    assert_eq!(ended(waits).await, Ok(()));
    assert_eq!((Instant::now(), gate.stats().deferred), (start, 0));
}

#[tokio::test(start_paused = true)]
async fn who_is_deferred_goes_on_when_the_signal_ages_out() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(30)));
    let gate = Gate::new(options(), &signals);
    signals.raise("backpressure.disk");
    let start = Instant::now();
    let waits = [passing(&gate), passing(&gate)];
    tokio::time::sleep(Duration::from_secs(20)).await;
    signals.raise("backpressure.net");
    for wait in waits {
        assert_eq!(ended(wait).await, Ok(()));
    }
    assert_eq!(Instant::now() - start, Duration::from_secs(50), "the last one has to age out");
}

#[tokio::test(start_paused = true)]
async fn a_shorter_age_and_a_clear_reach_who_waits() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(3_600)));
    let gate = Gate::new(options(), &signals);
    let start = Instant::now();
    signals.raise("backpressure.disk");
    let waits = passing(&gate);
    settle().await;
    signals.set_max_age(Duration::from_secs(5));
    assert_eq!(ended(waits).await, Ok(()));
    assert_eq!(Instant::now() - start, Duration::from_secs(5));
    signals.raise("backpressure.disk");
    let waits = passing(&gate);
    settle().await;
    signals.clear();
    assert_eq!(ended(waits).await, Ok(()));
    assert_eq!(Instant::now() - start, Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_hold_defers_for_as_long_as_it_lives() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let hold = signals.hold("backpressure.disk");
    let waits = passing(&gate);
    tokio::time::sleep(Duration::from_secs(100_000)).await;
    assert!(!waits.is_finished());
    drop(hold);
    assert_eq!(ended(waits).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn only_a_resume_that_is_newer_than_every_deferral_lifts_it() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    signals.raise("relief");
    signals.raise("backpressure.disk");
    let waits = passing(&gate);
    settle().await;
    assert!(!waits.is_finished(), "the resume is older");
    signals.raise("relief");
    assert_eq!(ended(waits).await, Ok(()));
    signals.raise("backpressure.net");
    assert_eq!(gate.check(), Verdict::Deferred, "one is newer again");
}

#[tokio::test(start_paused = true)]
async fn a_hold_defers_again_once_the_resume_has_aged_out() {
    let signals = SignalSink::new(SignalOptions::new().max_age(Duration::from_secs(30)));
    let gate = Gate::new(options(), &signals);
    let hold = signals.hold("backpressure.disk");
    signals.raise("relief");
    assert_eq!((gate.check(), gate.pass().await), (Verdict::Open, Ok(())));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(gate.check(), Verdict::Deferred);
    drop(hold);
    assert_eq!(gate.check(), Verdict::Open);
}

#[tokio::test(start_paused = true)]
async fn a_cancel_signal_reaches_who_waits() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let _hold = signals.hold("backpressure.disk");
    let waits = passing(&gate);
    settle().await;
    signals.raise("other");
    settle().await;
    assert!(!waits.is_finished());
    signals.raise("shutdown");
    assert_eq!(ended(waits).await, Err(Refused::Cancelled(())));
}

#[tokio::test(start_paused = true)]
async fn a_gate_without_rules_is_open_whatever_is_raised() {
    let signals = SignalSink::default();
    let gate = Gate::new(GateOptions::default(), &signals);
    signals.raise("shutdown");
    assert_eq!((gate.check(), gate.pass().await), (Verdict::Open, Ok(())));
}

#[tokio::test(start_paused = true)]
async fn thousands_wait_and_are_woken_in_the_order_of_their_arrival() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let hold = signals.hold("backpressure.disk");
    let order = Arc::new(Mutex::new(Vec::new()));
    let waits = (0..5_000).map(|number| {
        let (gate, order) = (gate.clone(), Arc::clone(&order));
        async move {
            gate.pass().await.unwrap();
            order.lock().unwrap().push(number);
        }
    });
    let waits: Vec<_> = waits.map(|wait| Handle::current().spawn(wait)).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(gate.stats().deferred, 5_000);
    drop(hold);
    for wait in waits {
        ended(wait).await;
    }
    let stats = gate.stats();
    assert_eq!((stats.passed, stats.deferred), (5_000, 0));
    assert!(order.lock().unwrap().is_sorted(), "a runtime of one thread runs them as they are woken");
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_shuts_again_before_who_was_woken_runs_makes_it_wait_on() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    signals.raise("backpressure.disk");
    let waits = passing(&gate);
    settle().await;
    signals.retract("backpressure.disk");
    signals.raise("backpressure.net");
    settle().await;
    assert!(!waits.is_finished());
    signals.retract("backpressure.net");
    assert_eq!(ended(waits).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_callback_and_a_waker_may_ask_the_gate_that_they_are_told_of() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let (asked, seen) = (gate.clone(), Arc::new(Mutex::new(Vec::new())));
    let log = Arc::clone(&seen);
    let _listener = signals.listen("backpressure.*", move |_| log.lock().unwrap().push(asked.check()));
    signals.raise("backpressure.disk");
    let waker = Arc::new(Asking(gate.clone(), Mutex::new(None)));
    let mut pass = Box::pin(gate.pass());
    let asking = std::task::Waker::from(Arc::clone(&waker));
    assert!(pass.as_mut().poll(&mut std::task::Context::from_waker(&asking)).is_pending());
    signals.retract("backpressure.disk");
    assert_eq!(*seen.lock().unwrap(), [Verdict::Deferred, Verdict::Open]);
    assert_eq!(*waker.1.lock().unwrap(), Some(Verdict::Open), "wakers run under no lock");
}

struct Asking(Gate, Mutex<Option<Verdict>>);

impl std::task::Wake for Asking {
    fn wake(self: Arc<Self>) {
        *self.1.lock().unwrap() = Some(self.0.check());
    }
}

#[tokio::test(start_paused = true)]
async fn a_waker_that_panics_keeps_nobody_else_from_being_woken() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    for is_opened in [true, false] {
        let hold = signals.hold("backpressure.disk");
        let bomb = std::task::Waker::from(Arc::new(Bomb));
        let mut first = Box::pin(gate.pass());
        assert!(first.as_mut().poll(&mut std::task::Context::from_waker(&bomb)).is_pending());
        let second = passing(&gate);
        settle().await;
        if is_opened {
            drop(hold);
        } else {
            // A new bound wakes everybody, too.
            gate.reconfigure(&options().max_deferral(Duration::ZERO, AfterDeferral::Pass)).unwrap();
        }
        assert_eq!(ended(second).await, Ok(()));
        assert_eq!(first.await, Ok(()));
    }
}

struct Bomb;

impl std::task::Wake for Bomb {
    fn wake(self: Arc<Self>) {
        panic!("the waker panics");
    }
}

fn shared<T: Send + Sync + std::fmt::Debug + Clone>(thing: &T) -> String {
    format!("{thing:?}")
}

fn is_send<T: Send>(_: &T) {}

#[test]
fn everything_can_be_sent_shared_and_shown() {
    let gate = Gate::new(options(), &SignalSink::default());
    assert!(shared(&gate).contains("deferred: 0"));
    let (sender, _receiver) = tokio::sync::mpsc::channel::<std::cell::Cell<u8>>(1);
    assert!(shared(&GatedSender::new(gate.clone(), sender)).contains("is_closed: false"));
    assert!(shared(&gate.stats()).contains("passed: 0"));
    assert!(shared(&options()).contains("backpressure"));
    is_send(&gate.pass());
    is_send(&gate.pass_key_with(7, String::new()));
}

#[test]
fn dropping_a_gate_leaves_nothing_with_the_sink() {
    let signals = SignalSink::default();
    let gate = Gate::new(options(), &signals);
    let hold = signals.hold("backpressure.disk");
    let mut pass = Box::pin(gate.pass());
    let asking = Arc::new(Asking(gate.clone(), Mutex::new(None)));
    let waker = std::task::Waker::from(Arc::clone(&asking));
    assert!(pass.as_mut().poll(&mut std::task::Context::from_waker(&waker)).is_pending());
    drop((pass, waker));
    assert_eq!(Arc::strong_count(&asking), 1, "the line keeps no waker of who has left");
    drop((gate, hold));
    assert_eq!(*asking.1.lock().unwrap(), None, "who has left is not woken");
}
