//! The gate in front of a channel.

use std::time::Duration;

use dayfly_signal::SignalSink;
use dayfly_signal_aware::{AfterDeferral, Gate, GateOptions, GatedSender, Refused, SendError, TrySendError};
use dayfly_testing::settle;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::support::ended;

fn channel(room: usize) -> (SignalSink, GatedSender<u32>, Receiver<u32>) {
    let signals = SignalSink::default();
    let gate = Gate::new(GateOptions::new().cancel_on("shutdown").defer_on("busy"), &signals);
    let (sender, receiver) = mpsc::channel(room);
    (signals, GatedSender::new(gate, sender), receiver)
}

fn sending(sender: &GatedSender<u32>, item: u32) -> JoinHandle<Result<(), SendError<u32>>> {
    let sender = sender.clone();
    Handle::current().spawn(async move { sender.send(item).await })
}

#[tokio::test(start_paused = true)]
async fn an_item_waits_at_the_gate_and_goes_in_when_it_opens() {
    let (signals, sender, mut receiver) = channel(4);
    sender.send(1).await.unwrap();
    let busy = signals.hold("busy");
    let waits = [sending(&sender, 2), sending(&sender, 3)];
    settle().await;
    assert_eq!((receiver.len(), sender.gate().stats().deferred), (1, 2));
    assert_eq!(sender.try_send(4), Err(TrySendError::Deferred(4)));
    drop(busy);
    for wait in waits {
        ended(wait).await.unwrap();
    }
    for expected in 1..=3 {
        assert_eq!(receiver.recv().await, Some(expected));
    }
    assert_eq!((sender.gate().stats().passed, sender.gate().stats().refused), (3, 0));
}

#[tokio::test(start_paused = true)]
async fn an_item_comes_back_when_it_is_refused_or_nobody_receives() {
    let (signals, sender, mut receiver) = channel(1);
    signals.raise("shutdown");
    assert_eq!(sender.send(1).await, Err(SendError::Refused(Refused::Cancelled(1))));
    assert_eq!(sender.try_send(2).unwrap_err().into_item(), 2);
    signals.retract("shutdown");
    sender.send(3).await.unwrap();
    assert_eq!(sender.try_send(4), Err(TrySendError::Full(4)));
    receiver.close();
    assert_eq!(sender.try_send(5), Err(TrySendError::Closed(5)));
    assert_eq!(sender.send(6).await, Err(SendError::Closed(6)));
    assert_eq!(sender.gate().stats().refused, 2, "only the gate's own refusals count");
}

#[tokio::test(start_paused = true)]
async fn who_waits_at_the_gate_is_told_when_the_channel_is_closed() {
    let (signals, sender, receiver) = channel(1);
    let _busy = signals.hold("busy");
    let waits = sending(&sender, 1);
    settle().await;
    drop(receiver);
    assert_eq!(ended(waits).await, Err(SendError::Closed(1)));
    assert_eq!(sender.gate().stats().deferred, 0);
}

#[tokio::test(start_paused = true)]
async fn a_gate_that_shuts_while_an_item_waits_for_room_holds_it_back_and_keeps_no_room() {
    let (signals, sender, mut receiver) = channel(1);
    sender.send(1).await.unwrap();
    let waits = sending(&sender, 2);
    settle().await;
    let busy = signals.hold("busy");
    assert_eq!(receiver.recv().await, Some(1));
    settle().await;
    assert!(receiver.is_empty() && !waits.is_finished(), "there is room, and the gate is shut");
    sender.get_ref().try_send(9).unwrap();
    assert_eq!(receiver.recv().await, Some(9), "who asks no gate finds the room free");
    drop(busy);
    assert_eq!(receiver.recv().await, Some(2));
    ended(waits).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_cancel_signal_reaches_an_item_that_waits_for_room() {
    let (signals, sender, mut receiver) = channel(1);
    sender.send(1).await.unwrap();
    let waits = sending(&sender, 2);
    settle().await;
    signals.raise("shutdown");
    assert_eq!(receiver.recv().await, Some(1));
    assert_eq!(ended(waits).await, Err(SendError::Refused(Refused::Cancelled(2))));
    assert!(receiver.is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_was_deferred_for_too_long_may_still_have_to_wait_for_room() {
    let signals = SignalSink::default();
    let options =
        GateOptions::new().defer_on("busy").max_deferral(Duration::from_secs(5), AfterDeferral::Pass);
    let (sender, mut receiver) = mpsc::channel(1);
    let sender = GatedSender::new(Gate::new(options, &signals), sender);
    sender.send(1).await.unwrap();
    let _busy = signals.hold("busy");
    let start = Instant::now();
    let waits = sending(&sender, 2);
    tokio::time::sleep(Duration::from_secs(20)).await;
    assert_eq!(receiver.recv().await, Some(1));
    ended(waits).await.unwrap();
    assert_eq!(Instant::now() - start, Duration::from_secs(20), "it has waited at the gate already");
    assert_eq!(sender.into_inner().capacity(), 0);
}
