//! A keyed signal gates its key, or everybody.

use std::fmt::{Display, Formatter};

use dayfly_signal::{Draft, SignalSink};
use dayfly_signal_aware::{Gate, GateOptions, GatedSender, Refused, SendError, TrySendError, Verdict};
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

fn gate(signals: &SignalSink, keyed: bool) -> Gate {
    Gate::new(GateOptions::new().cancel_on("stop").defer_on("busy").resume_on("go").keyed(keyed), signals)
}

#[tokio::test(start_paused = true)]
async fn a_keyed_signal_gates_its_key_only_in_a_keyed_gate() {
    let signals = SignalSink::default();
    let (keyed, plain) = (gate(&signals, true), gate(&signals, false));
    signals.raise(Draft::from("busy").key("7"));
    signals.raise(Draft::from("stop").key("8"));
    let verdicts = |gate: &Gate| [gate.check(), gate.check_key(6), gate.check_key(7), gate.check_key("8")];
    assert_eq!(verdicts(&keyed), [Verdict::Open, Verdict::Open, Verdict::Deferred, Verdict::Cancelled]);
    assert_eq!(verdicts(&plain), [Verdict::Cancelled; 4]);
    assert_eq!(keyed.pass_key_with(8, "item").await, Err(Refused::Cancelled("item")));
    assert_eq!(keyed.pass_key_with(6, "item").await, Ok("item"));
}

#[tokio::test(start_paused = true)]
async fn only_who_has_the_key_is_woken() {
    let signals = SignalSink::default();
    let gate = gate(&signals, true);
    let seven = signals.hold(Draft::from("busy").key("7"));
    let eight = signals.hold(Draft::from("busy").key("8"));
    let waits = [7, 8].map(|key| {
        let gate = gate.clone();
        Handle::current().spawn(async move { gate.pass_key(key).await })
    });
    settle().await;
    drop(eight);
    settle().await;
    assert_eq!(waits.each_ref().map(JoinHandle::is_finished), [false, true]);
    // What concerns everybody concerns this key too; a keyed resume lifts it for its key.
    let _all = signals.hold("busy");
    drop(seven);
    settle().await;
    assert!(!waits[0].is_finished());
    signals.raise(Draft::from("go").key("7"));
    settle().await;
    assert!(waits[0].is_finished());
    assert_eq!((gate.check(), gate.check_key("7")), (Verdict::Deferred, Verdict::Open));
}

#[tokio::test(start_paused = true)]
async fn a_sender_gates_by_key_too() {
    let signals = SignalSink::default();
    let (sender, mut receiver) = mpsc::channel(4);
    let sender = GatedSender::new(gate(&signals, true), sender);
    let busy = signals.hold(Draft::from("busy").key("a"));
    signals.raise(Draft::from("stop").key("b"));
    assert_eq!(sender.try_send_key("a", 1), Err(TrySendError::Deferred(1)));
    assert_eq!(sender.send_key("b", 2).await, Err(SendError::Refused(Refused::Cancelled(2))));
    sender.send_key("c", 3).await.unwrap();
    sender.try_send(4).unwrap();
    let (sent, ()) = tokio::join!(sender.send_key("a", 5), async { drop(busy) });
    sent.unwrap();
    for expected in [3, 4, 5] {
        assert_eq!(receiver.recv().await, Some(expected));
    }
}

struct Bomb;

impl Display for Bomb {
    fn fmt(&self, _: &mut Formatter<'_>) -> std::fmt::Result {
        panic!("it goes off when it is shown")
    }
}

#[tokio::test(start_paused = true)]
async fn the_text_of_a_key_is_made_where_a_signal_may_name_it_and_its_panic_costs_its_caller_only() {
    let signals = SignalSink::default();
    let (keyed, plain) = (gate(&signals, true), gate(&signals, false));
    assert_eq!((plain.pass_key(Bomb).await, keyed.check()), (Ok(()), Verdict::Open));
    assert_eq!(keyed.pass_key(Bomb).await, Ok(()), "nothing is raised, so nobody asks");
    let hold = signals.hold("busy");
    assert_eq!(plain.check_key(Bomb), Verdict::Deferred);
    let other = keyed.clone();
    let panics = Handle::current().spawn(async move { other.pass_key(Bomb).await });
    assert!(panics.await.unwrap_err().is_panic());
    assert_eq!(keyed.stats().deferred, 0);
    drop(hold);
    assert_eq!(keyed.pass_key(1).await, Ok(()));
}
