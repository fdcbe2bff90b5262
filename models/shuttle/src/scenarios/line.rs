//! The line in front of a gate.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use dayfly::SignalSink;
use dayfly_signal_aware::{Gate, GateOptions};
use tokio::task::{spawn, yield_now};

/// Some enter the line while the gate opens and shuts, and one gives up in it. Everybody else gets through, and nobody
/// is left in line.
pub(super) async fn enter_while_it_opens() {
    let signals = SignalSink::default();
    let gate = Gate::new(GateOptions::new().defer_on("busy.*").keyed(true), &signals);
    let first = signals.hold("busy.a");
    let waiters = (0..2).map(|key| {
        let gate = gate.clone();
        spawn(async move { gate.pass_key(key).await })
    });
    let waiters: Vec<_> = waiters.collect();
    let gives_up = {
        let gate = gate.clone();
        spawn(async move {
            let mut pass = pin!(gate.pass());
            poll_fn(|context| {
                let _ = pass.as_mut().poll(context);
                Poll::Ready(())
            })
            .await;
            yield_now().await;
        })
    };
    // Two at once: the one who changes something reads the signals while the other changes them again.
    let holds = [first, signals.hold("busy.b")];
    let raisers = holds.map(|hold| {
        let signals = signals.clone();
        spawn(async move {
            yield_now().await;
            drop(hold);
            drop(signals.hold("busy.c"));
        })
    });
    for waiter in waiters {
        waiter.await.expect("a waiter comes to its end").expect("nothing cancels");
    }
    gives_up.await.expect("it comes to its end");
    for raiser in raisers {
        raiser.await.expect("a raiser comes to its end");
    }
    assert_eq!(gate.stats().deferred, 0);
}
